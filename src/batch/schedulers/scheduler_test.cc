#include "batch/schedulers/scheduler.h"

#include <gmock/gmock.h>

#include <string>

namespace slipway::batch {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

JobFile Nightly(std::string_view line = "15 2 * * *", CatchUp catch_up = CatchUp::kLatest) {
  JobFile file{.path = "/etc/slipway/it's 5%.yaml", .job = {}, .periodic = {}};
  file.job.model = "m";
  file.job.input = {"a.csv"};
  file.job.output = "/srv/scored/{{ ds }}/all.csv";
  file.periodic.name = "nightly";
  file.periodic.schedule = *Schedule::Create(line, *TimeZone::Load("Europe/Berlin"), catch_up);
  file.periodic.timeout = std::chrono::hours(1);
  return file;
}

std::string Text(Scheduler scheduler, const JobFile& file, const SchedulerOptions& options = {.image = "slipway:1"}) {
  const auto files = FilesFor(scheduler, file, "model: m\n\ninput: a.csv\n", options);
  if (!files) return files.error().message;
  std::string text;
  for (const auto& each : *files) text += each.text;
  return text;
}

TEST(CrontabLine, EscapesPercentSignsAndQuotesPaths) {
  const auto text = Text(Scheduler::kCron, Nightly());
  EXPECT_THAT(text, HasSubstr("CRON_TZ=Europe/Berlin\n"));
  EXPECT_THAT(text, HasSubstr("\n15 2 * * * cd '/etc/slipway'"));
  EXPECT_THAT(text, HasSubstr("date -u +\\%FT\\%H:\\%MZ"));
  EXPECT_THAT(text, HasSubstr("'/etc/slipway/it'\\''s 5\\%.yaml'"));
  EXPECT_THAT(text, HasSubstr("for P in 30 60 120 0; do timeout -k 60 3600 "));
}

TEST(SystemdTimer, SaysWhatTheLineSays) {
  const auto calendar = [](std::string_view line) { return Text(Scheduler::kSystemd, Nightly(line)); };
  EXPECT_THAT(calendar("15 2 * * *"), HasSubstr("OnCalendar=*-*-* 02:15:00 Europe/Berlin\n"));
  EXPECT_THAT(calendar("*/30 8-10 * 1,2 MON-WED"), HasSubstr("OnCalendar=Mon,Tue,Wed *-01,02-* 08,09,10:00,30:00 "));
  EXPECT_THAT(calendar("0 0 1 * FRI"),
              HasSubstr("OnCalendar=*-*-01 00:00:00 Europe/Berlin\nOnCalendar=Fri *-*-* 00:00:00 "));
  EXPECT_THAT(calendar("0 0 L * *"), HasSubstr("OnCalendar=*-*~01 00:00:00 "));
  EXPECT_THAT(calendar("0 0 * * MON#1,5L"),
              HasSubstr("OnCalendar=Mon *-*-01..07 00:00:00 Europe/Berlin\nOnCalendar=Fri *-*~07/1 "));
  EXPECT_THAT(calendar("0 0 */2 * MON#1"), HasSubstr("systemd cannot count weekdays"));
}

TEST(SystemdService, WritesWhereTheJobDoesAndNowhereElse) {
  const auto text = Text(Scheduler::kSystemd, Nightly());
  EXPECT_THAT(text, HasSubstr("ReadWritePaths=/srv/scored\n"));
  EXPECT_THAT(
      text, HasSubstr("ExecStart=/usr/bin/slipway batch run --resume --date latest \"/etc/slipway/it's 5%%.yaml\"\n"));
  EXPECT_THAT(text, HasSubstr("RestartPreventExitStatus=1 2\n"));
  EXPECT_THAT(text, HasSubstr("TimeoutStartSec=3600s\n"));
  EXPECT_THAT(text, HasSubstr("StartLimitIntervalSec=43200s\n"));
  EXPECT_THAT(text, HasSubstr("Persistent=true\n"));
  EXPECT_THAT(Text(Scheduler::kSystemd, Nightly("15 2 * * *", CatchUp::kNone)), HasSubstr("Persistent=false\n"));
  EXPECT_THAT(Text(Scheduler::kSystemd, Nightly(), {.user = "score"}), HasSubstr("User=score\n"));
}

TEST(SystemdUnit, MayWriteWhereTheJobsFolderLies) {
  const auto written = [](const std::string& output, const std::string& folder = {}) {
    JobFile file = Nightly();
    file.job.output = output;
    file.job.folder = folder;
    return Text(Scheduler::kSystemd, file, {.folder = "/srv/jobs"});
  };
  EXPECT_THAT(written("out/{{ ds }}.csv"), HasSubstr("ReadWritePaths=/srv/jobs/out\n"));
  EXPECT_THAT(written("s3://lake/{{ ds }}.csv"), HasSubstr("ReadWritePaths=/srv/jobs\n"));
  EXPECT_THAT(written("postgres://db/shop?table=t"), HasSubstr("ReadWritePaths=/srv/jobs\n"));
  EXPECT_THAT(written("s3://lake/a.csv", "/var/jobs/a.job"), HasSubstr("ReadWritePaths=/var/jobs\n"));
  EXPECT_THAT(written("sqlite:/var/db/shop.db?table=t"), HasSubstr("ReadWritePaths=/var/db\n"));
  EXPECT_THAT(written("sqlite:shop.db?table=t"), HasSubstr("ReadWritePaths=/srv/jobs\n"));
}

TEST(CronJob, FailsAtOnceForTheDataAndTriesAgainForTheRest) {
  const auto text = Text(Scheduler::kKubernetes, Nightly());
  EXPECT_THAT(text,
              HasSubstr("schedule: \"15 2 * * *\"\n  timeZone: \"Europe/Berlin\"\n  concurrencyPolicy: Forbid\n"));
  EXPECT_THAT(text, HasSubstr("    model: m\n\n    input: a.csv\n---\n"));
  EXPECT_THAT(text, HasSubstr("action: FailJob"));
  EXPECT_THAT(text, Not(HasSubstr("--shard")));
  const SchedulerOptions four{.image = "slipway:1", .shards = 4};
  EXPECT_THAT(Text(Scheduler::kKubernetes, Nightly(), four), HasSubstr("put {shard} into the name"));
  JobFile sharded = Nightly();
  sharded.job.output = "/srv/scored/{{ ds }}/{shard}.csv";
  const auto indexed = Text(Scheduler::kKubernetes, sharded, four);
  EXPECT_THAT(indexed, HasSubstr("completions: 4\n"));
  EXPECT_THAT(indexed, HasSubstr("action: FailIndex"));
  EXPECT_THAT(indexed, HasSubstr("\"--shard\", \"auto/4\", "));
}

TEST(Schedulers, SayWhatTheyCannot) {
  const JobFile period = Nightly("@every 10m");
  EXPECT_THAT(Text(Scheduler::kCron, period), HasSubstr("is a period"));
  EXPECT_THAT(Text(Scheduler::kSystemd, period), HasSubstr("is a period"));
  EXPECT_THAT(Text(Scheduler::kCron, Nightly("0 0 L * *")), HasSubstr("neither L nor #"));
  EXPECT_THAT(Text(Scheduler::kKubernetes, Nightly("0 0 */2 * MON")), HasSubstr("either field"));
  EXPECT_THAT(Text(Scheduler::kAirflow, Nightly("0 0 */2 * MON")), HasSubstr("either field"));
  EXPECT_THAT(Text(Scheduler::kKubernetes, Nightly(), {}), HasSubstr("--image"));
  EXPECT_THAT(Text(Scheduler::kKubernetes, Nightly("0 0 * * FRI-SUN")), HasSubstr("schedule: \"0 0 * * 0,5,6\""));
}

TEST(AirflowDag, RunsForTheTimeAtWhichItIsDue) {
  const auto text = Text(Scheduler::kAirflow, Nightly("15 2 * * *", CatchUp::kAll));
  EXPECT_THAT(text, HasSubstr("schedule=CronTriggerTimetable(\"15 2 * * *\", timezone=\"Europe/Berlin\")"));
  EXPECT_THAT(text, HasSubstr("catchup=True"));
  EXPECT_THAT(text, HasSubstr("execution_timeout=timedelta(seconds=3600)"));
}

}  // namespace
}  // namespace slipway::batch
