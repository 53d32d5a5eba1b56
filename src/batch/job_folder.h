#pragma once
// JobFolder: a job on disk. job.json says what is done, by what, from which files; parts.jsonl has a line for each
// finished part, in order; parts/ and rejects/ hold what the parts wrote. docs/design/batch-parts.md says why.

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/file_descriptor.h"
#include "base/value.h"
#include "batch/input_list.h"
#include "batch/job.h"
#include "batch/part_record.h"

namespace slipway::batch {

enum class JobState : uint8_t {
  kRunning,  ///< or was, when the process died
  kStopped,  ///< by a signal or by the environment; to be resumed
  kFailed,   ///< by the data
  kDone,
};
std::string_view StateName(JobState state);

/// What answers were made by; a job goes on with the same only.
struct Maker {
  std::string name, version, digest;  ///< of the bundle
  std::string program;                ///< version of Slipway
};

struct JobRecord {
  JobState state = JobState::kRunning;
  std::string id;  ///< random; what a database knows this job by
  Job job;
  Maker maker;
  std::vector<InputFile> files;
  std::string started, ended;  ///< ISO 8601
  base::Value summary;         ///< of a job that is done
  std::string fault;           ///< why it stopped or failed
};

/// Lifecycle: Create or Open; Append for each part, in order; Save for each change of the record. Holds a lock, so that
/// one process works on a job. Every write is on disk when it returns. Thread-safety: one thread at a time.
class JobFolder {
 public:
  /// A new job. Errors: failed_precondition "batch.unfinished" when the folder holds a job that is not done,
  /// "batch.not_a_job" for a folder with other things in it; unavailable "batch.busy" while a process works on it,
  /// "file.write".
  static base::Result<JobFolder> Create(JobRecord record);
  /// One to be resumed. Errors: not_found "batch.no_job", "batch.busy", data_loss "batch.damaged".
  static base::Result<JobFolder> Open(const std::filesystem::path& path);

  /// For looking only, while a process may be at work.
  struct Look {
    JobRecord record;
    std::vector<PartRecord> parts;
    bool busy = false;
  };
  static base::Result<Look> LookAt(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path parts_folder() const { return path_ / "parts"; }
  std::filesystem::path rejects_folder() const { return path_ / "rejects"; }
  /// Rows that were staged; there when it is written to.
  std::filesystem::path input_folder() const { return path_ / "input"; }
  /// Copies of objects that cannot be read in place.
  std::filesystem::path copies_folder() const { return path_ / "copies"; }

  JobRecord& record() { return record_; }
  const JobRecord& record() const { return record_; }
  const std::vector<PartRecord>& parts() const { return parts_; }

  base::Result<void> Append(PartRecord part);
  /// Keeps what a part gives to the job's summary, before the part is appended. It may be lost with the machine, and
  /// then the summary is of the other parts.
  void AppendTally(int64_t part, std::string_view tally) const;
  /// Those of the finished parts.
  std::vector<std::string> Tallies() const;
  /// Forgets the parts from this one on.
  base::Result<void> Truncate(size_t parts);
  base::Result<void> Save() const;
  /// Leaves only the record and the list of parts.
  void RemoveParts() const;
  void RemoveCopies() const;
  /// Takes a job back that never began.
  void Discard() const;

 private:
  JobFolder() = default;
  base::Result<void> Lock();
  base::Result<void> OpenList();

  std::filesystem::path path_;
  base::FileDescriptor lock_;
  base::FileDescriptor list_;
  JobRecord record_;
  std::vector<PartRecord> parts_;
};

/// The time as it is written in records.
std::string Now();

}  // namespace slipway::batch
