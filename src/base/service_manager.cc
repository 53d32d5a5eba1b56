#include "base/service_manager.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <ctime>
#include <utility>

namespace slipway::base {

ServiceManager ServiceManager::FromEnvironment() {
  ServiceManager manager;
  const char* variable = std::getenv("NOTIFY_SOCKET");
  const std::string_view name = variable == nullptr ? "" : variable;
  sockaddr_un address{};
  if (name.size() < 2 || name.size() >= sizeof address.sun_path || (name[0] != '/' && name[0] != '@')) return manager;
  address.sun_family = AF_UNIX;
  std::ranges::copy(name, address.sun_path);
  if (name[0] == '@') address.sun_path[0] = '\0';
  // The length is part of an abstract name.
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  manager.socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (manager.socket_ >= 0 && ::connect(manager.socket_, reinterpret_cast<const sockaddr*>(&address), size) != 0) {
    ::close(std::exchange(manager.socket_, -1));
  }
  return manager;
}

ServiceManager::ServiceManager(ServiceManager&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}

ServiceManager::~ServiceManager() {
  if (socket_ >= 0) ::close(socket_);
}

void ServiceManager::Send(const std::string& message) const {
  if (present()) static_cast<void>(::send(socket_, message.data(), message.size(), MSG_NOSIGNAL));
}

void ServiceManager::Ready(std::string_view status) const {
  std::string line(status);
  std::ranges::replace(line, '\n', ' ');
  Send(fmt::format("READY=1\nSTATUS={}", line));
}

void ServiceManager::Reloading() const {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  // systemd tells by the time which SIGHUP this answers (Type=notify-reload).
  Send(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000));
}

void ServiceManager::Stopping() const {
  Send("STOPPING=1\nSTATUS=finishing requests");
}

}  // namespace slipway::base
