#pragma once
// grpc.health.v1.Health: Check and Watch.

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "net/late_answer.h"
#include "serving/grpc/method_table.h"

namespace slipway::serving::grpc {

/// Those that watch the health of this process, on any listener.
/// Thread-safety: all methods from any thread.
class HealthWatchers {
 public:
  /// `unready_reason`: "" while the process is ready; from any thread.
  explicit HealthWatchers(std::function<std::string_view()> unready_reason)
      : unready_reason_(std::move(unready_reason)) {}

  bool ready() const { return unready_reason_().empty(); }
  /// Pushes the state now, and on every Refresh() that finds another. `known`: the service asked about exists.
  void Add(const net::LateAnswer& call, bool known);
  void Refresh();

 private:
  struct Watcher {
    net::LateAnswer call;
    bool known;
    bool told;  ///< ready, as it was told last
  };
  const std::function<std::string_view()> unready_reason_;
  std::mutex mutex_;  ///< guards watchers_
  std::vector<Watcher> watchers_;
};

/// Adds its methods. The watchers outlive the table. `services`: whose health may be asked, beside the process's own.
void AddHealthMethods(const std::shared_ptr<HealthWatchers>& watchers, std::vector<std::string> services,
                      MethodTable& methods);

}  // namespace slipway::serving::grpc
