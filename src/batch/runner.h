#pragma once
// Runner works a job: threads score parts, each is written apart and recorded, and at the end they become the output.
//
//   A part is finished when its line is in the job's list: its file was on disk before. Parts are recorded in the
//   input's order, so what is finished is always a beginning of the job, and resuming is reading on behind it.

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/value.h"
#include "batch/job_folder.h"
#include "batch/part_writer.h"
#include "batch/plan.h"
#include "scoring/scorer.h"

namespace slipway::batch {

struct Totals {
  int64_t rows = 0, rejected = 0, parts = 0;
  int64_t left_out = 0;  ///< rows of the input beside `rows`, by the job's filter
  std::map<std::string, int64_t> reasons;
  void Add(const PartRecord& part);
};

struct RunReport {
  Totals totals;
  int64_t rows_now = 0;    ///< read by this process, not by an earlier one
  int64_t bytes_read = 0;  ///< of the input, as stored
  int64_t bytes_total = 0;
  double seconds = 0;
  PhaseTimes times;  ///< of this process
  int64_t output_bytes = 0;
  std::string digest;
  std::optional<monitor::TableTally> tally;  ///< of all parts whose tally is at hand
  void AddStaging(std::chrono::nanoseconds taken);
};

/// What the caller hears and says while parts are worked. Called on the thread that runs the job.
struct RunHooks {
  std::function<void(const PartRecord&, const RunReport&)> on_part;
  std::function<bool()> stop;  ///< true: no further parts are begun
};

/// `folder`: none for a job that streams. Errors end the run with finished parts kept: those of the input, the scorer
/// and the output; aborted "batch.stopped"; failed_precondition "batch.too_many_errors", "batch.input_changed".
base::Result<RunReport> RunJob(const Plan& plan, JobFolder* folder, const RunHooks& hooks);

/// Compares a kept job with what is there now, so that RunJob may go on with it: the bundle's digest, the release, the
/// files. A file that changed must still begin with the text of its finished parts; then the record takes it as it is
/// now. Errors: failed_precondition "batch.changed" naming what is another; those of Look.
base::Result<void> CheckKept(JobFolder& folder, const Maker& maker);
/// Likewise, for finished parts of files that changed, and for the files of the parts. Parts whose files are gone are
/// forgotten, with all behind them.
base::Result<void> CheckParts(const Plan& plan, JobFolder& folder);

}  // namespace slipway::batch
