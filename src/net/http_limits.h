#pragma once
// Bounds on what a connection may cost. Each has an option of `slipway serve`, a test, and a row in
// docs/operations/limits.md.

#include <chrono>
#include <cstdint>

namespace slipway::net {

struct HttpLimits {
  // The head.
  int64_t target_bytes = 8 << 10;                                       ///< 414
  int64_t head_bytes = 32 << 10;                                        ///< request line and headers: 431
  int header_count = 100;                                               ///< 431
  std::chrono::nanoseconds header_deadline = std::chrono::seconds(10);  ///< first byte to end of headers: 408; TLS too

  // The body.
  int64_t body_bytes = int64_t{64} << 20;      ///< of one handled whole, unless the route has its own: 413
  int64_t streamed_bytes = int64_t{64} << 30;  ///< of one answered piece by piece: 413
  int64_t chunk_count = 1 << 16;               ///< of a chunked body that is handled whole: 413
  int64_t decoded_bytes = 0;                   ///< of a body with a content coding; 0: as without one: 413
  int64_t decoded_ratio = 200;                 ///< decoded bytes for each coded one, past the first MiB: 413
  std::chrono::nanoseconds body_deadline = std::chrono::seconds(60);  ///< end of headers to end of a whole body: 408
  int64_t body_rate = 240;  ///< bytes per second that a body must come at, window by window: 408; 0: any
  std::chrono::nanoseconds body_rate_window = std::chrono::seconds(10);

  // The answer.
  std::chrono::nanoseconds write_deadline = std::chrono::seconds(30);  ///< for the peer to take more of an answer
  /// Of a streamed answer kept for a peer that does not read, before reading its body pauses; bodies of a known length
  /// within body_bytes are read to their end.
  int64_t unsent_bytes = 4 << 20;

  // The connection.
  std::chrono::nanoseconds idle_timeout = std::chrono::seconds(75);  ///< between requests, and to the first one
  std::chrono::nanoseconds linger = std::chrono::seconds(1);  ///< reading on after an early answer, so that it arrives
  int connections = 10'000;                                   ///< in total: 503
  int handshakes = 512;                                       ///< of TLS at a time; past it the oldest is dropped
  int connections_per_address = 0;                            ///< an IPv4 address or an IPv6 /64: 429; 0: any
  int64_t requests_per_connection = 0;                        ///< then it is closed in good order; 0: any
  int requests_per_turn = 64;     ///< answered to one connection before others have their turn
  int requests_in_flight = 4096;  ///< begun and waiting for bytes or for the peer to read: 429

  // All connections together.
  /// Bytes of bodies not yet whole and of answers not yet taken: past it whoever wants more than kSmallBytes gets 503;
  /// 0: any.
  int64_t memory_in_flight = 0;
  static constexpr int64_t kSmallBytes = 64 << 10;  ///< which any request may hold
};

}  // namespace slipway::net
