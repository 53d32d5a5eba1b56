// A service and a timer for systemd.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <filesystem>
#include <set>
#include <utility>
#include <vector>

#include "batch/schedulers/texts.h"

namespace slipway::batch {
namespace {

constexpr std::array<std::string_view, 7> kWeekdays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr uint64_t kAllDays = (uint64_t{1} << 32) - 2;
constexpr uint64_t kAllMonths = (uint64_t{1} << 13) - 2;
constexpr uint64_t kAllWeekdays = 0x7f;

/// "01,02,05", or "*" for all of them.
std::string Listed(uint64_t bits, uint64_t all) {
  if (bits == all) return "*";
  std::vector<std::string> values;
  for (int i = 0; i < 64; ++i) {
    if (bits >> i & 1) values.push_back(fmt::format("{:02}", i));
  }
  return fmt::format("{}", fmt::join(values, ","));
}

std::string WeekdaysOf(uint64_t bits) {
  std::vector<std::string_view> names;
  for (size_t day = 0; day < kWeekdays.size(); ++day) {
    if (bits >> day & 1) names.push_back(kWeekdays[day]);
  }
  return fmt::format("{} ", fmt::join(names, ","));
}

/// Days of the weeks, and days of the months among them: "Mon " and "-01..07".
using Days = std::pair<std::string, std::string>;

/// The nth such day of a month, or the last (6).
Days Counted(size_t weekday, int number) {
  const std::string name = WeekdaysOf(uint64_t{1} << weekday);
  if (number == 6) return {name, "~07/1"};
  return {name, fmt::format("-{:02}..{:02}", 7 * number - 6, std::min(7 * number, 31))};
}

std::vector<Days> AllCounted(const Cron& cron) {
  std::vector<Days> days;
  for (size_t weekday = 0; weekday < kWeekdays.size(); ++weekday) {
    for (int number = 1; number <= 6; ++number) {
      if (cron.counted_weekdays()[weekday] >> (number - 1) & 1) days.push_back(Counted(weekday, number));
    }
  }
  return days;
}

/// What both fields say of days, as systemd says it: one for each that is joined by "or".
base::Result<std::vector<Days>> DaysOf(const Cron& cron) {
  const uint64_t in_month = cron.bits(Cron::kDay), in_week = cron.bits(Cron::kWeekday);
  const std::string numbers = "-" + Listed(in_month, kAllDays);
  const auto counted = AllCounted(cron);
  std::vector<Days> days;
  if (cron.either_day()) {
    if (in_month != 0) days.emplace_back("", numbers);
    if (cron.last_day()) days.emplace_back("", "~01");
    if (in_week != 0) days.emplace_back(WeekdaysOf(in_week), "-*");
    days.insert(days.end(), counted.begin(), counted.end());
    return days;
  }
  if (!counted.empty() && in_month != kAllDays) {
    return base::Fail(base::Code::kInvalidArgument, "batch.scheduler",
                      fmt::format("systemd cannot count weekdays among the days of \"{}\"", cron.Text()));
  }
  const std::string names = in_week == kAllWeekdays ? "" : WeekdaysOf(in_week);
  if (in_week != 0 && in_month != 0) days.emplace_back(names, numbers);
  if (in_week != 0 && cron.last_day()) days.emplace_back(names, "~01");
  days.insert(days.end(), counted.begin(), counted.end());
  return days;
}

base::Result<std::string> Calendars(const Cron& cron, const std::string& zone) {
  SLIPWAY_ASSIGN(const auto days, DaysOf(cron));
  const std::string hours = Listed(cron.bits(Cron::kHour), (uint64_t{1} << 24) - 1);
  const std::string minutes = Listed(cron.bits(Cron::kMinute), (uint64_t{1} << 60) - 1);
  std::string lines;
  for (const auto& [week, month] : days) {
    lines += fmt::format("OnCalendar={}*-{}{} {}:{}:00 {}\n", week, Listed(cron.bits(Cron::kMonth), kAllMonths), month,
                         hours, minutes, zone);
  }
  return lines;
}

/// A word of a unit's line.
std::string Word(std::string_view text, bool command) {
  std::string word;
  for (const char c : text) {
    if (c == '"' || c == '\\') word += '\\';
    if (c == '%' || (c == '$' && command)) word += c;
    word += c;
  }
  return word.find_first_of(" '\"\\;") == std::string::npos ? word : fmt::format("\"{}\"", word);
}

/// The whole of a line, of which systemd takes no quotes.
std::string Line(std::string_view text) {
  std::string line;
  for (const char c : text) line += c == '%' ? "%%" : std::string(1, c);
  return line;
}

/// Folders that the job writes to, up to the first part of a path that changes from run to run.
std::string WrittenFolders(const JobFile& file, const std::string& folder) {
  constexpr std::string_view kSqlite = "sqlite:";
  std::set<std::string> folders;
  for (std::string path : {file.job.output, file.job.rejects, file.job.folder}) {
    if (path.empty()) continue;
    if (path.starts_with(kSqlite)) {
      path = path.substr(kSqlite.size(), path.find('?') - kSqlite.size());
    } else if (path.find("://") != std::string::npos) {
      if (!file.job.folder.empty() || path == file.job.rejects) continue;
      path = "JOB";  // what is elsewhere has its job's folder here
    }
    const auto full = (std::filesystem::path(folder) / path.substr(0, path.find("{{"))).lexically_normal();
    folders.insert(full.parent_path().string());
  }
  std::string line;
  for (const auto& each : folders) line += (line.empty() ? "" : " ") + Word(each, false);
  return line;
}

/// Between two of the next runs.
std::chrono::seconds ShortestGap(const Schedule& schedule, Instant now) {
  std::chrono::seconds shortest = std::chrono::days(2);
  auto time = schedule.Next(now);
  for (int i = 0; time && i < 100; ++i) {
    const auto next = schedule.Next(*time);
    if (next) shortest = std::min(shortest, *next - *time);
    time = next;
  }
  return shortest;
}

std::string Service(const JobFile& file, const SchedulerOptions& options) {
  const Periodic& periodic = file.periodic;
  const std::string who =
      options.user.empty()
          ? "# One user for each run: the folders below must let everybody write, or name one by User=.\n"
            "DynamicUser=yes"
          : "User=" + Word(options.user, false);
  const std::string written = WrittenFolders(file, options.folder);
  return fmt::format(
      "# /etc/systemd/system/{name}.service\n"
      "[Unit]\n"
      "Description=Slipway batch job {name}\n"
      "Wants=network-online.target\n"
      "After=network-online.target\n"
      "# So many starts in half the time between two runs, then it has failed.\n"
      "StartLimitIntervalSec={interval}s\n"
      "StartLimitBurst={attempts}\n"
      "\n"
      "[Service]\n"
      "Type=oneshot\n"
      "ExecStart={program} batch run --resume --date latest {job}\n"
      "WorkingDirectory={folder}\n"
      "# Of its exit codes, 1 (data, model) and 2 (usage) do not get better by themselves; 3 and 4 do.\n"
      "Restart=on-failure\n"
      "RestartPreventExitStatus=1 2\n"
      "RestartSec={pause}s\n"
      "TimeoutStartSec={timeout}\n"
      "TimeoutStopSec=60s\n"
      "{who}\n"
      "{written}"
      "ProtectSystem=strict\n"
      "ProtectHome=read-only\n"
      "PrivateTmp=yes\n"
      "PrivateDevices=yes\n"
      "ProtectKernelTunables=yes\n"
      "ProtectKernelModules=yes\n"
      "ProtectControlGroups=yes\n"
      "RestrictSUIDSGID=yes\n"
      "RestrictRealtime=yes\n"
      "RestrictNamespaces=yes\n"
      "LockPersonality=yes\n"
      "NoNewPrivileges=yes\n"
      "CapabilityBoundingSet=\n"
      "SystemCallArchitectures=native\n"
      "UMask=0027\n",
      fmt::arg("name", periodic.name), fmt::arg("attempts", periodic.retry.times + 1),
      fmt::arg("interval", ShortestGap(*periodic.schedule, options.now).count() / 2),
      fmt::arg("program", Word(options.program, true)), fmt::arg("job", Word(file.path, true)),
      fmt::arg("folder", Line(options.folder)), fmt::arg("pause", periodic.retry.backoff.count()),
      fmt::arg("timeout", periodic.timeout ? fmt::format("{}s", periodic.timeout->count()) : "infinity"),
      fmt::arg("who", who), fmt::arg("written", written.empty() ? "" : fmt::format("ReadWritePaths={}\n", written)));
}

}  // namespace

base::Result<std::vector<SchedulerFile>> SystemdFiles(const JobFile& file, const SchedulerOptions& options) {
  SLIPWAY_ASSIGN(const Cron* cron, CronOf(file, "systemd"));
  const Schedule& schedule = *file.periodic.schedule;
  SLIPWAY_ASSIGN(const auto calendars, Calendars(*cron, schedule.zone().name()));
  const bool made_up = schedule.catch_up() != CatchUp::kNone;
  const std::string_view note =
      schedule.catch_up() == CatchUp::kAll
          ? "# catch_up: all is more than systemd knows: of the times missed while it was down, it makes up for one.\n"
          : "";
  const std::string timer = fmt::format(
      "# /etc/systemd/system/{0}.timer; systemctl enable --now {0}.timer\n"
      "[Unit]\n"
      "Description=Times of Slipway batch job {0}\n"
      "\n"
      "[Timer]\n"
      "{1}"
      "{2}"
      "Persistent={3}\n"
      "AccuracySec=1s\n"
      "\n"
      "[Install]\n"
      "WantedBy=timers.target\n",
      file.periodic.name, calendars, note, made_up ? "true" : "false");
  return std::vector<SchedulerFile>{{.name = file.periodic.name + ".service", .text = Service(file, options)},
                                    {.name = file.periodic.name + ".timer", .text = timer}};
}

}  // namespace slipway::batch
