#pragma once
// Templates: `{{ … }}` in a job's texts, filled with the time for which it runs. The names are those that users of
// Airflow and dbt know; docs/operations/batch-schedules.md lists them.
//
//   output: scored-{{ ds }}.parquet
//   input: in/{{ date | offset(-1d) | format(%Y/%m/%d) }}/*.csv
//
// A filter's argument may also follow a colon ({{ ds | offset: -1d }}), for which YAML wants the text in quotes.

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "batch/job.h"
#include "batch/schedule/schedule.h"
#include "batch/schedule/time_zone.h"

namespace slipway::batch {

/// The time for which a job runs.
struct Moment {
  Instant time;
  TimeZone zone = TimeZone::Utc();
  std::optional<Instant> previous;  ///< the time before it on the schedule; nullopt: there is no schedule
};

/// For which time a job runs: "now", "latest" (the schedule's last time that has come), "auto" (the time in $JOB_NAME,
/// as Kubernetes' CronJob names its Jobs; of another name, the latest), or a time as ParseTime reads it in the
/// schedule's zone. `schedule`: nullptr without one. Error: "usage".
base::Result<Moment> ParseMoment(std::string_view text, const Schedule* schedule, Instant now);

/// Errors: invalid_argument "batch.template": an unknown name (with the nearest known one), filter, unit or letter of a
/// format, a brace that is not closed, data_interval_start without a schedule.
base::Result<std::string> FillTemplate(std::string_view text, const Moment& moment);
/// Each text of the job (ForEachText). Errors: those of FillTemplate, with the job's key.
base::Result<Job> FillTemplates(Job job, const Moment& moment);

}  // namespace slipway::batch
