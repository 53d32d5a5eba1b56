#include "net/descriptor.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "base/text.h"

namespace slipway::net {
namespace {

using AddressList = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

base::Result<AddressList> Resolve(const TcpAddress& address) {
  addrinfo hints{};
  hints.ai_family = address.host.empty() ? AF_INET6 : AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(address.port);
  const char* host = address.host.empty() ? "::" : address.host.c_str();
  if (const int failed = ::getaddrinfo(host, port.c_str(), &hints, &found); failed != 0) {
    return base::Fail(
        base::Code::kInvalidArgument, "net.address",
        fmt::format("cannot resolve the listening address {}: {}", address.ToString(), ::gai_strerror(failed)));
  }
  return AddressList(found, &::freeaddrinfo);
}

void SetOption(const Descriptor& socket, int level, int name, int value) {
  ::setsockopt(socket.get(), level, name, &value, sizeof value);
}

base::Error BindError(const TcpAddress& address) {
  if (errno == EADDRINUSE) {
    return {
        base::Code::kUnavailable,
        "net.address_in_use",
        fmt::format("the address {} is in use by another process; stop it or choose another port", address.ToString()),
        {}};
  }
  return SystemError("net.listen", fmt::format("cannot listen on {}", address.ToString()));
}

base::Result<Descriptor> Bind(const TcpAddress& address, bool shared) {
  SLIPWAY_ASSIGN(const AddressList list, Resolve(address));
  Descriptor socket(::socket(list->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.valid() && address.host.empty() && errno == EAFNOSUPPORT) {
    return Bind({.host = "0.0.0.0", .port = address.port}, shared);  // a machine without IPv6
  }
  if (!socket.valid()) return std::unexpected(SystemError("net.listen", "cannot create a socket"));
  SetOption(socket, SOL_SOCKET, SO_REUSEADDR, 1);
  if (shared) SetOption(socket, SOL_SOCKET, SO_REUSEPORT, 1);
  if (address.host.empty()) SetOption(socket, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  if (::bind(socket.get(), list->ai_addr, list->ai_addrlen) != 0) return std::unexpected(BindError(address));
  return socket;
}

}  // namespace

void Descriptor::Close() {
  if (number_ >= 0) ::close(std::exchange(number_, -1));
}

base::Error SystemError(std::string reason, std::string_view what) {
  return {base::Code::kUnavailable, std::move(reason), fmt::format("{}: {}", what, std::strerror(errno)), {}};
}

base::Result<TcpAddress> TcpAddress::Parse(std::string_view text) {
  const auto fail = [&] {
    return base::Fail(base::Code::kInvalidArgument, "net.address",
                      fmt::format("\"{}\" is no address to listen on: write HOST:PORT, [IPV6]:PORT, :PORT or unix:PATH",
                                  base::Shorten(text, 128)));
  };
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return fail();
  std::string_view host = text.substr(0, colon);
  const auto port = base::ParseInt64(text.substr(colon + 1));
  if (!port || *port < 0 || *port > 65535 || text[colon + 1] == '+') return fail();
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (bracketed != (host.find(':') != std::string_view::npos)) return fail();
  if (host == "*") host = {};
  return TcpAddress{std::string(host), static_cast<uint16_t>(*port)};
}

std::string TcpAddress::ToString() const {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port) : fmt::format("[{}]:{}", host, port);
}

base::Result<Descriptor> Listen(const TcpAddress& address, int backlog, bool shared) {
  SLIPWAY_ASSIGN(Descriptor socket, Bind(address, shared));
  if (::listen(socket.get(), backlog) != 0) return std::unexpected(BindError(address));
  return socket;
}

base::Result<void> CheckPortIsFree(const TcpAddress& address) {
  // Without SO_REUSEPORT, listen() fails beside any other listener, even one that shares.
  SLIPWAY_TRY(Listen(address, 1, false));
  return {};
}

void SetNoDelay(const Descriptor& socket) {
  SetOption(socket, IPPROTO_TCP, TCP_NODELAY, 1);
}

uint16_t LocalPort(const Descriptor& socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  if (address.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6*>(&address)->sin6_port);
  if (address.ss_family != AF_INET) return 0;
  return ntohs(reinterpret_cast<const sockaddr_in*>(&address)->sin_port);
}

std::string PeerName(const sockaddr_storage& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    ::inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
    return fmt::format("{}:{}", text.data(), ntohs(v4.sin_port));
  }
  if (address.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {  // which every peer of IPv4 is to a socket that takes both
      ::inet_ntop(AF_INET, &v6.sin6_addr.s6_addr[12], text.data(), text.size());
      return fmt::format("{}:{}", text.data(), ntohs(v6.sin6_port));
    }
    ::inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
    return fmt::format("[{}]:{}", text.data(), ntohs(v6.sin6_port));
  }
  return address.ss_family == AF_UNIX ? "unix" : "";
}

}  // namespace slipway::net
