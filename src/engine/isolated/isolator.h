#pragma once
// Engines in processes of their own: a model that crashes, hangs or takes all memory there takes nobody along. What it
// costs, and why it is built so: docs/design/isolation-is-a-child-per-model.md.
//
//   Isolator isolator({.on_end = log_it});
//   auto engine = isolator.Start(bundle, options, external_files);   // as if it were loaded here

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/quantities.h"
#include "bundle/bundle.h"
#include "engine/engine.h"
#include "engine/isolated/restart_schedule.h"

namespace slipway::engine {

/// The word that makes this program the process of a model, as its first argument.
inline constexpr std::string_view kIsolatedCommand = "run-engine";

/// One end of a process.
struct ProcessEnd {
  std::string model, version;
  int64_t pid = 0;
  std::string reason;                      ///< "signal", "exit", "memory", "hang", "protocol", "start"
  std::string text;                        ///< "crashed with SIGSEGV"
  std::chrono::nanoseconds up{0};          ///< 0: it never came up
  std::chrono::nanoseconds next_start{0};  ///< it is started again after so long
};

struct IsolationOptions {
  std::string program = "/proc/self/exe";  ///< must end in HostEngine() when given kIsolatedCommand
  base::Bytes memory;                      ///< most of each process; 0: ChildMemory() when it is started
  /// What a run may take, for models without limits.timeout: a call without a deadline is given up then, and the
  /// process patience later. Callers with less time do not shorten the model's.
  std::chrono::nanoseconds run_time{std::chrono::minutes(1)};
  std::chrono::nanoseconds patience{std::chrono::seconds(1)};  ///< a run may go on so long past its time
  std::optional<std::chrono::nanoseconds> load_time;           ///< nullopt: as a trial has it
  isolated::RestartOptions restarts;
  std::function<void(const ProcessEnd&)> on_end;  ///< called by a thread of the model's; outlives all engines
};

/// Thread-safety: all methods from any thread. Engines may outlive it. Make it on a thread of usual priority: the
/// processes have the priority of that thread, whoever starts them.
class Isolator {
 public:
  explicit Isolator(IsolationOptions options);
  ~Isolator();
  Isolator(const Isolator&) = delete;
  Isolator& operator=(const Isolator&) = delete;

  /// Loads the bundle's model in a process of its own, which is kept up from then on. `external_files`: as those of
  /// PackParcel(). Errors: those of the load, in its own words; invalid_argument "engine.model": it crashed, hung or
  /// took too much memory meanwhile; unavailable "engine.child": the process could not be started.
  base::Result<std::unique_ptr<Engine>> Start(const bundle::Bundle& bundle, const EngineOptions& options,
                                              const std::vector<std::string>& external_files);

 private:
  class ThreadMaker;
  const IsolationOptions options_;
  const std::unique_ptr<ThreadMaker> threads_;
};

}  // namespace slipway::engine
