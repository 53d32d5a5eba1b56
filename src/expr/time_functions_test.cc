// Expected parts are those of Python's datetime.

#include <limits>

#include "expr/expression_fixture.h"

namespace slipway::expr {
namespace {

std::string At(std::string_view text, std::string_view iso, int zone_minutes = 0) {
  return Value(text, {Time("t", iso, zone_minutes)});
}
std::string AtMicroseconds(std::string_view text, int64_t microseconds) {
  Bound bound = Time("t", "1970-01-01");
  bound.column.SetInteger(0, microseconds);
  return Value(text, {bound});
}

TEST(DateParts, OfALeapDay) {
  EXPECT_EQ(At("year(t) * 10000 + month(t) * 100 + day(t)", "2024-02-29T23:59:59Z"), "20240229");
}
TEST(DateParts, CrossMidnightWithTheZone) {
  EXPECT_EQ(At("day(t)", "2024-02-29T23:30:00Z", 60), "1");
}
TEST(DateParts, BeforeNineteenSeventy) {
  EXPECT_EQ(At("hour(t) * 100 + minute(t)", "1969-12-31T23:59:00Z"), "2359");
}
TEST(DateParts, SecondsAreWhole) {
  EXPECT_EQ(At("second(t)", "1969-12-31T23:59:58.5Z"), "58");
}
TEST(DateParts, QuarterOfDecember) {
  EXPECT_EQ(At("quarter(t)", "2024-12-31"), "4");
}
TEST(DateParts, DayOfYearInALeapYear) {
  EXPECT_EQ(At("day_of_year(t)", "2020-12-31"), "366");
}
TEST(DateParts, WeekOfTheYearBefore) {
  EXPECT_EQ(At("week(t)", "2016-01-01"), "53");
}
TEST(DateParts, WeekOfTheYearAfter) {
  EXPECT_EQ(At("week(t)", "2018-12-31"), "1");
}
TEST(DateParts, WeekInTheMiddle) {
  EXPECT_EQ(At("week(t)", "2024-02-29"), "9");
}
TEST(DateParts, MondayIsZero) {
  EXPECT_EQ(At("weekday(t)", "2018-12-31"), "0");
}
TEST(DateParts, SundayIsSixBeforeNineteenSeventy) {
  EXPECT_EQ(At("weekday(t)", "1969-12-28"), "6");
}
TEST(DateParts, FridayIsNoWeekend) {
  EXPECT_EQ(At("is_weekend(t)", "2016-01-01"), "false");
}
TEST(DateParts, OfNullAreNull) {
  EXPECT_EQ(Value("hour(t)", {Null("t", data::ScalarType::kTimestamp)}), "null");
}
TEST(DateParts, OutsideTheCalendarAreNull) {
  EXPECT_EQ(AtMicroseconds("year(t)", std::numeric_limits<int64_t>::max()), "null");
}
TEST(DateParts, OfTheLastMoment) {
  EXPECT_EQ(At("year(t)", "9999-12-31T23:59:59.999999Z", 60), "10000");
}
TEST(DateParts, InAnotherZone) {
  EXPECT_EQ(At("hour(in_zone(t, 330))", "2024-02-29T20:00:00Z"), "1");
}

TEST(DateTrunc, ToTheLocalDay) {
  EXPECT_EQ(At("date_trunc('day', t)", "2013-07-04T02:00:00Z", -300), "2013-07-03T05:00:00Z");
}
TEST(DateTrunc, ToMonday) {
  EXPECT_EQ(At("date_trunc('week', t)", "2013-07-04T02:00:00Z"), "2013-07-01T00:00:00Z");
}
TEST(DateTrunc, ToTheQuarter) {
  EXPECT_EQ(At("date_trunc('quarter', t)", "2013-06-30T02:00:00Z"), "2013-04-01T00:00:00Z");
}
TEST(DateTrunc, ToTheYear) {
  EXPECT_EQ(At("date_trunc('year', t)", "2013-07-04T02:00:00Z"), "2013-01-01T00:00:00Z");
}
TEST(DateTrunc, ToTheMinuteBeforeNineteenSeventy) {
  EXPECT_EQ(At("date_trunc('minute', t)", "1969-12-31T23:59:58.5Z"), "1969-12-31T23:59:00Z");
}
TEST(DateTrunc, OutsideTheCalendarIsNull) {
  EXPECT_EQ(AtMicroseconds("date_trunc('year', t)", std::numeric_limits<int64_t>::min()), "null");
}

TEST(TimeArithmetic, AddsFractions) {
  EXPECT_EQ(At("add_hours(t, 1.5)", "2013-07-04T02:00:00Z"), "2013-07-04T03:30:00Z");
}
TEST(TimeArithmetic, AddsNegativeDays) {
  EXPECT_EQ(At("add_days(t, -365)", "2012-12-31"), "2012-01-01T00:00:00Z");
}
TEST(TimeArithmetic, PastSixtyFourBitsIsNull) {
  EXPECT_EQ(At("add_days(t, 1e9)", "2012-12-31"), "null");
}
TEST(TimeArithmetic, OfNanIsNull) {
  EXPECT_EQ(At("add_seconds(t, 0 / 0)", "2012-12-31"), "null");
}
TEST(TimeArithmetic, KeepsTheZone) {
  EXPECT_EQ(At("hour(add_days(t, 1))", "2013-07-04T02:00:00Z", -300), "21");
}
TEST(TimeArithmetic, CountsDaysAcrossALeapDay) {
  EXPECT_EQ(At("days_between(t, timestamp('2024-03-01T12:00:00Z'))", "2024-02-28"), "2.5");
}
TEST(TimeArithmetic, CountsNegativeHours) {
  EXPECT_EQ(At("hours_between(t, timestamp('2024-02-27T21:00:00Z'))", "2024-02-28"), "-3.0");
}
TEST(TimeArithmetic, CountsSecondsBeyondSixtyFourBits) {
  EXPECT_EQ(
      AtMicroseconds("t - add_days(timestamp('1970-01-01'), -106000000) > 1.8e13", std::numeric_limits<int64_t>::max()),
      "true");
}
TEST(Epoch, HasFractions) {
  EXPECT_EQ(At("epoch(t)", "1970-01-01T00:00:01.25Z"), "1.25");
}
TEST(Epoch, ComesBack) {
  EXPECT_EQ(At("from_epoch(epoch(t)) == t", "2013-07-04T02:00:00.123456Z"), "true");
}
TEST(Timestamp, IsReadFromText) {
  EXPECT_EQ(Value("timestamp(s)", {Text("s", "2013-07-04 08:15+02:00")}), "2013-07-04T06:15:00Z");
}
TEST(Timestamp, OfOtherTextIsNull) {
  EXPECT_EQ(Value("timestamp(s)", {Text("s", "yesterday")}), "null");
}

}  // namespace
}  // namespace slipway::expr
