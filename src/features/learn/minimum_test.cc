#include "features/learn/minimum.h"

#include <gtest/gtest.h>

#include <cmath>

namespace slipway::features {
namespace {

double Parabola(double x) {
  return (x - 0.7) * (x - 0.7) + 3;
}
double Steep(double x) {
  return std::cosh(x - 5);
}

TEST(MinimumTest, FindsTheMinimumInsideBounds) {
  EXPECT_NEAR(MinimumBetween(-10, 30, Parabola), 0.7, 1e-7);
  EXPECT_NEAR(MinimumBetween(-10, 30, Steep), 5, 1e-7);
}

TEST(MinimumTest, StopsAtABound) {
  EXPECT_NEAR(MinimumBetween(1, 4, Parabola), 1, 1e-6);
}

TEST(MinimumTest, WalksDownhillToABracket) {
  EXPECT_NEAR(MinimumNear(-2, 2, Parabola), 0.7, 1e-7);
  EXPECT_NEAR(MinimumNear(-2, 2, [](double x) { return std::cosh((x - 300) / 50); }), 300, 1e-4);
}

TEST(MinimumTest, AFunctionWithoutMinimumEnds) {
  EXPECT_FALSE(std::isnan(MinimumNear(-2, 2, [](double x) { return -x; }) * 0));
  EXPECT_TRUE(std::isfinite(MinimumBetween(-2, 2, [](double) { return std::nan(""); })));
}

}  // namespace
}  // namespace slipway::features
