#include "batch/schedulers/scheduler.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/value.h"
#include "batch/schedulers/texts.h"

namespace slipway::batch {
namespace {

std::unexpected<base::Error> CannotSay(std::string message) {
  return base::Fail(base::Code::kInvalidArgument, "batch.scheduler", std::move(message));
}

}  // namespace

base::Result<const Cron*> CronOf(const JobFile& file, std::string_view scheduler) {
  if (!file.periodic.schedule) return CannotSay("the job has no `schedule:`; give it one");
  if (const Cron* cron = file.periodic.schedule->cron()) return cron;
  return CannotSay(
      fmt::format("\"{}\" is a period, and {} knows times on the clock; write a cron line, such as "
                  "\"*/10 * * * *\" for every ten minutes",
                  file.periodic.schedule->line(), scheduler));
}

base::Result<void> CheckPlainDays(const Cron& cron, std::string_view scheduler) {
  if (!cron.counts_days()) return {};
  return CannotSay(
      fmt::format("{} knows neither L nor # in \"{}\"; systemd and `slipway batch daemon` do", scheduler, cron.Text()));
}

base::Result<void> CheckDaySteps(const Cron& cron, std::string_view scheduler) {
  const auto step = [&](Cron::Field field) { return cron.star(field) && cron.Text(field) != "*"; };
  const bool both =
      (step(Cron::kDay) && cron.Text(Cron::kWeekday) != "*") || (step(Cron::kWeekday) && cron.Text(Cron::kDay) != "*");
  if (!both) return {};
  return CannotSay(
      fmt::format("{} runs on days of which either field of \"{}\" is true, crontab(5) on those of which "
                  "both are; write days without */N",
                  scheduler, cron.Text()));
}

std::string ShellQuoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}

std::string Quoted(std::string_view text) {
  std::string quoted;
  base::AppendJsonString(quoted, text);
  return quoted;
}

base::Result<std::vector<SchedulerFile>> FilesFor(Scheduler scheduler, const JobFile& file, std::string_view yaml,
                                                  const SchedulerOptions& options) {
  SchedulerOptions complete = options;
  if (complete.folder.empty()) {
    complete.folder =
        scheduler == Scheduler::kKubernetes ? "/data" : std::filesystem::path(file.path).parent_path().string();
  }
  switch (scheduler) {
    case Scheduler::kCron:
      return CronFiles(file, complete);
    case Scheduler::kSystemd:
      return SystemdFiles(file, complete);
    case Scheduler::kKubernetes:
      return KubernetesFiles(file, yaml, complete);
    case Scheduler::kAirflow:
      return AirflowFiles(file, complete);
  }
  return CannotSay("there is no such scheduler");
}

}  // namespace slipway::batch
