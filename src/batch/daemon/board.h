#pragma once
// Board: how the daemon's jobs are, for those who ask over HTTP while it works.

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/value.h"
#include "batch/daemon/job_files.h"
#include "batch/daemon/run.h"
#include "net/route_table.h"
#include "telemetry/metrics.h"

namespace slipway::batch {

struct JobStatus {
  std::string name, schedule;
  std::optional<Instant> next;  ///< when it is due next
  std::optional<Run> open, last_over, last_done;
  bool alive = false;  ///< a process works on it
  bool late = false;   ///< a run is not done, and the next one is due
};

struct Status {
  bool started = false, stopping = false;
  std::vector<JobStatus> jobs;
  std::vector<JobFiles::Broken> broken;
};

/// Thread-safety: all methods from any thread.
class Board {
 public:
  void Publish(Status status);
  /// A run is over: done, failed or skipped.
  void Count(const Run& run);
  Status status() const;

  /// "pass"; "warn" for late jobs and broken files; "fail" for a job whose last run failed. What GET /health answers.
  base::Value Report() const;
  /// slipway_batch_…; read at each scrape for as long as the registry lives, which this outlives.
  void AddMetrics(telemetry::MetricRegistry& metrics) const;
  /// /livez, /readyz, /health, /metrics. Both outlive the server.
  base::Result<void> AddRoutes(const telemetry::MetricRegistry& metrics, net::RouteTable& routes) const;

 private:
  struct Counts {
    std::map<RunState, int64_t> runs;
    int64_t rows = 0, rejected = 0;
  };
  std::map<std::string, Counts> counts() const;

  mutable std::mutex mutex_;  ///< guards what follows
  Status status_;
  std::map<std::string, Counts> counts_;  ///< by job
};

}  // namespace slipway::batch
