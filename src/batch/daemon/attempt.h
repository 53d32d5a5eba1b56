#pragma once
// Attempt: a process that works on a run: `slipway batch run --resume` of this program. What it says is kept for the
// message of its end; what it did is read from the job's folder.

#include <string>

#include "base/child_process.h"
#include "base/error.h"
#include "base/file_descriptor.h"
#include "batch/daemon/run.h"

namespace slipway::batch {

/// Thread-safety: one thread, which outlives it: the process ends gently when that thread goes. Ownership: killed when
/// this goes.
class Attempt {
 public:
  /// `file`: its job.yaml; the run has its folder. Error: unavailable "child.start".
  static base::Result<Attempt> Start(const std::string& file, const Run& run);

  int process() const { return child_.process(); }  ///< readable once it has ended
  int64_t pid() const { return child_.pid(); }
  void AskToStop() const { child_.Signal(15); }
  void Kill() const { child_.Kill(); }
  /// Waits for its end.
  base::ChildEnd Reap() { return child_.Reap(); }
  /// The last thing that it said of what went wrong; empty: nothing.
  std::string LastWords() const;

 private:
  Attempt(base::Child child, base::FileDescriptor words) : child_(std::move(child)), words_(std::move(words)) {}
  base::Child child_;
  base::FileDescriptor words_;
};

/// What is to be done with a run of which an attempt has ended.
enum class Verdict : uint8_t { kDone, kFailed, kTryAgain };

/// What a job's folder and the end of an attempt say, written into the run: state, counts, digest, message. `end`:
/// nullptr when nobody saw it (the daemon was gone).
Verdict Judge(Run& run, const base::ChildEnd* end, const std::string& last_words);

/// Whether another process still works in the run's folder: one that has outlived its daemon by a moment.
bool IsBusy(const Run& run);

}  // namespace slipway::batch
