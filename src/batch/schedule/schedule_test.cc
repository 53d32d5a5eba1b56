#include "batch/schedule/schedule.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "bundle/manifest.h"

namespace slipway::batch {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Instant At(std::string_view text) {
  return *ParseTime(text, TimeZone::Utc());
}

std::vector<std::string> Times(std::string_view line, const char* zone, std::string_view from, int count) {
  const auto schedule = Schedule::Create(line, *TimeZone::Load(zone));
  if (!schedule) return {schedule.error().Text()};
  std::vector<std::string> times;
  for (auto next = schedule->Next(At(from)); next && count-- > 0; next = schedule->Next(*next)) {
    times.push_back(schedule->zone().Format(*next, "%dT%H:%M%Ez"));
  }
  return times;
}

base::Result<Schedule> Read(std::string_view yaml) {
  return Schedule::FromValue(*bundle::ParseYaml(yaml)->Find("schedule"));
}

TEST(Schedule, FollowsTheClocksOfItsZone) {
  EXPECT_THAT(Times("15 2 * * *", "Europe/Berlin", "2026-07-01T00:00Z", 2),
              ElementsAre("01T02:15+02:00", "02T02:15+02:00"));
  EXPECT_THAT(Times("15 2 * * *", "Asia/Kathmandu", "2026-07-01T00:00Z", 1), ElementsAre("02T02:15+05:45"));
}

// In Berlin, clocks went from 02:00 to 03:00 on 29 March 2026.
TEST(Schedule, RunsAtTheEndOfAGapWhatTheClockSkips) {
  EXPECT_THAT(Times("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00Z", 2),
              ElementsAre("29T03:00+02:00", "30T02:30+02:00"));
  EXPECT_THAT(Times("0,30 2,3 29 3 *", "Europe/Berlin", "2026-03-28T12:00Z", 2),
              ElementsAre("29T03:00+02:00", "29T03:30+02:00"));
}

TEST(Schedule, LeavesASkippedHourOutOfALineThatFollowsTime) {
  EXPECT_THAT(Times("*/30 * * * *", "Europe/Berlin", "2026-03-29T00:00Z", 3),
              ElementsAre("29T01:30+01:00", "29T03:00+02:00", "29T03:30+02:00"));
  EXPECT_THAT(Times("*/30 2 * * *", "Europe/Berlin", "2026-03-28T12:00Z", 1), ElementsAre("30T02:00+02:00"));
}

// And from 03:00 to 02:00 on 25 October 2026.
TEST(Schedule, RunsOnceWhatTheClockShowsTwice) {
  EXPECT_THAT(Times("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00Z", 2),
              ElementsAre("25T02:30+02:00", "26T02:30+01:00"));
  EXPECT_THAT(Times("30 2 * * *", "Europe/Berlin", "2026-10-25T01:10Z", 1), ElementsAre("26T02:30+01:00"));
}

TEST(Schedule, RunsInBothHoursThatLookAlikeALineThatFollowsTime) {
  EXPECT_THAT(Times("*/30 * * * *", "Europe/Berlin", "2026-10-24T23:45Z", 5),
              ElementsAre("25T02:00+02:00", "25T02:30+02:00", "25T02:00+01:00", "25T02:30+01:00", "25T03:00+01:00"));
}

TEST(Schedule, BearsAHalfHourAndADayThatWasSkipped) {
  EXPECT_THAT(Times("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00Z", 1), ElementsAre("04T02:30+11:00"));
  EXPECT_THAT(Times("0 12 * * *", "Pacific/Apia", "2011-12-29T23:00Z", 2),
              ElementsAre("31T00:00+14:00", "31T12:00+14:00"));
}

TEST(Schedule, CountsPeriodsFromTheSameBeginning) {
  const auto schedule = Schedule::Create("@every 90s");
  ASSERT_TRUE(schedule) << schedule.error().Text();
  EXPECT_EQ(*schedule->Next(At("1970-01-01T00:01:30Z")), At("1970-01-01T00:03:00Z"));
  EXPECT_EQ(*schedule->Next(At("1970-01-01T00:01:29Z")), At("1970-01-01T00:01:30Z"));
  EXPECT_EQ(*schedule->Latest(At("1970-01-01T00:01:30Z")), At("1970-01-01T00:01:30Z"));
  EXPECT_EQ(Schedule::Create("@every 100ms").error().reason, "schedule.every");
  EXPECT_EQ(Schedule::Create("@every day").error().reason, "schedule.every");
}

TEST(Schedule, FindsTheLastTimeHoweverRareTheyAre) {
  const auto latest = [](std::string_view line) { return *Schedule::Create(line)->Latest(At("2026-11-26T02:14:59Z")); };
  EXPECT_EQ(latest("* * * * *"), At("2026-11-26T02:14Z"));
  EXPECT_EQ(latest("15 2 * * *"), At("2026-11-25T02:15Z"));
  EXPECT_EQ(latest("0 0 1 1 *"), At("2026-01-01"));
  EXPECT_EQ(latest("0 0 29 2 *"), At("2024-02-29"));
  EXPECT_EQ(*Schedule::Create("15 2 * * *")->Latest(At("2026-11-26T02:15Z")), At("2026-11-26T02:15Z"));
}

TEST(Schedule, CountsTimesUpToABound) {
  const auto hourly = Schedule::Create("@hourly");
  EXPECT_EQ(hourly->Count(At("2026-11-26"), At("2026-11-27"), 1000), 24);
  EXPECT_EQ(hourly->Count(At("2026-11-26"), At("2026-11-27"), 10), 10);
}

TEST(Schedule, IsReadFromALineOrAMap) {
  EXPECT_EQ(Read("schedule: \"@daily\"\n")->Text(), "@daily UTC");
  const auto read = Read("schedule: {cron: 15 2 * * *, time_zone: Europe/Berlin, catch_up: all}\n");
  ASSERT_TRUE(read) << read.error().Text();
  EXPECT_EQ(read->Text(), "15 2 * * * Europe/Berlin");
  EXPECT_EQ(read->catch_up(), CatchUp::kAll);
}

TEST(Schedule, SaysWhatItDoesNotKnow) {
  EXPECT_EQ(Read("schedule: {cron: 15 2 * * *, time_zone: Europe/Berlino}\n").error().reason, "schedule.time_zone");
  EXPECT_EQ(Read("schedule: {cron: 15 2 * * *, time_zone: /etc/passwd}\n").error().reason, "schedule.time_zone");
  EXPECT_THAT(Read("schedule: {cron: 15 2 * * *, catch_up: some}\n").error().message, HasSubstr("none, latest or all"));
  EXPECT_THAT(Read("schedule: {cron: 15 2 * * *, timezone: UTC}\n").error().message,
              HasSubstr("did you mean \"time_zone\"?"));
  EXPECT_THAT(Read("schedule: {time_zone: UTC}\n").error().message, HasSubstr("schedule.cron"));
}

}  // namespace
}  // namespace slipway::batch
