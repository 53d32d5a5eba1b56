#include "features/learn/normal.h"

#include <gtest/gtest.h>

#include <cmath>

namespace slipway::features {
namespace {

// Expected: scipy.special.ndtri 1.17.
TEST(NormalQuantileTest, AgreesWithKnownValues) {
  EXPECT_EQ(NormalQuantile(0.5), 0);
  EXPECT_DOUBLE_EQ(NormalQuantile(0.975), 1.959963984540054);
  EXPECT_DOUBLE_EQ(NormalQuantile(0.25), -0.6744897501960817);
  EXPECT_DOUBLE_EQ(NormalQuantile(1e-10), -6.361340902404056);
  EXPECT_DOUBLE_EQ(NormalQuantile(1e-300), -37.0470962993612);
}

TEST(NormalQuantileTest, HasInfiniteEnds) {
  EXPECT_EQ(NormalQuantile(0), -HUGE_VAL);
  EXPECT_EQ(NormalQuantile(1), HUGE_VAL);
  EXPECT_TRUE(std::isnan(NormalQuantile(1.5)));
  EXPECT_TRUE(std::isnan(NormalQuantile(std::nan(""))));
}

}  // namespace
}  // namespace slipway::features
