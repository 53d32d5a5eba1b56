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

TEST(QuantilesTest, CountsValuesUpToAnother) {
  Quantiles quantiles = Of({1, 2, 2, 4});
  EXPECT_EQ(quantiles.CountUpTo(0.5), 0);
  EXPECT_EQ(quantiles.CountUpTo(2), 3);
  EXPECT_EQ(quantiles.CountUpTo(3), 3);
  EXPECT_EQ(quantiles.CountUpTo(4), 4);
  EXPECT_EQ(quantiles.rank_error(), 0);
}

// The largest error of CountUpTo over values 0 … n - 1 that came in some order.
int64_t WorstCount(Quantiles& quantiles) {
  int64_t worst = 0;
  for (int64_t value = 0; value < quantiles.count(); value += 97) {
    worst = std::max(worst, std::abs(quantiles.CountUpTo(static_cast<double>(value)) - (value + 1)));
  }
  return worst;
}

TEST(QuantilesTest, PastTheBudgetCountsAreWithinTheErrorItStates) {
  constexpr int64_t kRows = 1'000'000;
  Quantiles shuffled(2000, 512), ascending(2000, 512), waves(2000, 512);
  for (int64_t i = 0; i < kRows; ++i) {
    shuffled.Add(static_cast<double>(i * 7919 % kRows));
    ascending.Add(static_cast<double>(i));
    const int64_t wave = i % 1000 * 1000 + i / 1000;
    waves.Add(static_cast<double>(wave));
  }
  for (Quantiles* quantiles : {&shuffled, &ascending, &waves}) {
    EXPECT_LE(WorstCount(*quantiles), quantiles->rank_error());
    EXPECT_LE(quantiles->rank_error(), 0.5 * kRows * std::log2(kRows / 512.0) / 512 + 1024);
    EXPECT_EQ(quantiles->CountUpTo(kRows), kRows);
  }
}

TEST(QuantilesTest, ARepeatedValueCountsAsOftenAsItCame) {
  Quantiles once(1000, 256), together(1000, 256);
  for (const int64_t times : {700, 5, 1, 123'456, 3}) {
    for (int64_t i = 0; i < times; ++i) once.Add(static_cast<double>(times));
    together.Add(static_cast<double>(times), times);
  }
  for (const double value : {0.0, 1.0, 3.0, 5.0, 700.0, 2e5}) {
    EXPECT_NEAR(static_cast<double>(together.CountUpTo(value)), static_cast<double>(once.CountUpTo(value)),
                static_cast<double>(together.rank_error() + once.rank_error()));
  }
  EXPECT_EQ(together.count(), once.count());
  EXPECT_EQ(together.Median(), 123'456);
}

}  // namespace
}  // namespace slipway::features
