#include "tables/duckdb/server_greeting.h"

#include <fmt/format.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "base/file_descriptor.h"

namespace slipway::tables::duckdb {
namespace {

using Clock = std::chrono::steady_clock;

std::unexpected<base::Error> Unreachable(std::string reason) {
  return base::Fail(base::Code::kUnavailable, "tables.connection", std::move(reason));
}

/// False when the time is over.
bool Await(int socket, short what, Clock::time_point end) {
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
    pollfd watched{.fd = socket, .events = what, .revents = 0};
    const int ready = poll(&watched, 1, static_cast<int>(std::max<int64_t>(left, 0)));
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

/// Zero, or why there is no connection.
int ConnectTo(int socket, const addrinfo& address, Clock::time_point end) {
  if (connect(socket, address.ai_addr, address.ai_addrlen) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  if (!Await(socket, POLLOUT, end)) return ETIMEDOUT;
  int failed = 0;
  socklen_t size = sizeof failed;
  return getsockopt(socket, SOL_SOCKET, SO_ERROR, &failed, &size) == 0 ? failed : errno;
}

}  // namespace

base::Result<void> AwaitGreeting(const std::string& host, const std::string& port, std::chrono::milliseconds patience) {
  const auto end = Clock::now() + patience;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int failed = getaddrinfo(host.c_str(), port.c_str(), &hints, &found); failed != 0) {
    return Unreachable(fmt::format("the host {:?} is not known ({})", host, gai_strerror(failed)));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(found, &freeaddrinfo);
  int failed = 0;
  for (const addrinfo* address = found; address; address = address->ai_next) {
    const base::FileDescriptor socket(
        ::socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, address->ai_protocol));
    failed = socket.get() < 0 ? errno : ConnectTo(socket.get(), *address, end);
    if (failed != 0) continue;
    if (Await(socket.get(), POLLIN, end)) return {};
    return Unreachable(fmt::format("{}:{} takes connections and says nothing for {} s", host, port,
                                   std::chrono::duration_cast<std::chrono::seconds>(patience).count()));
  }
  return Unreachable(fmt::format("{}:{} takes no connection: {}", host, port, strerror(failed)));
}

}  // namespace slipway::tables::duckdb
