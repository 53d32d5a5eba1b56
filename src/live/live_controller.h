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
  bool lazy = false;                ///< versions are loaded when they are called
  base::Bytes loaded{0};            ///< lazily: what those that are ready may take, as measured; 0: anything
  std::chrono::nanoseconds look_every = std::chrono::seconds(1);
  /// Loads that failed for want of memory, processes or files are tried again after so long, doubled each time.
  std::chrono::nanoseconds retry_first = std::chrono::seconds(1), retry_most = std::chrono::minutes(5);
  /// After a version was unloaded: the memory is given back to the system. That holds up other threads that allocate,
  /// so it is not done at each swap of many.
  std::chrono::nanoseconds trim_after = std::chrono::seconds(10);
  const base::Clock* clock = &base::Clock::System();
};

/// Each turn: ask the sources when it is time, then take steps (NextStep) until none is left. A version that cannot be
/// loaded changes nothing else; the reason is in LiveSet::Statuses(), the log and slipway_model_load_failures_total.
///
/// Lifecycle: Follow() and Settle() before Start(); Stop() ends the thread, not the serving.
/// Thread-safety: LookNow(), Wake(), ReadUse(), SwitchOn(), SwitchOff() from any thread.
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
  /// The same, without asking the sources: calls wait for a version to be loaded.
  void Wake();
  /// Who knows what calls make of versions; asked by the control thread before each step, if it is lazy. An empty one
  /// is not asked; when this returns, neither is the one before.
  using UseReader = std::function<ModelUse(const ModelStatus& version)>;
  void ReadUse(UseReader reader);
  using Done = std::function<void(const base::Result<void>& result)>;
  /// Loads what the sources list under a name, also when it had been switched off or has failed, or is cold. `done` is
  /// called on the control thread when all of it was tried. Errors: not_found "live.not_listed"; why a version cannot
  /// be loaded; resource_exhausted "live.memory": there is no room, and none of what is loaded may leave now.
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
  bool LookIsDue() const;
  void Look();
  bool TakeSteps(const std::function<bool()>& enough);
  std::map<std::string, std::string> AskSources();
  bool IsSwitchedOff(const std::string& name) const { return off_.contains(name); }
  std::vector<ModelStatus> StatusesInUse() const;
  Step Choose() const;
  bool LeaveIfOff(const ModelStatus& status);
  bool IsServed(const std::string& name) const;
  bool HasCold(const std::string& name) const;
  bool Take(const Step& step);
  void Know(int64_t id);
  void Load(int64_t id);
  void CountFailure(const ModelStatus& before, const base::Error& error);
  void WarnOfSize(int64_t id);
  base::Result<void> Outcome(const std::string& name) const;

  LiveSet& live_;
  telemetry::Log& log_;
  const LiveControllerOptions options_;
  telemetry::CounterFamily loads_, failures_;
  telemetry::Counter evictions_;
  // On the control thread.
  std::vector<Source> sources_;
  base::SteadyTime trim_at_ = base::SteadyTime::max();
  std::set<std::string> off_;                                         ///< names switched off
  std::map<std::pair<std::string, std::string>, std::string> names_;  ///< of what was switched off, by path and stamp

  base::SteadyTime next_look_;  ///< by the system's clock

  mutable std::mutex use_mutex_;  ///< guards use_, held while it is asked
  UseReader use_;
  mutable std::mutex mutex_;  ///< guards what follows
  std::condition_variable_any woken_;
  std::vector<Task> tasks_;
  bool look_now_ = false, wake_ = false;
  std::jthread thread_;
};

}  // namespace slipway::live
