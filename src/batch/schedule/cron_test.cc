#include "batch/schedule/cron.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "batch/schedule/time_zone.h"

namespace slipway::batch {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// The next `count` minutes from 2026-11-26T00:00 (a Thursday) on.
std::vector<std::string> Times(std::string_view line, int count) {
  const auto cron = Cron::Parse(line);
  if (!cron) return {cron.error().Text()};
  std::vector<std::string> times;
  auto at = std::chrono::local_seconds(std::chrono::local_days(std::chrono::November / 26 / 2026));
  for (int i = 0; i < count; ++i) {
    const auto next = cron->Next(at);
    if (!next) break;
    times.push_back(TimeZone::Utc().Format(Instant(next->time_since_epoch()), "%m-%dT%H:%M"));
    at = *next + std::chrono::minutes(1);
  }
  return times;
}

std::string Fault(std::string_view line) {
  const auto cron = Cron::Parse(line);
  return cron ? "fine" : cron.error().message;
}

TEST(Cron, NamesMinutesOfEachDay) {
  EXPECT_THAT(Times("15 2 * * *", 3), ElementsAre("11-26T02:15", "11-27T02:15", "11-28T02:15"));
  EXPECT_THAT(Times("*/20 5,7 * * *", 7), ElementsAre("11-26T05:00", "11-26T05:20", "11-26T05:40", "11-26T07:00",
                                                      "11-26T07:20", "11-26T07:40", "11-27T05:00"));
  EXPECT_THAT(Times("5-20/10 8-18/5 * * *", 3), ElementsAre("11-26T08:05", "11-26T08:15", "11-26T13:05"));
}

TEST(Cron, KnowsNamesInAnyCase) {
  EXPECT_THAT(Times("0 0 * jan,Feb mon-WED", 3), ElementsAre("01-04T00:00", "01-05T00:00", "01-06T00:00"));
}

TEST(Cron, TakesBothSundaysAndARangeUpToIt) {
  EXPECT_THAT(Times("0 0 * * 7", 2), ElementsAre("11-29T00:00", "12-06T00:00"));
  EXPECT_THAT(Times("0 0 * * 0", 2), ElementsAre("11-29T00:00", "12-06T00:00"));
  EXPECT_THAT(Times("0 0 * * FRI-SUN", 4), ElementsAre("11-27T00:00", "11-28T00:00", "11-29T00:00", "12-04T00:00"));
}

TEST(Cron, TakesEitherDayWhenBothAreRestrictedAndBothWhenOneBeginsWithAStar) {
  EXPECT_THAT(Times("0 0 1 * FRI", 3), ElementsAre("11-27T00:00", "12-01T00:00", "12-04T00:00"));
  EXPECT_THAT(Times("0 0 */10 * FRI", 3), ElementsAre("12-11T00:00", "01-01T00:00", "05-21T00:00"));
}

TEST(Cron, CountsDaysFromTheEndOfAMonthAndWeekdaysWithinIt) {
  EXPECT_THAT(Times("0 0 L * *", 3), ElementsAre("11-30T00:00", "12-31T00:00", "01-31T00:00"));
  EXPECT_THAT(Times("0 0 * * MON#1", 2), ElementsAre("12-07T00:00", "01-04T00:00"));
  EXPECT_THAT(Times("0 0 * * 5L", 2), ElementsAre("11-27T00:00", "12-25T00:00"));
}

TEST(Cron, FindsALeapDay) {
  EXPECT_THAT(Times("0 0 29 2 *", 2), ElementsAre("02-29T00:00", "02-29T00:00"));
}

TEST(Cron, KnowsNicknames) {
  EXPECT_THAT(Times("@daily", 1), ElementsAre("11-26T00:00"));
  EXPECT_THAT(Times("@weekly", 1), ElementsAre("11-29T00:00"));
  EXPECT_THAT(Times("@monthly", 1), ElementsAre("12-01T00:00"));
  EXPECT_THAT(Times("@hourly", 2), ElementsAre("11-26T00:00", "11-26T01:00"));
}

TEST(Cron, NamesTheFieldThatIsWrongAndWhatItMayBe) {
  EXPECT_THAT(Fault("60 * * * *"), HasSubstr("\"60\" is no minute: 0 to 59"));
  EXPECT_THAT(Fault("0 0 * * FRY"), HasSubstr("\"FRY\" is no day of the week: 0 to 7 or SUN to SAT"));
  EXPECT_THAT(Fault("0 5-2 * * *"), HasSubstr("\"5-2\" is no hour"));
  EXPECT_THAT(Fault("0 0 0 * *"), HasSubstr("day of the month"));
  EXPECT_THAT(Fault("*/0 * * * *"), HasSubstr("minute"));
  EXPECT_THAT(Fault("0 0 * * MON#6"), HasSubstr("MON#6"));
  EXPECT_THAT(Fault(",1 * * * *"), HasSubstr("minute"));
  EXPECT_THAT(Fault("0 0 ? * *"), HasSubstr("\"?\""));
  EXPECT_THAT(Fault("5/15 * * * *"), HasSubstr("write 5-59/15"));
  EXPECT_THAT(Fault("0 15 2 * * *"), HasSubstr("five fields, not 6"));
  EXPECT_THAT(Fault("@reboot"), HasSubstr("@hourly"));
  EXPECT_THAT(Fault(""), HasSubstr("five fields, not 0"));
}

TEST(Cron, RefusesDaysThatNeverCome) {
  EXPECT_THAT(Fault("0 0 30 2 *"), HasSubstr("never come"));
  EXPECT_THAT(Fault("0 0 31 4,6 *"), HasSubstr("never come"));
}

TEST(Cron, IsWrittenForEveryCron) {
  EXPECT_EQ(Cron::Parse("0,10,20,30-33 2 1,2 JAN-MAR FRI-SUN")->Text(), "0,10,20,30-33 2 1,2 1-3 0,5,6");
  EXPECT_EQ(Cron::Parse("*/5 * * * *")->Text(), "*/5 * * * *");
  EXPECT_EQ(Cron::Parse("0 0 L * MON#1,FRIL")->Text(), "0 0 L * 1#1,5L");
}

}  // namespace
}  // namespace slipway::batch
