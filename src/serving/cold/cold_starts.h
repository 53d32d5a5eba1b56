#pragma once
// ColdStarts: calls of versions that are known but not loaded. They wait, without a thread, until the control thread
// has loaded the version, and then go on in the order in which they came.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "live/live_controller.h"
#include "live/live_set.h"
#include "net/late_answer.h"
#include "telemetry/metrics.h"

namespace slipway::serving {

struct ColdStartOptions {
  bool enabled = false;                                          ///< versions are loaded when they are called
  std::chrono::nanoseconds wait_most{std::chrono::seconds(10)};  ///< of a call; its own deadline may be sooner
  int64_t waiting_most = 1024;                                   ///< calls of one version
  int64_t waiting_bytes{int64_t{64} << 20};                      ///< of their bodies
};

/// Lifecycle: OnChange() whenever the live set changes; EndBy() when the server is about to stop.
/// Thread-safety: all methods from any thread. Ownership: live set, controller and registry outlive it.
class ColdStarts {
 public:
  ColdStarts(const live::LiveSet& live, live::LiveController& controller, telemetry::MetricRegistry& metrics,
             const ColdStartOptions& options, const base::Clock& clock = base::Clock::System());
  ~ColdStarts();

  enum class End : uint8_t {
    kChanged,  ///< the version is loaded, or has failed, or is gone
    kExpired,  ///< it was not in time
  };
  /// Goes on with a call that has waited, on its io thread. Must not block.
  using Resume = std::function<void(End end, const net::Request& request, net::Response& response)>;
  using Model = std::shared_ptr<const live::LoadedModel>;

  /// Has the call of a cold version wait: it answers later. Errors, and it does not: resource_exhausted "overload.cold"
  /// when too many wait; unavailable "model.cold" when its time is over.
  base::Result<void> Await(const Model& model, const net::Request& request, net::Response& response, Resume resume);
  /// That a call has waited for in vain.
  base::Error NotInTime(const live::LoadedModel& model) const;
  /// When a call may come again: as long as loading the version took, or versions take on the whole. Whole seconds, at
  /// least one.
  int64_t RetryAfterSeconds(const live::LoadedModel& model) const;

  /// Lets calls go on whose version is cold no more.
  void OnChange();
  /// No call waits longer from now on.
  void EndBy(base::SteadyTime latest);
  /// Calls that wait for the version that callers find under this LoadedModel::index.
  int64_t Waiting(int index) const;

 private:
  struct Place;
  struct Call;
  struct Queue;
  using Calls = std::vector<std::shared_ptr<Call>>;
  void Enter(const std::shared_ptr<Place>& place, const net::LateAnswer& answer, base::SteadyTime deadline,
             Resume resume);
  void Leave(int index, uint64_t serial);
  Calls TakeExpired(base::SteadyTime now, base::SteadyTime& next);
  void GoOn(const Calls& calls, End end, const telemetry::Counter& outcome) const;
  void Run(const std::stop_token& stop);

  const live::LiveSet& live_;
  live::LiveController& controller_;
  const ColdStartOptions options_;
  const base::Clock& clock_;
  const telemetry::CounterFamily outcomes_;
  const telemetry::Counter loaded_, failed_, expired_, refused_, gone_;
  const telemetry::Histogram waits_;

  mutable std::mutex mutex_;  ///< guards what follows
  std::condition_variable_any woken_;
  std::map<int, Queue> queues_;  ///< by LoadedModel::index
  uint64_t last_serial_ = 0;
  base::SteadyTime end_by_ = base::SteadyTime::max();
  std::jthread thread_;  ///< ends what waits too long
};

}  // namespace slipway::serving
