#include "features/learn/moments.h"

#include <gtest/gtest.h>

#include <cmath>

#include <limits>

namespace slipway::features {
namespace {

TEST(MomentsTest, SmallChangesOnALargeValueAreNotLost) {
  Moments moments;
  for (int i = 0; i < 1000; ++i) moments.Add(1e15 + (i % 2 == 0 ? 0.5 : -0.5));
  EXPECT_EQ(moments.Mean(), 1e15);
  EXPECT_EQ(moments.Variance(), 0.25);
}

TEST(MomentsTest, ManyTenthsAverageToATenth) {
  Moments moments;
  for (int i = 0; i < 1'000'000; ++i) moments.Add(0.1);
  EXPECT_EQ(moments.Mean(), 0.1);
  EXPECT_EQ(moments.Variance(), 0);
}

TEST(MomentsTest, OppositeExtremesCancelExactly) {
  Moments moments;
  for (const double x : {1e20, 3.0, -1e20, 3.0, 3.0, 3.0}) moments.Add(x);
  EXPECT_EQ(moments.Mean(), 2);
}

TEST(MomentsTest, ARepeatedValueCountsAsOftenAsItCame) {
  Moments once, together;
  for (const double x : {0.1, 1e15, -3.25}) {
    for (int i = 0; i < 1000; ++i) once.Add(x);
    together.Add(x, 1000);
  }
  together.Add(5, 0);
  EXPECT_EQ(together.count(), 3000);
  EXPECT_EQ(together.Mean(), once.Mean());
  EXPECT_EQ(together.Variance(), once.Variance());
}

TEST(MomentsTest, OverflowShows) {
  Moments moments;
  moments.Add(std::numeric_limits<double>::max());
  moments.Add(-std::numeric_limits<double>::max());
  EXPECT_FALSE(std::isfinite(moments.Variance()));
}

}  // namespace
}  // namespace slipway::features
