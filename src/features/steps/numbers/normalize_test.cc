#include "features/pipeline_fixture.h"

namespace slipway::features {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TestTable Rows() {
  TestTable table;  // plain; all zero; a null; a NaN; an infinity
  table.Numbers("a", {3, 0, kNull, 1, -kInf}).Numbers("b", {-4, 0, 5, kNan, 5});
  return table;
}

TEST(NormalizeTest, DividesByTheLengthOfTheRow) {
  EXPECT_EQ(FitTransform(Rows(), R"({"as": "f", "normalize": ["a", "b"]})"),
            "0.6 -0.8 | 0 0 | nan nan | nan nan | nan 0");
}

TEST(NormalizeTest, L1DividesByTheSumOfMagnitudes) {
  EXPECT_EQ(FitTransform(Rows(), R"({"as": "f", "normalize": ["a", "b"], "norm": "l1"})"),
            "0.42857142857142855 -0.5714285714285714 | 0 0 | nan nan | nan nan | nan 0");
}

TEST(NormalizeTest, MaxDividesByTheLargestMagnitude) {
  EXPECT_EQ(FitTransform(Rows(), R"({"as": "f", "normalize": ["a", "b"], "norm": "max"})"),
            "0.75 -1 | 0 0 | nan nan | nan nan | nan 0");
}

TEST(NormalizeTest, NamesItsColumnsAfterTheInputs) {
  EXPECT_THAT(ColumnNames(Rows(), R"({"as": "f", "normalize": ["a", "b"]})"), ElementsAre("f.a", "f.b"));
}

TEST(NormalizeTest, TakesAVector) {
  TestTable table;
  table.Vectors("v", 2, {3, 4, 0, 2});
  EXPECT_EQ(FitTransform(table, R"({"as": "f", "normalize": "v"})"), "0.6 0.8 | 0 1");
  EXPECT_THAT(ColumnNames(table, R"({"as": "f", "normalize": "v"})"), ElementsAre("f.v[0]", "f.v[1]"));
}

// The square of 1e210 and the sum of two 1e308 are infinite; so was the norm, and the row became zeroes.
TEST(NormalizeTest, HugeNumbersDoNotBecomeZero) {
  TestTable table;
  table.Numbers("a", {0x3p700, 1e308, 1e308}).Numbers("b", {0x4p700, 1e308, 1});
  EXPECT_EQ(FitTransform(table, R"({"as": "f", "normalize": ["a", "b"]})"),
            "0.6 0.8 | 0.7071067811865475 0.7071067811865475 | 1 1e-308");
  EXPECT_EQ(FitTransform(table, R"({"as": "f", "normalize": ["a", "b"], "norm": "l1"})"),
            "0.42857142857142855 0.5714285714285714 | 0.5 0.5 | 1 1e-308");
}

TEST(NormalizeTest, NumbersNextToNothingStay) {
  TestTable table;
  table.Numbers("a", {1e-16}).Numbers("b", {-1e-300});
  EXPECT_EQ(FitTransform(table, R"({"as": "f", "normalize": ["a", "b"]})"), "1e-16 -1e-300");
}

TEST(NormalizeTest, OneColumnIsRefusedWithTheStepsThatScaleColumns) {
  EXPECT_THAT(FitTransform(Rows(), R"({"as": "f", "normalize": "a"})"),
              AllOf(StartsWith("features.wrong_type"), HasSubstr("column \"a\" is number"), HasSubstr("min_max")));
}

TEST(NormalizeTest, AnUnknownNormIsRefused) {
  EXPECT_THAT(FitTransform(Rows(), R"({"as": "f", "normalize": ["a", "b"], "norm": "l3"})"),
              StartsWith("features.bad_parameter"));
}

// frequency has a switch of the same name.
TEST(NormalizeTest, FrequencyKeepsItsSwitch) {
  EXPECT_EQ(FitTransform(Rows(), R"({"as": "f", "frequency": "b", "normalize": false})"), "1 | 1 | 2 | 1 | 2");
}

}  // namespace
}  // namespace slipway::features
