#pragma once
// What the texts for schedulers share.

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "batch/schedulers/scheduler.h"

namespace slipway::batch {

base::Result<std::vector<SchedulerFile>> CronFiles(const JobFile& file, const SchedulerOptions& options);
base::Result<std::vector<SchedulerFile>> SystemdFiles(const JobFile& file, const SchedulerOptions& options);
base::Result<std::vector<SchedulerFile>> KubernetesFiles(const JobFile& file, std::string_view yaml,
                                                         const SchedulerOptions& options);
base::Result<std::vector<SchedulerFile>> AirflowFiles(const JobFile& file, const SchedulerOptions& options);

/// The job's cron line; an error for a period. `scheduler` names it in messages.
base::Result<const Cron*> CronOf(const JobFile& file, std::string_view scheduler);
/// Refuses days that are counted from the end of a month, or weekdays within it.
base::Result<void> CheckPlainDays(const Cron& cron, std::string_view scheduler);
/// Refuses a day field with a step (*/2) beside a restricted one: crontab(5) takes both together, these schedulers one
/// or the other.
base::Result<void> CheckDaySteps(const Cron& cron, std::string_view scheduler);

/// In single quotes, for a shell.
std::string ShellQuoted(std::string_view text);
/// As JSON, which YAML and Python read alike.
std::string Quoted(std::string_view text);

}  // namespace slipway::batch
