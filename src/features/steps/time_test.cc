#include "features/pipeline_fixture.h"

namespace slipway::features {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TestTable T(const TestTable::Cells<std::string>& cells, int zone_minutes = 0) {
  TestTable table;
  table.Times("t", cells, zone_minutes);
  return table;
}

TEST(DatePartsTest, TakesATimestampApart) {
  const std::string step =
      R"({"as": "f", "date_parts": "t", "parts": ["year", "quarter", "month", "week", "day", "day_of_week", "day_of_year", "weekend", "hour", "minute", "second"]})";
  EXPECT_EQ(FitTransform(T({"2013-07-07T08:15:30.5Z"}), step), "2013 3 7 27 7 6 188 1 8 15 30.5");
}

TEST(DatePartsTest, IsLocalTimeOfTheColumnsZone) {
  EXPECT_EQ(
      FitTransform(T({"2013-01-01T02:00:00Z"}, -300), R"({"as": "f", "date_parts": "t", "parts": ["year", "hour"]})"),
      "2012 21");
}

TEST(DatePartsTest, NullIsMissing) {
  EXPECT_EQ(FitTransform(T({kNull}), R"({"as": "f", "date_parts": "t", "parts": ["year", "hour"]})"), "nan nan");
}

TEST(DatePartsTest, WeeksAreThoseOfIso8601) {
  const TestTable table =
      T({"2012-12-31", "2010-01-03", "2015-12-31", "2016-01-04", "2020-12-31", "2021-01-01", "2024-12-30"});
  EXPECT_EQ(FitTransform(table, R"({"as": "f", "date_parts": "t", "parts": ["week"]})"),
            "1 | 53 | 53 | 1 | 53 | 53 | 1");
}

TEST(DatePartsTest, OnePartIsOneColumn) {
  EXPECT_THAT(ColumnNames(T({kNull}), R"({"as": "f", "date_parts": "t", "parts": ["hour"]})"), ElementsAre("f"));
}

TEST(DatePartsTest, UnknownPartsAreListed) {
  EXPECT_THAT(FitTransform(T({}), R"({"as": "f", "date_parts": "t", "parts": ["hours"]})"), HasSubstr("day_of_week"));
}

TEST(ElapsedTest, IsTheTimeBetween) {
  TestTable table;
  table.Times("a", {"2013-01-01", "2013-01-02", kNull})
      .Times("b", {"2013-01-01T01:30:00Z", "2013-01-01", "2013-01-01"});
  EXPECT_EQ(FitTransform(table, R"({"as": "f", "elapsed": ["a", "b"], "unit": "hours"})"), "1.5 | -24 | nan");
  EXPECT_EQ(FitTransform(table, R"({"as": "f", "elapsed": {"from": "a", "to": "b"}})"), "5400 | -86400 | nan");
}

TEST(ElapsedTest, ReadsTimestamps) {
  TestTable table;
  table.Numbers("x", {1});
  EXPECT_THAT(FitTransform(table, R"({"as": "f", "elapsed": ["x", "x"]})"), HasSubstr("timestamps"));
}

}  // namespace
}  // namespace slipway::features
