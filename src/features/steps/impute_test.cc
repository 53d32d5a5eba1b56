#include "features/pipeline_fixture.h"

namespace slipway::features {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TestTable X(const TestTable::Cells<double>& cells) {
  TestTable table;
  table.Numbers("x", cells);
  return table;
}

const TestTable kTrain = X({1, 1, 4, 10, kNull, kInf});

TEST(ImputeTest, FillsWithTheMeanByDefault) {
  EXPECT_EQ(FitTransform(kTrain, X({kNull, kNan, 7, kInf}), R"({"as": "f", "impute": "x"})"), "4 | 4 | 7 | inf");
}

TEST(ImputeTest, FillsWithTheMedian) {
  EXPECT_EQ(FitTransform(kTrain, X({kNull}), R"({"as": "f", "impute": "x", "strategy": "median"})"), "2.5");
}

TEST(ImputeTest, FillsWithTheSmallestOfTheMostFrequent) {
  EXPECT_EQ(FitTransform(X({3, 2, 3, 2, 9}), X({kNull}), R"({"as": "f", "impute": "x", "strategy": "most_frequent"})"),
            "2");
}

TEST(ImputeTest, FillsWithAConstant) {
  EXPECT_EQ(FitTransform(kTrain, X({kNull, 2}), R"({"as": "f", "impute": "x", "strategy": "constant", "value": -1})"),
            "-1 | 2");
}

TEST(ImputeTest, MayTellWhereItFilled) {
  const std::string step = R"({"as": "f", "impute": "x", "indicator": true})";
  EXPECT_EQ(FitTransform(kTrain, X({kNull, 2}), step), "4 1 | 2 0");
  EXPECT_THAT(ColumnNames(kTrain, step), ElementsAre("f.value", "f.missing"));
}

TEST(ImputeTest, FillsTextWithTheMostFrequent) {
  TestTable table;
  table.Texts("c", {"b", "a", "b", kNull, ""});
  EXPECT_EQ(
      FitTransform(
          table,
          R"([{"as": "filled", "impute": "c", "strategy": "most_frequent", "hidden": true}, {"as": "f", "ordinal": "filled"}])"),
      "2 | 1 | 2 | 2 | 0");
}

TEST(ImputeTest, FillsTextWithAConstant) {
  TestTable table;
  table.Texts("c", {kNull, "z"});
  EXPECT_EQ(
      FitTransform(
          table,
          R"([{"as": "filled", "impute": "c", "strategy": "constant", "value": "a", "hidden": true}, {"as": "f", "ordinal": "filled"}])"),
      "0 | 1");
}

TEST(ImputeTest, FillsTimesAndKeepsTheirZone) {
  TestTable table;
  table.Times("t", {"2013-01-01T10:00:00Z", kNull, "2013-01-01T14:00:00Z"}, -300);
  EXPECT_EQ(
      FitTransform(
          table,
          R"([{"as": "filled", "impute": "t", "hidden": true}, {"as": "f", "date_parts": "filled", "parts": ["hour"]}])"),
      "5 | 7 | 9");
}

TEST(ImputeTest, TextHasNoMean) {
  TestTable table;
  table.Texts("c", {"a"});
  EXPECT_THAT(FitTransform(table, R"({"as": "f", "impute": "c"})"), HasSubstr("most_frequent or constant"));
}

TEST(ImputeTest, ATextForNumbersIsRefused) {
  EXPECT_THAT(FitTransform(kTrain, R"({"as": "f", "impute": "x", "strategy": "constant", "value": "none"})"),
              HasSubstr("must be a number"));
}

TEST(ImputeTest, ATextColumnOfNullsIsNotAskedForFiniteValues) {
  TestTable table;
  table.Texts("s", {kNull, kNull});
  EXPECT_THAT(FitTransform(table, R"({"as": "f", "impute": "s", "strategy": "most_frequent"})"),
              ::testing::HasSubstr("no row has a value of \"s\""));
}

// NaN filled nothing, and nobody said so.
TEST(ImputeTest, FillingWithNanIsRefused) {
  TestTable table;
  table.Numbers("x", {1});
  std::vector<StepSpec> steps = Steps(R"({"as": "f", "impute": "x", "strategy": "constant"})");
  steps[0].written.Set("value", kNan);
  EXPECT_THAT(Pipeline::Compile(table.fields(), steps, {}).error().message, ::testing::HasSubstr("is not finite"));
}

}  // namespace
}  // namespace slipway::features
