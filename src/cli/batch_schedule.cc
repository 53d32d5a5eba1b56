// slipway batch schedule: when a job is due, before anything relies on it.

#include "cli/batch_schedule.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <chrono>
#include <string>
#include <vector>

#include "base/clock.h"
#include "batch/daemon/job_files.h"
#include "batch/schedule/schedule.h"
#include "batch/schedule/template.h"
#include "cli/console.h"

namespace slipway::cli {
namespace {

struct ScheduleFlags {
  std::string job, zone = "UTC", from = "now";
  std::vector<std::string> lines;
  int count = 5;
};

base::Result<std::vector<batch::Schedule>> SchedulesOf(const ScheduleFlags& flags) {
  std::vector<batch::Schedule> schedules;
  SLIPWAY_ASSIGN(const auto zone, batch::TimeZone::Load(flags.zone));
  for (const auto& line : flags.lines) {
    SLIPWAY_ASSIGN(auto schedule, batch::Schedule::Create(line, zone));
    schedules.push_back(std::move(schedule));
  }
  if (!flags.job.empty()) {
    SLIPWAY_ASSIGN(const auto file, batch::ReadJobFile(flags.job));
    if (file.periodic.schedule) schedules.push_back(*file.periodic.schedule);
  }
  if (!schedules.empty()) return schedules;
  return base::Fail(base::Code::kInvalidArgument, "usage",
                    "name a job with a `schedule:`, or a line: --cron \"15 2 * * *\"");
}

base::Result<void> Show(const ScheduleFlags& flags, const Console& console) {
  SLIPWAY_ASSIGN(const auto schedules, SchedulesOf(flags));
  const auto now = std::chrono::floor<std::chrono::seconds>(base::Clock::System().WallNow());
  auto list = base::Value::List();
  for (const auto& schedule : schedules) {
    SLIPWAY_ASSIGN(const auto from, batch::ParseMoment(flags.from, &schedule, now));
    auto times = base::Value::List();
    if (!console.json()) console.Print(schedule.Text() + "\n");
    auto next = schedule.Next(from.time);
    for (int i = 0; next && i < flags.count; ++i) {
      const std::string local = schedule.zone().Format(*next, "%Y-%m-%dT%H:%M:%S%Ez");
      if (!console.json()) console.Print(fmt::format("  {}  {}\n", local, schedule.zone().Format(*next, "%a")));
      times.Add(local);
      next = schedule.Next(*next);
    }
    auto value = base::Value::Map().Set("schedule", schedule.line()).Set("time_zone", schedule.zone().name());
    list.Add(value.Set("next", std::move(times)));
  }
  console.Result(list);
  return {};
}

}  // namespace

void AddBatchSchedule(CLI::App& batch, Run& run) {
  auto* command = batch.add_subcommand("schedule", "Show when a job is due");
  static ScheduleFlags flags;
  command->add_option("job.yaml", flags.job, "A job with a `schedule:`; flags go before it");
  command->add_option("--cron", flags.lines, "A line in place of a job's")->allow_extra_args(false);
  command->add_option("--time-zone", flags.zone, "Of --cron")->capture_default_str();
  command->add_option("--from", flags.from, "Times after now, 2026-11-25 or 2026-11-25T02:15")->capture_default_str();
  command->add_option("--count", flags.count, "So many")->check(CLI::Range(1, 100'000))->capture_default_str();
  command->footer("Example:\n  slipway batch schedule --cron \"15 2 * * MON-FRI\" --time-zone Europe/Berlin");
  command->callback([&run] {
    run = [](Console& console) {
      const auto done = Show(flags, console);
      return done ? ExitCode::kFine : console.Fail(done.error());
    };
  });
}

}  // namespace slipway::cli
