#include "data/timestamp.h"

#include <gtest/gtest.h>

namespace slipway::data {
namespace {

std::string Text(int64_t microseconds) {
  std::string text;
  AppendTimestamp(text, microseconds);
  return text;
}

// Counts the days from `first` to `last` whose civil date does not come back to the same instant, or whose
// weekday or day of the year does not follow the day before.
int BrokenDays(std::string_view first, std::string_view last) {
  constexpr int64_t kDay = 86'400'000'000;
  int broken = 0;
  CivilTime before = ToCivil(*ParseTimestamp(first) - kDay);
  for (int64_t at = *ParseTimestamp(first); at <= *ParseTimestamp(last); at += kDay) {
    const CivilTime day = ToCivil(at);
    const bool new_year = day.month == 1 && day.day == 1;
    broken += ParseTimestamp(Text(at)) != at || day.weekday != (before.weekday + 1) % 7 ||
              day.day_of_year != (new_year ? 1 : before.day_of_year + 1);
    before = day;
  }
  return broken;
}

TEST(Timestamp, TakesTheZoneOfTheFieldWhenTheTextHasNone) {
  EXPECT_EQ(ParseTimestamp("2013-07-04T08:15:00", 120), ParseTimestamp("2013-07-04T06:15:00Z"));
  EXPECT_EQ(ParseTimestamp("2013-07-04", -300), ParseTimestamp("2013-07-04T05:00:00Z"));
  EXPECT_EQ(ParseTimestamp("2013-07-04T08:15:00Z", 120), ParseTimestamp("2013-07-04T08:15:00Z"));
}

TEST(Timestamp, CountsMicrosecondsFromTheEpoch) {
  EXPECT_EQ(ParseTimestamp("1970-01-01T00:00:01.5Z"), 1'500'000);
  EXPECT_EQ(ParseTimestamp("1969-12-31T23:59:59.999999Z"), -1);
  EXPECT_EQ(ParseTimestamp("2013-07-04T08:15:00Z"), 1'372'925'700'000'000);
}

TEST(Timestamp, WritesFractionsOnlyWhenThereAre) {
  EXPECT_EQ(Text(-1), "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(Text(1'372'925'700'000'000), "2013-07-04T08:15:00Z");
}

TEST(Timestamp, WritesWhatNoTextReaches) {
  EXPECT_EQ(Text(INT64_MAX), "294247-01-10T04:00:54.775807Z");
  EXPECT_EQ(Text(INT64_MIN), "-290308-12-21T19:59:05.224192Z");
}

TEST(Timestamp, KnowsWeekdaysAndDaysOfTheYear) {
  const CivilTime time = ToCivil(*ParseTimestamp("2012-12-31T23:59:58.000007Z"));
  EXPECT_EQ(time.weekday, 0);
  EXPECT_EQ(time.day_of_year, 366);
  EXPECT_EQ(time.second, 58);
  EXPECT_EQ(time.microsecond, 7);
  EXPECT_EQ(ToCivil(0).weekday, 3);
}

TEST(Timestamp, KnowsEveryDayOfFourCenturiesAndTheEndsOfTheCalendar) {
  EXPECT_EQ(BrokenDays("1799-01-01", "2201-12-31"), 0);
  EXPECT_EQ(BrokenDays("0001-01-01", "0010-01-01"), 0);
  EXPECT_EQ(BrokenDays("9990-01-01", "9999-12-31"), 0);
}

TEST(Timestamp, ReadsNothingPastTheText) {
  EXPECT_EQ(ParseTimestamp(std::string_view("2013-07-04T08:15:00+02:00").substr(0, 19)),
            ParseTimestamp("2013-07-04T08:15:00"));
  EXPECT_EQ(ParseTimestamp(""), std::nullopt);
}

}  // namespace
}  // namespace slipway::data
