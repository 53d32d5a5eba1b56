#include "features/pipeline_fixture.h"

namespace slipway::features {
namespace {

using ::testing::StartsWith;

TestTable X(const TestTable::Cells<double>& cells) {
  TestTable table;
  table.Numbers("x", cells);
  return table;
}

TEST(StandardizeTest, CentresAndScales) {
  EXPECT_EQ(FitTransform(X({1, 3}), X({1, 2, 5}), R"({"as": "f", "standardize": "x"})"), "-1 | 0 | 3");
}

TEST(StandardizeTest, LearnsWithoutMissingAndInfiniteValues) {
  EXPECT_EQ(FitTransform(X({1, kNull, kInf, kNan, -kInf, 3}), X({2}), R"({"as": "f", "standardize": "x"})"), "0");
}

TEST(StandardizeTest, MissingStaysMissingAndInfiniteInfinite) {
  EXPECT_EQ(FitTransform(X({1, 3}), X({kNull, kNan, kInf, -kInf}), R"({"as": "f", "standardize": "x"})"),
            "nan | nan | inf | -inf");
}

TEST(StandardizeTest, AConstantColumnIsOnlyCentred) {
  EXPECT_EQ(FitTransform(X({0.1, 0.1, 0.1}), X({0.1, 1.1}), R"({"as": "f", "standardize": "x"})"), "0 | 1");
}

TEST(StandardizeTest, SwitchesTurnEitherHalfOff) {
  EXPECT_EQ(FitTransform(X({1, 3}), X({5}), R"({"as": "f", "standardize": "x", "with_mean": false})"), "5");
  EXPECT_EQ(FitTransform(X({2, 6}), X({6}), R"({"as": "f", "standardize": "x", "with_std": false})"), "2");
}

TEST(MinMaxTest, MapsTheRangeAndBeyondIt) {
  EXPECT_EQ(FitTransform(X({10, 20}), X({10, 15, 30, kNull, kInf}), R"({"as": "f", "min_max": "x"})"),
            "0 | 0.5 | 2 | nan | inf");
}

TEST(MinMaxTest, ClipsWhenAsked) {
  EXPECT_EQ(FitTransform(X({10, 20}), X({0, 30, kInf, kNan}),
                         R"({"as": "f", "min_max": "x", "range": [-1, 1], "clip": true})"),
            "-1 | 1 | 1 | nan");
}

TEST(MinMaxTest, AConstantColumnIsTheLowEnd) {
  EXPECT_EQ(FitTransform(X({7, 7}), R"({"as": "f", "min_max": "x"})"), "0 | 0");
}

TEST(MinMaxTest, ARangeThatDoesNotAscendIsRefused) {
  EXPECT_THAT(FitTransform(X({1}), R"({"as": "f", "min_max": "x", "range": [1, 1]})"),
              StartsWith("features.bad_parameter"));
}

TEST(MaxAbsTest, DividesByTheLargestMagnitude) {
  EXPECT_EQ(FitTransform(X({-4, 2, kNull}), X({2, -8, kNull}), R"({"as": "f", "max_abs": "x"})"), "0.5 | -2 | nan");
}

TEST(MaxAbsTest, AColumnOfZeroesStays) {
  EXPECT_EQ(FitTransform(X({0, 0}), R"({"as": "f", "max_abs": "x"})"), "0 | 0");
}

TEST(RobustTest, CentresOnTheMedianAndDividesByTheSpread) {
  EXPECT_EQ(FitTransform(X({1, 2, 3, 4, 100}), X({3, 5, kNull}), R"({"as": "f", "robust": "x"})"), "0 | 1 | nan");
}

TEST(RobustTest, AConstantColumnIsOnlyCentred) {
  EXPECT_EQ(FitTransform(X({5, 5, 5}), X({6}), R"({"as": "f", "robust": "x"})"), "1");
}

TEST(RobustTest, ARangeOutsideAHundredIsRefused) {
  EXPECT_THAT(FitTransform(X({1}), R"({"as": "f", "robust": "x", "quantile_range": [25, 175]})"),
              StartsWith("features.bad_parameter"));
}

}  // namespace
}  // namespace slipway::features
