#include "features/pipeline_fixture.h"

namespace slipway::features {
namespace {

using ::testing::HasSubstr;

TestTable C() {
  TestTable table;
  table.Texts("c", {"AA", "ZZ", kNull, ""}).Integers("i", {1, 2, kNull, 4}).Booleans("b", {true, false, kNull, true});
  return table;
}

TEST(LookupTest, FindsNumbersAndDefaults) {
  EXPECT_EQ(FitTransform(C(), R"({"as": "f", "lookup": "c", "table": {"AA": 1.5, "": 2}, "default": 0})"),
            "1.5 | 0 | 0 | 2");
}

TEST(LookupTest, WithoutDefaultTheRestIsMissing) {
  EXPECT_EQ(FitTransform(C(), R"({"as": "f", "lookup": "c", "table": {"AA": 1.5}})"), "1.5 | nan | nan | nan");
}

TEST(LookupTest, KeysTakeTheTypeOfTheColumn) {
  EXPECT_EQ(
      FitTransform(
          C(),
          R"([{"as": "f", "lookup": "i", "table": {"1": 10, "4": 40}}, {"as": "g", "lookup": "b", "table": {"true": 7}}])"),
      "10 7 | nan nan | nan nan | 40 7");
}

TEST(LookupTest, TextsFeedLaterSteps) {
  EXPECT_EQ(
      FitTransform(C(), R"([{"as": "group", "lookup": "c", "table": {"AA": "big"}, "default": "small", "hidden": true},
                                  {"as": "f", "one_hot": "group"}])"),
      "1 0 | 0 1 | 0 1 | 0 1");
}

TEST(LookupTest, AKeyTheColumnCannotHoldIsRefused) {
  EXPECT_THAT(FitTransform(C(), R"({"as": "f", "lookup": "i", "table": {"one": 1}})"), HasSubstr("the key \"one\""));
}

TEST(LookupTest, TwoKeysOfOneValueAreRefused) {
  EXPECT_THAT(FitTransform(C(), R"({"as": "f", "lookup": "b", "table": {"true": 1, "1": 2}})"), HasSubstr("twice"));
}

TEST(LookupTest, MixedValuesAreRefused) {
  EXPECT_THAT(FitTransform(C(), R"({"as": "f", "lookup": "c", "table": {"AA": 1, "B": "two"}})"),
              HasSubstr("not all numbers"));
}

TEST(LookupTest, AFileThatNobodyReadIsRefused) {
  EXPECT_THAT(FitTransform(C(), R"({"as": "f", "lookup": "c", "file": "rates.csv"})"),
              HasSubstr("the file was not read"));
}

}  // namespace
}  // namespace slipway::features
