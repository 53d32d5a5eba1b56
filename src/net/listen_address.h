#pragma once
// Where a listener listens: a TCP address, a Unix socket, or a socket that systemd has opened.

#include <string>
#include <string_view>
#include <variant>

#include "base/error.h"
#include "net/descriptor.h"

namespace slipway::net {

/// "unix:/run/slipway.sock", "unix:/run/slipway.sock,mode=0600". The mode, in octal, says who may connect.
struct UnixAddress {
  std::string path;
  unsigned int mode = 0660;
};

/// "systemd:NAME": the socket that the unit's FileDescriptorName= calls so; "systemd:": the first one.
struct InheritedAddress {
  std::string name;
};

struct ListenAddress {
  std::variant<TcpAddress, UnixAddress, InheritedAddress> where;

  /// Errors: invalid_argument "net.address".
  static base::Result<ListenAddress> Parse(std::string_view text);
  /// Only this machine can connect: a Unix socket, 127.0.0.0/8, ::1 or "localhost". Never true of a socket of
  /// systemd's, whose address is not ours to know.
  bool IsLocal() const;
};

/// A listening Unix socket. It is unlinked when this object goes, unless another process has replaced it.
class UnixListener {
 public:
  /// Takes the place of a socket file that no process listens on any more. Errors: unavailable "net.address_in_use",
  /// "net.listen"; invalid_argument "net.address" when the path is too long, or is something else than a socket.
  static base::Result<UnixListener> Listen(const UnixAddress& address, int backlog);
  UnixListener(UnixListener&&) noexcept = default;
  UnixListener& operator=(UnixListener&&) = delete;
  ~UnixListener();

  Descriptor TakeSocket() { return std::move(socket_); }

 private:
  UnixListener() = default;
  Descriptor socket_;
  std::string path_;  ///< empty: moved from
  uint64_t device_ = 0, inode_ = 0;
};

/// Takes a listening socket over from systemd (sd_listen_fds(3): $LISTEN_PID, $LISTEN_FDS, $LISTEN_FDNAMES).
/// Errors: failed_precondition "net.no_inherited_socket", with what there is.
base::Result<Descriptor> TakeInherited(const InheritedAddress& address);

}  // namespace slipway::net
