#pragma once
// Tells systemd (or whatever speaks its protocol, sd_notify(3)) how this service does. Without $NOTIFY_SOCKET nobody is
// listening, and every call does nothing.

#include <cstdint>
#include <string>
#include <string_view>

namespace slipway::base {

/// Thread-safety: all methods from any thread. A message that cannot be delivered is lost in silence: a service manager
/// that is gone must not end the service.
class ServiceManager {
 public:
  /// From $NOTIFY_SOCKET: a path, or "@name" in the abstract namespace. Anything else is as if it were not set.
  static ServiceManager FromEnvironment();
  ServiceManager(ServiceManager&& other) noexcept;
  ServiceManager& operator=(ServiceManager&&) = delete;
  ~ServiceManager();

  bool present() const { return socket_ >= 0; }
  /// Serving; also the end of a reload. `status` is one line for people.
  void Ready(std::string_view status) const;
  /// Reading configuration again; Ready() must follow.
  void Reloading() const;
  /// Finishing what was accepted, then exiting.
  void Stopping() const;

 private:
  ServiceManager() = default;
  void Send(const std::string& message) const;
  int socket_ = -1;
};

}  // namespace slipway::base
