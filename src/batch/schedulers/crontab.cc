// A line for crontab(5).

#include <fmt/format.h>

#include <vector>

#include "batch/schedulers/texts.h"

namespace slipway::batch {
namespace {

/// Pauses between attempts; the last is none.
std::string Pauses(const Retry& retry) {
  std::string pauses;
  for (int64_t attempt = 1; attempt <= std::min<int64_t>(retry.times, 20); ++attempt) {
    pauses += fmt::format("{} ", retry.Pause(attempt).count());
  }
  return pauses + "0";
}

}  // namespace

base::Result<std::vector<SchedulerFile>> CronFiles(const JobFile& file, const SchedulerOptions& options) {
  SLIPWAY_ASSIGN(const Cron* cron, CronOf(file, "cron"));
  SLIPWAY_TRY(CheckPlainDays(*cron, "cron"));
  const Periodic& periodic = file.periodic;
  // A lock on the job's file: while one run goes on, the next is left out. Exit codes 3 and 4 are tried again. 124 is
  // timeout(1)'s.
  const std::string limit =
      periodic.timeout ? fmt::format("timeout -k 60 {} ", periodic.timeout->count()) : std::string();
  std::string command = fmt::format(
      "cd {} && {{ flock -n 9 || exit 0; T=$(date -u +%FT%H:%MZ); for P in {}; do {}{} batch run --resume --date $T "
      "{}; "
      "S=$?; case $S in 3|4|124) sleep $P;; *) exit $S;; esac; done; exit $S; }} 9< {}",
      ShellQuoted(options.folder), Pauses(periodic.retry), limit, ShellQuoted(options.program), ShellQuoted(file.path),
      ShellQuoted(file.path));
  for (size_t at = command.find('%'); at != std::string::npos; at = command.find('%', at + 2)) command.insert(at, "\\");
  const std::string text = fmt::format(
      "# Slipway batch job {0}, for `crontab -e`. In /etc/cron.d a user's name stands before `cd`.\n"
      "# CRON_TZ is known to cronie (Fedora, Arch, RHEL). Debian's cron ignores it and goes by the machine's zone.\n"
      "# Times missed while the machine was down are left out (catch_up: {1}); a run by hand makes up for one:\n"
      "#   slipway batch run --resume --date 2026-11-26T02:15 {2}\n"
      "CRON_TZ={3}\n"
      "SHELL=/bin/sh\n"
      "{4} {5}\n",
      periodic.name, CatchUpName(periodic.schedule->catch_up()), file.path, periodic.schedule->zone().name(),
      cron->Text(), command);
  return std::vector<SchedulerFile>{{.name = periodic.name + ".crontab", .text = text}};
}

}  // namespace slipway::batch
