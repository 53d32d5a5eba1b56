#pragma once
// History: which runs there were, in a file of SQLite. It decides what the daemon does: a run that it holds is never
// queued again, one that it holds as open is never forgotten.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file_descriptor.h"
#include "batch/daemon/run.h"
#include "storage/sqlite/database.h"

namespace slipway::batch {

/// Lifecycle: Open by the one daemon that writes, Read by whoever looks. What a method did is on disk when it returns.
/// Thread-safety: one thread at a time. Errors of all methods: those of storage::sqlite::Database.
class History {
 public:
  /// Errors: also failed_precondition "batch.daemon_busy": another daemon has it.
  static base::Result<History> Open(const std::filesystem::path& path);
  /// For looking only, while a daemon may be at work. Error: also not_found "batch.no_history".
  static base::Result<History> Read(const std::filesystem::path& path);

  /// Since when the job is known with that schedule: `now` for a new one, or one whose schedule has changed.
  base::Result<Instant> Since(const std::string& job, const std::string& schedule, Instant now);
  /// The latest time that there is of a job.
  base::Result<std::optional<Instant>> Last(const std::string& job) const;
  /// The one run of a job that is not over.
  base::Result<std::optional<Run>> OpenRun(const std::string& job) const;
  /// The last run of a job that was done, and the last that is over however it ended.
  base::Result<std::optional<Run>> LastDone(const std::string& job) const;
  base::Result<std::optional<Run>> LastOver(const std::string& job) const;

  /// Sets run.id. A time that there is already is an error of SQLite's.
  base::Result<void> Add(Run& run);
  base::Result<void> Save(const Run& run);
  /// Forgets runs that are over, but for the newest `keep` of each job, and returns those forgotten.
  base::Result<std::vector<Run>> Prune(const std::string& job, int64_t keep);

  /// The newest first.
  base::Result<std::vector<Run>> List(const std::string& job, int64_t most) const;
  base::Result<std::vector<std::string>> Jobs() const;

 private:
  explicit History(storage::sqlite::Database database) : database_(std::move(database)) {}
  base::Result<std::optional<Run>> First(const std::string& job, const std::string& where) const;

  storage::sqlite::Database database_;
  base::FileDescriptor lock_;
};

}  // namespace slipway::batch
