#include "serving/cache/redis/circuit.h"

#include <gtest/gtest.h>

namespace slipway::serving {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

class CircuitTest : public testing::Test {
 protected:
  /// How long after a failure the next attempt is, at the most.
  nanoseconds Distance() {
    circuit_.Fail(now_, kMostRandom);
    return circuit_.attempt_at() - now_;
  }
  static constexpr uint64_t kMostRandom = 50'000'000;  ///< half of the first distance
  Circuit circuit_;
  base::SteadyTime now_{std::chrono::hours(1)};
};

TEST_F(CircuitTest, BeginsWithAnAttempt) {
  EXPECT_FALSE(circuit_.closed());
  EXPECT_LT(circuit_.attempt_at(), now_);
}

TEST_F(CircuitTest, AFailureOpensItAndSpreadsTheAttempts) {
  circuit_.Close();
  circuit_.Fail(now_, 0);
  EXPECT_FALSE(circuit_.closed());
  EXPECT_EQ(circuit_.attempt_at() - now_, Circuit::kFirst / 2);
  Circuit other;
  other.Fail(now_, kMostRandom);
  EXPECT_EQ(other.attempt_at() - now_, Circuit::kFirst);
}

TEST_F(CircuitTest, AttemptsGrowApartUpToABound) {
  nanoseconds last = Distance();
  for (int i = 0; i < 6; ++i) {
    const auto next = Distance();
    EXPECT_GT(next, last);
    last = next;
  }
  for (int i = 0; i < 20; ++i) Distance();
  EXPECT_LE(Distance(), Circuit::kLongest);
  EXPECT_GE(Distance(), Circuit::kLongest / 2);
}

TEST_F(CircuitTest, OneLateAnswerDoesNotOpenItSeveralInARowDo) {
  circuit_.Close();
  EXPECT_FALSE(circuit_.BeSlow());
  EXPECT_FALSE(circuit_.BeSlow());
  circuit_.Succeed();
  EXPECT_FALSE(circuit_.BeSlow());
  EXPECT_FALSE(circuit_.BeSlow());
  EXPECT_TRUE(circuit_.BeSlow());
}

TEST_F(CircuitTest, WhatAnswersAttemptsButNothingElseIsTriedMoreAndMoreSeldom) {
  const auto first = Distance();
  circuit_.Close();
  EXPECT_GT(Distance(), first);
  circuit_.Close();
  circuit_.Succeed();
  EXPECT_EQ(Distance(), first);
}

}  // namespace
}  // namespace slipway::serving
