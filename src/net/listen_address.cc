#include "net/listen_address.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>

#include "base/text.h"

namespace slipway::net {
namespace {

constexpr int kFirstInherited = 3;
constexpr std::string_view kUnix = "unix:", kSystemd = "systemd:", kMode = ",mode=";

std::unexpected<base::Error> BadAddress(std::string message) {
  return base::Fail(base::Code::kInvalidArgument, "net.address", std::move(message));
}

base::Result<UnixAddress> ParseUnix(std::string_view text) {
  UnixAddress address;
  std::string_view path = text.substr(kUnix.size());
  if (const size_t at = path.rfind(kMode); at != std::string_view::npos) {
    const std::string_view digits = path.substr(at + kMode.size());
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), address.mode, 8);
    if (error != std::errc() || end != digits.data() + digits.size() || address.mode > 0777) {
      return BadAddress(fmt::format("the mode of \"{}\" must be octal, such as 0660", base::Shorten(text, 128)));
    }
    path = path.substr(0, at);
  }
  if (path.empty() || path.find('\0') != std::string_view::npos) {
    return BadAddress("a Unix socket needs a path: write unix:/run/slipway.sock");
  }
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    return BadAddress(fmt::format("the path of the Unix socket \"{}\" is longer than {} bytes; choose a shorter one",
                                  base::Shorten(path, 128), sizeof(sockaddr_un::sun_path) - 1));
  }
  address.path = path;
  return address;
}

sockaddr_un SystemAddress(const UnixAddress& address) {
  sockaddr_un system{};
  system.sun_family = AF_UNIX;
  std::memcpy(system.sun_path, address.path.data(), address.path.size());
  return system;
}

Descriptor MakeSocket() {
  return Descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

/// Removes a socket file that a dead process has left; fails when a live one listens there.
base::Result<void> ClearPlace(const UnixAddress& address) {
  struct stat status{};
  if (::lstat(address.path.c_str(), &status) != 0) return {};
  if (!S_ISSOCK(status.st_mode)) {
    return BadAddress(fmt::format("{} exists and is no socket; remove it or choose another path", address.path));
  }
  const Descriptor probe = MakeSocket();
  const sockaddr_un system = SystemAddress(address);
  if (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&system), sizeof system) != 0 && errno == ECONNREFUSED) {
    ::unlink(address.path.c_str());
    return {};
  }
  return base::Fail(
      base::Code::kUnavailable, "net.address_in_use",
      fmt::format("the socket {} is in use by another process; stop it or choose another path", address.path));
}

bool IsLoopback(const std::string& host) {
  return host == "localhost" || host == "::1" ||
         (host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string::npos);
}

}  // namespace

base::Result<ListenAddress> ListenAddress::Parse(std::string_view text) {
  if (text.starts_with(kUnix)) {
    SLIPWAY_ASSIGN(UnixAddress address, ParseUnix(text));
    return ListenAddress{std::move(address)};
  }
  if (text.starts_with(kSystemd)) return ListenAddress{InheritedAddress{std::string(text.substr(kSystemd.size()))}};
  SLIPWAY_ASSIGN(TcpAddress address, TcpAddress::Parse(text));
  return ListenAddress{std::move(address)};
}

bool ListenAddress::IsLocal() const {
  const auto* tcp = std::get_if<TcpAddress>(&where);
  return std::holds_alternative<UnixAddress>(where) || (tcp != nullptr && IsLoopback(tcp->host));
}

base::Result<UnixListener> UnixListener::Listen(const UnixAddress& address, int backlog) {
  SLIPWAY_TRY(ClearPlace(address));
  UnixListener listener;
  listener.socket_ = MakeSocket();
  const sockaddr_un system = SystemAddress(address);
  // The file is made with the mode of the socket (less the umask), so that at no time more may connect than should.
  ::fchmod(listener.socket_.get(), address.mode);
  if (::bind(listener.socket_.get(), reinterpret_cast<const sockaddr*>(&system), sizeof system) != 0) {
    return std::unexpected(SystemError("net.listen", "cannot listen on the Unix socket " + address.path));
  }
  struct stat status{};
  listener.path_ = address.path;
  if (::chmod(address.path.c_str(), address.mode) != 0 || ::lstat(address.path.c_str(), &status) != 0 ||
      ::listen(listener.socket_.get(), backlog) != 0) {
    return std::unexpected(SystemError("net.listen", "cannot listen on the Unix socket " + address.path));
  }
  listener.device_ = status.st_dev;
  listener.inode_ = status.st_ino;
  return listener;
}

UnixListener::~UnixListener() {
  struct stat status{};
  if (path_.empty() || ::lstat(path_.c_str(), &status) != 0) return;
  if (status.st_dev == device_ && status.st_ino == inode_) ::unlink(path_.c_str());
}

base::Result<Descriptor> TakeInherited(const InheritedAddress& address) {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string_view(value == nullptr ? "" : value);
  };
  const auto process = base::ParseInt64(variable("LISTEN_PID"));
  const auto count = base::ParseInt64(variable("LISTEN_FDS"));
  std::string_view names = variable("LISTEN_FDNAMES");
  if (process == ::getpid() && count && *count > 0 && *count < 1024) {
    for (int64_t i = 0; i < *count; ++i) {
      const std::string_view name = names.substr(0, names.find(':'));
      names.remove_prefix(std::min(name.size() + 1, names.size()));
      if (!address.name.empty() && name != address.name) continue;
      const int number = kFirstInherited + static_cast<int>(i);
      int listening = 0;
      socklen_t size = sizeof listening;
      if (::getsockopt(number, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 || listening == 0) continue;
      // A copy, so that several listeners may name the same one.
      Descriptor socket(::fcntl(number, F_DUPFD_CLOEXEC, kFirstInherited));
      if (!socket.valid()) return std::unexpected(SystemError("net.listen", "cannot take a socket over"));
      ::fcntl(socket.get(), F_SETFL, ::fcntl(socket.get(), F_GETFL) | O_NONBLOCK);
      return socket;
    }
  }
  return base::Fail(
      base::Code::kFailedPrecondition, "net.no_inherited_socket",
      fmt::format("no listening socket \"systemd:{}\" was handed over; systemd gave {} with the names "
                  "\"{}\" (start through a .socket unit, with FileDescriptorName= if it is named)",
                  address.name, process == ::getpid() ? count.value_or(0) : 0, variable("LISTEN_FDNAMES")));
}

}  // namespace slipway::net
