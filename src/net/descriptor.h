#pragma once
// File descriptors that close themselves, and listening sockets.

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"

namespace slipway::net {

/// Owns one descriptor; -1 is none.
class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      Close();
      number_ = std::exchange(other.number_, -1);
    }
    return *this;
  }
  ~Descriptor() { Close(); }
  int get() const { return number_; }
  bool valid() const { return number_ >= 0; }
  void Close();
  /// Hands it over to whoever closes it now.
  int Release() { return std::exchange(number_, -1); }

 private:
  int number_;
};

/// unavailable, with errno's word after `what`.
base::Error SystemError(std::string reason, std::string_view what);

/// Where to listen: "127.0.0.1:8080", "[::1]:8080", "localhost:8080", ":8080" (all addresses); port 0: any free one.
struct TcpAddress {
  std::string host;  ///< without brackets; empty: all addresses
  uint16_t port = 0;
  /// Errors: invalid_argument "net.address".
  static base::Result<TcpAddress> Parse(std::string_view text);
  std::string ToString() const;
};

/// A listening, non-blocking socket. With `shared`, several of this process may listen on the same port, and the kernel
/// deals connections out among them. Errors: unavailable "net.address_in_use", "net.listen".
base::Result<Descriptor> Listen(const TcpAddress& address, int backlog, bool shared);

/// Fails when somebody else listens there already: a shared port would silently take part of their traffic.
base::Result<void> CheckPortIsFree(const TcpAddress& address);

/// Sends small answers at once (TCP_NODELAY).
void SetNoDelay(const Descriptor& socket);

/// The port that a listening socket got; 0 when it has none.
uint16_t LocalPort(const Descriptor& socket);

/// "127.0.0.1:51234", "[::1]:51234", "unix", or "" when there is none.
std::string PeerName(const ::sockaddr_storage& address);

}  // namespace slipway::net
