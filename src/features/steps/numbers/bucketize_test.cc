#include "features/pipeline_fixture.h"

namespace slipway::features {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TestTable X(const TestTable::Cells<double>& cells) {
  TestTable table;
  table.Numbers("x", cells);
  return table;
}

TEST(BucketizeTest, CountsTheEdgesReached) {
  EXPECT_EQ(
      FitTransform(X({-1, 0, 5, 10, kInf, -kInf, kNull, kNan}), R"({"as": "f", "bucketize": "x", "edges": [0, 10]})"),
      "0 | 1 | 1 | 2 | 2 | 0 | nan | nan");
}

TEST(BucketizeTest, OneHotLeavesMissingAllZero) {
  const std::string step = R"({"as": "f", "bucketize": "x", "edges": [0, 10], "output": "one_hot"})";
  EXPECT_EQ(FitTransform(X({-1, 5, 10, kNull}), step), "1 0 0 | 0 1 0 | 0 0 1 | 0 0 0");
  EXPECT_THAT(ColumnNames(X({1}), step), ElementsAre("f=<0", "f=[0,10)", "f=>=10"));
}

TEST(BucketizeTest, LearnsQuantiles) {
  EXPECT_EQ(FitTransform(X({1, 2, 3, 4}), X({0, 2, 3, 99}),
                         R"({"as": "f", "bucketize": "x", "bins": 2, "output": "ordinal"})"),
            "0 | 0 | 1 | 1");
}

TEST(BucketizeTest, LearnsEvenBins) {
  EXPECT_EQ(FitTransform(X({0, 1, 100}), X({49, 51}),
                         R"({"as": "f", "bucketize": "x", "bins": 2, "strategy": "uniform", "output": "ordinal"})"),
            "0 | 1");
}

TEST(BucketizeTest, BinsOfNoWidthAreDropped) {
  EXPECT_THAT(ColumnNames(X({0, 0, 0, 0, 0, 0, 1, 2}), R"({"as": "f", "bucketize": "x", "bins": 4})").size(), 2);
}

TEST(BucketizeTest, AConstantColumnIsOneBin) {
  EXPECT_EQ(FitTransform(X({3, 3}), X({3, 9, kNull}), R"({"as": "f", "bucketize": "x"})"), "1 | 1 | 0");
}

TEST(BucketizeTest, EdgesMustAscend) {
  EXPECT_THAT(FitTransform(X({1}), R"({"as": "f", "bucketize": "x", "edges": [1, 1]})"), HasSubstr("do not ascend"));
}

TEST(BucketizeTest, EdgesAndBinsTogetherAreRefused) {
  EXPECT_THAT(FitTransform(X({1}), R"({"as": "f", "bucketize": "x", "edges": [1], "bins": 3})"),
              StartsWith("features.bad_parameter"));
}

}  // namespace
}  // namespace slipway::features
