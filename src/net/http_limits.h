#pragma once
// Bounds on what a connection may cost. Each has an option of `slipway serve` and a test.

#include <chrono>
#include <cstdint>

namespace slipway::net {

struct HttpLimits {
  int64_t target_bytes = 8 << 10;          ///< 414
  int64_t head_bytes = 32 << 10;           ///< request line and headers: 431
  int header_count = 100;                  ///< 431
  int64_t body_bytes = int64_t{64} << 20;  ///< 413, unless the route has its own
  int64_t chunk_count = 1 << 16;           ///< of a chunked body: 413
  std::chrono::nanoseconds header_deadline =
      std::chrono::seconds(10);  ///< first byte to end of headers: 408; a TLS handshake
  std::chrono::nanoseconds body_deadline = std::chrono::seconds(60);   ///< end of headers to end of body: 408
  std::chrono::nanoseconds write_deadline = std::chrono::seconds(30);  ///< for the peer to take an answer
  std::chrono::nanoseconds idle_timeout = std::chrono::seconds(75);    ///< between requests
  std::chrono::nanoseconds linger = std::chrono::seconds(1);  ///< reading on after an early answer, so that it arrives
  int connections = 10'000;                                   ///< in total: 503
  int handshakes = 512;           ///< of TLS at a time; past it the one that has waited longest is dropped
  int requests_in_flight = 4096;  ///< begun and waiting for bytes or for the peer to read: 429
};

}  // namespace slipway::net
