#pragma once
// Periodic: what job.yaml says of when and how often a job runs, beside what it scores.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "batch/schedule/schedule.h"

namespace slipway::batch {

/// What is done when a run ends by a signal, by the environment or stopped (exit codes 3 and 4). What the data or the
/// model is at fault for, trying again does not mend.
struct Retry {
  int64_t times = 3;
  std::chrono::seconds backoff{30};  ///< before the first; twice as long before each one more, kLongestBackoff at most
  std::chrono::seconds Pause(int64_t attempt) const;  ///< after the attempt of that number, from 1
};
inline constexpr std::chrono::seconds kLongestBackoff = std::chrono::hours(1);

struct Periodic {
  std::string name;                  ///< of `name:`, else of the file: "nightly" of nightly.yaml and nightly/job.yaml
  std::optional<Schedule> schedule;  ///< none: it runs by hand
  Retry retry;
  std::optional<std::chrono::seconds> timeout;  ///< of an attempt, which is then stopped and counts as such
};

/// Reads `name`, `schedule`, `retry` and `timeout` of job.yaml. Errors: "job.name", those of Schedule::FromValue,
/// "manifest.…", with file, line and column.
base::Result<Periodic> ParsePeriodic(std::string_view yaml, const std::string& path);

}  // namespace slipway::batch
