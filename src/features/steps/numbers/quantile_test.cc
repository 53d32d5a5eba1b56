#include "features/pipeline_fixture.h"

namespace slipway::features {
namespace {

TestTable X(const TestTable::Cells<double>& cells) {
  TestTable table;
  table.Numbers("x", cells);
  return table;
}

TEST(QuantileTest, IsTheRankInTheTrainingData) {
  EXPECT_EQ(FitTransform(X({10, 20, 30, 40, 50}), X({10, 25, 50, 0, 99, kNull, kInf, -kInf}),
                         R"({"as": "f", "quantile": "x"})"),
            "0 | 0.375 | 1 | 0 | 1 | nan | 1 | 0");
}

TEST(QuantileTest, RepeatedValuesTakeTheMiddleOfTheirRanks) {
  EXPECT_EQ(FitTransform(X({0, 1, 1, 1, 2}), X({1}), R"({"as": "f", "quantile": "x"})"), "0.5");
}

TEST(QuantileTest, NormalEndsAreCutAtTheTwins) {
  EXPECT_EQ(FitTransform(X({10, 20, 30}), X({20, 0, 99}), R"({"as": "f", "quantile": "x", "output": "normal"})"),
            "0 | -5.199337582605575 | 5.19933758270342");
}

TEST(QuantileTest, AConstantColumnHasTheLowestRank) {
  EXPECT_EQ(FitTransform(X({3, 3, 3}), X({3, 2, 4}), R"({"as": "f", "quantile": "x"})"), "0 | 0 | 1");
}

// The way from the one to the other is infinite; what lay between was missing.
TEST(QuantileTest, BetweenHugeQuantilesIsAShare) {
  TestTable train, serve;
  train.Numbers("x", {-1e308, 1e308});
  serve.Numbers("x", {-5e307, 0, 9e307});
  EXPECT_EQ(FitTransform(train, serve, R"({"as": "f", "quantile": "x"})"), "0.25 | 0.5 | 0.95");
}

}  // namespace
}  // namespace slipway::features
