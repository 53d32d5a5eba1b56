#pragma once
// Daemon: runs jobs at the times of their schedules, each as a process of its own, so that a model that crashes takes
// nothing else along. NextActions says what is to be done; the history remembers it; this does it.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "batch/daemon/attempt.h"
#include "batch/daemon/board.h"
#include "batch/daemon/history.h"
#include "batch/daemon/job_files.h"
#include "batch/daemon/next_actions.h"
#include "telemetry/log.h"

namespace slipway::batch {

struct DaemonOptions {
  std::vector<std::string> paths;  ///< JobFiles::Read
  std::filesystem::path history;
  int64_t concurrency = 1;
  std::chrono::milliseconds grace{60'000};  ///< for processes that are asked to stop
  int64_t keep_runs = 1000;                 ///< of each job in the history
};

/// Lifecycle: Create, then Turn() when it is time or a process has ended, until Stop().
/// Thread-safety: one thread, for all of its life: processes of runs end gently when it goes.
class Daemon {
 public:
  /// `board` and `log` outlive it. Errors: those of History::Open and of the first look into the history.
  static base::Result<std::unique_ptr<Daemon>> Create(DaemonOptions options, Board& board, telemetry::Log& log,
                                                      const base::Clock& clock = base::Clock::System());

  /// Reads the job files again. Runs that have begun go on.
  base::Result<void> Reload();
  /// Takes note of processes that have ended, and does all that is to be done now. When to come again at the latest;
  /// nullopt: when a process ends. Errors: those of History; what was not done will be at the next turn.
  base::Result<std::optional<Millisecond>> Turn();
  /// Readable when a process has ended.
  std::vector<int> processes() const;

  /// No run starts from now on; processes are asked to finish the parts at hand, and get `grace` for it. Turn() goes
  /// on being called while working().
  void BeginStop();
  void KillAll();
  bool working() const { return !processes().empty(); }

 private:
  struct Slot {
    std::string name;
    const JobFile* file = nullptr;  ///< nullptr: it is gone, and a process goes on
    Instant since;
    std::optional<Instant> last;
    std::optional<Run> open, last_over, last_done;
    std::optional<Attempt> attempt;
    Millisecond begun;                   ///< the attempt
    std::optional<Millisecond> kill_at;  ///< it was asked to stop
    bool timed_out = false;
    bool unsaved = false;  ///< the open run is not in the history as it is here
  };

  Daemon(DaemonOptions options, History history, Board& board, telemetry::Log& log, const base::Clock& clock)
      : options_(std::move(options)), history_(std::move(history)), board_(board), log_(log), clock_(clock) {}
  Millisecond Now() const;
  base::Result<void> Load(Slot& slot, const JobFile& file);
  void Report(const JobFiles::Broken& broken);
  void KillLate(std::optional<Millisecond>& wake);
  void ReapEnded();
  void TakeEnd(Slot& slot);
  void TryAgain(Slot& slot);
  base::Result<void> SaveAll();
  base::Result<void> Act(const Action& action, Slot& slot);
  base::Result<void> Queue(const Action& action, Slot& slot);
  base::Result<void> Skip(const Action& action, Slot& slot);
  base::Result<void> Start(Slot& slot);
  void AskToStop(Slot& slot);
  base::Result<void> Save(Slot& slot);
  void Finish(Slot& slot, RunState state);
  void Publish();

  DaemonOptions options_;
  History history_;
  Board& board_;
  telemetry::Log& log_;
  const base::Clock& clock_;
  JobFiles files_;
  std::map<std::string, Slot> slots_;  ///< by name
  bool loaded_ = false, stopping_ = false;
};

}  // namespace slipway::batch
