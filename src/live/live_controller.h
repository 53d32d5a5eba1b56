#pragma once
// LiveController: keeps what is served equal to what should be, on a thread of low priority.
//
//   LiveController controller(live, metrics, log);
//   controller.Follow(folder);
//   controller.Settle();      // what is there now, on this thread
//   controller.Start();       // and whatever comes

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/quantities.h"
#include "live/desired_state.h"
#include "live/live_set.h"
#include "live/next_step.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"

namespace slipway::live {

struct LiveControllerOptions {
  base::Bytes resident{256 << 20};  ///< what versions that are no longer wanted may keep, for rollbacks
  std::chrono::nanoseconds look_every = std::chrono::seconds(1);
  /// Loads that failed for want of memory, processes or files are tried again after so long, doubled each time.
  std::chrono::nanoseconds retry_first = std::chrono::seconds(1), retry_most = std::chrono::minutes(5);
  /// After a version was unloaded: the memory is given back to the system. That holds up other threads that allocate,
  /// so it is not done at each swap of many.
  std::chrono::nanoseconds trim_after = std::chrono::seconds(10);
  const base::Clock* clock = &base::Clock::System();
};

/// Each turn: ask the sources, then take steps (NextStep) until none is left. A version that cannot be loaded changes
/// nothing else; the reason is in LiveSet::Statuses(), the log and slipway_model_loads_total.
///
/// Lifecycle: Follow() and Settle() before Start(); Stop() ends the thread, not the serving.
/// Thread-safety: LookNow(), SwitchOn(), SwitchOff() from any thread.
class LiveController {
 public:
  /// All outlive it.
  LiveController(LiveSet& live, telemetry::MetricRegistry& metrics, telemetry::Log& log = telemetry::Log::Discard(),
                 LiveControllerOptions options = {});
  ~LiveController();

  /// `source` outlives the controller.
  void Follow(DesiredState& source) { sources_.push_back({.source = &source, .last = {}, .fault = {}}); }
  /// One turn, on this thread. True when something was done.
  bool Settle();
  void Start();
  void Stop();

  /// Has the next turn come at once.
  void LookNow();
  using Done = std::function<void(const base::Result<void>& result)>;
  /// Serves what the sources list under a name, also when it had been switched off or has failed. `done` is called on
  /// the control thread when all of it was tried. Errors: not_found "live.not_listed"; why a version cannot be loaded.
  void SwitchOn(std::string name, Done done);
  /// Serves nothing of that name until it is switched on, whatever the sources list. Errors: not_found "model.unknown".
  void SwitchOff(std::string name, Done done);

 private:
  struct Source {
    DesiredState* source;
    std::vector<DesiredBundle> last;  ///< what it said when it last could
    std::string fault;                ///< told in the log once
  };
  using Task = std::function<void()>;

  void Run(const std::stop_token& stop);
  void RunTasks();
  void Post(Task task);
  void Look();
  std::map<std::string, std::string> AskSources();
  bool IsSwitchedOff(const std::string& name) const { return off_.contains(name); }
  Step Choose() const;
  bool Take(const Step& step);
  void Load(int64_t id);
  base::Result<void> Outcome(const std::string& name) const;

  LiveSet& live_;
  telemetry::Log& log_;
  const LiveControllerOptions options_;
  telemetry::CounterFamily loads_;
  // On the control thread.
  std::vector<Source> sources_;
  base::SteadyTime trim_at_ = base::SteadyTime::max();
  std::set<std::string> off_;                                         ///< names switched off
  std::map<std::pair<std::string, std::string>, std::string> names_;  ///< of what was switched off, by path and stamp

  std::mutex mutex_;  ///< guards what follows
  std::condition_variable_any woken_;
  std::vector<Task> tasks_;
  bool look_now_ = false;
  std::jthread thread_;
};

}  // namespace slipway::live
