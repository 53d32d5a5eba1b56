#pragma once
// What a batch job says while it runs and when it ends: lines for people, events for machines.

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/value.h"
#include "batch/job_folder.h"
#include "batch/runner.h"
#include "cli/console.h"

namespace slipway::cli {

/// Thread-safety: one thread at a time.
class BatchReport {
 public:
  /// Of a plan that streams, standard output carries answers, so that events go to standard error.
  BatchReport(const Console& console, const batch::Plan& plan);

  void Started(const std::string& folder, bool resumed) const;
  void Staging(const std::string& source, std::optional<double> share, int64_t bytes);
  void Staged(const batch::InputFile& file, int64_t rows);
  /// Goes on with a plan whose rows are all staged.
  void Follow(const batch::Plan& plan);
  void Part(const batch::PartRecord& part, const batch::RunReport& report);
  /// The end of a job that is through; the exit code that its rows mean.
  ExitCode Finished(const batch::RunReport& report);
  /// The end of one that is not. `folder`: none for a job that streams.
  ExitCode Ended(const base::Error& error, const batch::JobFolder* folder);

  static base::Value Summary(const batch::RunReport& report);

 private:
  void Emit(const base::Value& event) const;

  const Console& console_;
  const batch::Plan* plan_;
  std::optional<Progress> progress_;
};

/// Whether the machine was at fault, or somebody stopped it, and the same job may go on later.
bool MayGoOn(const base::Error& error);

/// What `slipway batch status` shows.
ExitCode ShowStatus(const std::string& folder, Console& console);

}  // namespace slipway::cli
