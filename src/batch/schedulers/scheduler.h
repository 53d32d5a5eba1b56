#pragma once
// What a job's schedule is for schedulers that people have already: cron, systemd, Kubernetes, Airflow. Texts to be
// read, edited and kept; docs/operations/batch-schedules.md says what each of them does differently from the daemon.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "batch/daemon/job_files.h"

namespace slipway::batch {

enum class Scheduler : uint8_t { kCron, kSystemd, kKubernetes, kAirflow };

struct SchedulerOptions {
  std::string program = "/usr/bin/slipway";
  std::string folder;  ///< that relative paths in the job are of; empty: the job file's, on Kubernetes /data
  std::string user;    ///< systemd: who it runs as; empty: one made up for each run (DynamicUser=)
  std::string image;   ///< Kubernetes: with the program in it
  std::string claim;   ///< Kubernetes: the volume claim with the job's files, mounted at `folder`
  int64_t shards = 1;  ///< Kubernetes: pods that share a run
  Instant now;         ///< from which on it runs
};

struct SchedulerFile {
  std::string name;  ///< "nightly.timer"
  std::string text;
};

/// Errors: invalid_argument "batch.scheduler": the schedule cannot be said there, with the reason and what can; "usage"
/// for an option that is missing. `yaml` is the text of the job's file.
base::Result<std::vector<SchedulerFile>> FilesFor(Scheduler scheduler, const JobFile& file, std::string_view yaml,
                                                  const SchedulerOptions& options);

}  // namespace slipway::batch
