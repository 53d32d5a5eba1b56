#pragma once
// JobFiles: the job.yaml files that a daemon was given. One that cannot be read disturbs no other.

#include <string>
#include <vector>

#include "base/error.h"
#include "batch/job.h"
#include "batch/schedule/periodic.h"

namespace slipway::batch {

struct JobFile {
  std::string path;
  Job job;  ///< as written, with its templates
  Periodic periodic;
};

struct JobFiles {
  std::vector<JobFile> jobs;  ///< with a schedule, by name
  struct Broken {
    std::string path;
    base::Error error;
  };
  std::vector<Broken> broken;

  /// Files, and folders with files whose names end in .yaml or .yml, or with folders that hold a job.yaml. Two jobs of
  /// one name ("job.name"), a job without a schedule ("job.no_schedule", for a file that was named itself) and one
  /// that streams ("job.streams") are broken.
  static JobFiles Read(const std::vector<std::string>& paths);
};

/// Error: those of ParseJob, ParsePeriodic and base::ReadFile.
base::Result<JobFile> ReadJobFile(const std::string& path);

/// The job for one of its times: templates filled, complete, with a folder of that time's own, so that what is left of
/// one run is never taken for another's. Errors: "batch.template", "usage".
base::Result<Job> JobAt(const JobFile& file, Instant scheduled);

}  // namespace slipway::batch
