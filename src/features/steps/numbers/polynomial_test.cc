#include "features/pipeline_fixture.h"

namespace slipway::features {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TestTable Pair() {
  TestTable table;
  table.Numbers("a", {2, kNull}).Numbers("b", {3, 5}).Numbers("c", {kInf, 0});
  return table;
}

TEST(PolynomialTest, YieldsAllProductsDegreeByDegree) {
  const std::string step = R"({"as": "f", "polynomial": ["a", "b"]})";
  EXPECT_EQ(FitTransform(Pair(), step), "1 2 3 4 6 9 | 1 nan 5 nan nan 25");
  EXPECT_THAT(ColumnNames(Pair(), step), ElementsAre("f.1", "f.a", "f.b", "f.a^2", "f.a*b", "f.b^2"));
}

TEST(PolynomialTest, InteractionOnlyLeavesPowersOut) {
  EXPECT_EQ(
      FitTransform(Pair(), R"({"as": "f", "polynomial": ["a", "b"], "interaction_only": true, "include_bias": false})"),
      "2 3 6 | nan 5 nan");
}

TEST(PolynomialTest, TooManyProductsAreRefused) {
  EXPECT_THAT(
      FitTransform(Pair(), R"({"as": "f", "polynomial": ["a", "b", "c", "a", "b", "c", "a", "b"], "degree": 16})"),
      StartsWith("features.limit"));
}

TEST(InteractionTest, OfTwoIsTheirProduct) {
  EXPECT_EQ(FitTransform(Pair(), R"({"as": "f", "interaction": ["a", "b"]})"), "6 | nan");
  EXPECT_THAT(ColumnNames(Pair(), R"({"as": "f", "interaction": ["a", "b"]})"), ElementsAre("f"));
}

TEST(InteractionTest, OfThreeIsEachPair) {
  EXPECT_EQ(FitTransform(Pair(), R"({"as": "f", "interaction": ["b", "b", "a"]})"), "9 6 6 | 25 nan nan");
}

TEST(InteractionTest, InfinityTimesZeroIsNan) {
  TestTable table;
  table.Numbers("a", {kInf}).Numbers("b", {0});
  EXPECT_EQ(FitTransform(table, R"({"as": "f", "interaction": ["a", "b"]})"), "nan");
}

TEST(InteractionTest, NeedsTwoNumbers) {
  EXPECT_THAT(FitTransform(Pair(), R"({"as": "f", "interaction": "a"})"), HasSubstr("two numbers a row or more"));
}

TEST(InteractionTest, OneVectorIsEnough) {
  TestTable table;
  table.Vectors("v", 3, {2, 3, 5});
  EXPECT_EQ(FitTransform(table, R"({"as": "f", "interaction": "v"})"), "6 10 15");
}

}  // namespace
}  // namespace slipway::features
