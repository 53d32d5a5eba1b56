#include "features/learn/quantiles.h"

#include <gtest/gtest.h>

#include <cmath>

namespace slipway::features {
namespace {

Quantiles Of(std::initializer_list<double> values) {
  Quantiles quantiles(100);
  for (const double value : values) quantiles.Add(value);
  return quantiles;
}

// A permutation of 0 … n - 1.
Quantiles Shuffled(int64_t n, int64_t budget) {
  Quantiles quantiles(budget);
  for (int64_t i = 0; i < n; ++i) quantiles.Add(static_cast<double>(i * 7919 % n));
  return quantiles;
}

TEST(QuantilesTest, InterpolatesBetweenNeighbours) {
  Quantiles quantiles = Of({40, 10, 20, 30});
  EXPECT_EQ(quantiles.Quantile(0), 10);
  EXPECT_EQ(quantiles.Quantile(0.5), 25);
  EXPECT_EQ(quantiles.Quantile(0.9), 37);
  EXPECT_EQ(quantiles.Quantile(1), 40);
}

TEST(QuantilesTest, MedianOfAnEvenNumberIsTheMeanOfTheMiddle) {
  EXPECT_EQ(Of({1, 2, 3, 10}).Median(), 2.5);
  EXPECT_EQ(Of({3, 1, 2}).Median(), 2);
}

TEST(QuantilesTest, IsExactUpToTheBudget) {
  Quantiles quantiles = Shuffled(100'000, 100'000);
  EXPECT_TRUE(quantiles.exact());
  EXPECT_EQ(quantiles.Quantile(0.25), 24999.75);
}

TEST(QuantilesTest, PastTheBudgetTheRankIsWithinTheStatedBound) {
  constexpr int64_t kRows = 1'000'000;
  Quantiles quantiles = Shuffled(kRows, 64 * 1024);  // levels of 1024 values
  EXPECT_FALSE(quantiles.exact());
  const double bound = kRows * std::log2(kRows / 1024.0) / 1024;
  EXPECT_NEAR(quantiles.Quantile(0.01), 0.01 * kRows, bound);
  EXPECT_NEAR(quantiles.Quantile(0.5), 0.5 * kRows, bound);
  EXPECT_NEAR(quantiles.Quantile(0.99), 0.99 * kRows, bound);
  EXPECT_NEAR(quantiles.Median(), 0.5 * kRows, bound);
}

TEST(QuantilesTest, TheEndsStayExactPastTheBudget) {
  Quantiles quantiles = Shuffled(200'000, 1000);
  EXPECT_EQ(quantiles.Quantile(0), 0);
  EXPECT_EQ(quantiles.Quantile(1), 199'999);
}

TEST(QuantilesTest, TheSameValuesGiveTheSameSketch) {
  EXPECT_EQ(Shuffled(300'000, 1000).Quantile(0.3), Shuffled(300'000, 1000).Quantile(0.3));
}

// The difference of the two, and the sum of two such, are infinite; so were the answers.
TEST(QuantilesTest, HugeNumbersDoNotOverflow) {
  Quantiles quantiles(10);
  for (const double x : {-1e308, 1e308}) quantiles.Add(x);
  EXPECT_EQ(quantiles.Quantile(0.25), -5e307);
  EXPECT_EQ(quantiles.Quantile(0.5), 0);
  quantiles.Add(1e308);
  quantiles.Add(1e308);
  EXPECT_EQ(quantiles.Median(), 1e308);
}

}  // namespace
}  // namespace slipway::features
