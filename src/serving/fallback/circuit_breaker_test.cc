#include "serving/fallback/circuit_breaker.h"

#include <gtest/gtest.h>

namespace slipway::serving {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using State = CircuitBreaker::State;

class CircuitBreakerTest : public testing::Test {
 protected:
  void Fail(int times) {
    for (int i = 0; i < times && breaker_.Allow(now_); ++i) breaker_.Fail(now_);
  }
  void Succeed(int times) {
    for (int i = 0; i < times && breaker_.Allow(now_); ++i) breaker_.Succeed(now_);
  }
  base::SteadyTime now_ = base::SteadyTime(std::chrono::hours(1));
  CircuitBreaker breaker_;
};

TEST_F(CircuitBreakerTest, OpensAfterFiveFailuresInARow) {
  Fail(4);
  EXPECT_TRUE(breaker_.Allow(now_));
  breaker_.Fail(now_);
  EXPECT_FALSE(breaker_.Allow(now_));
  EXPECT_EQ(breaker_.state(), State::kOpen);
  EXPECT_EQ(breaker_.openings(), 1);
}

TEST_F(CircuitBreakerTest, ASuccessBetweenThemKeepsItClosed) {
  for (int i = 0; i < 3; ++i) {
    Fail(4);
    Succeed(7);
  }
  EXPECT_EQ(breaker_.state(), State::kClosed);
}

TEST_F(CircuitBreakerTest, OpensWhenHalfOfManyCallsFail) {
  for (int i = 0; i < 15 && breaker_.state() == State::kClosed; ++i) {
    Fail(1);
    Succeed(1);
  }
  EXPECT_EQ(breaker_.state(), State::kOpen);
}

TEST_F(CircuitBreakerTest, OldFailuresDoNotCount) {
  for (int i = 0; i < 9; ++i) {
    Fail(1);
    Succeed(1);
  }
  now_ += seconds(11);
  Fail(4);
  EXPECT_EQ(breaker_.state(), State::kClosed);
}

TEST_F(CircuitBreakerTest, LetsOneCallTryAfterItsPause) {
  Fail(5);
  now_ += milliseconds(999);
  EXPECT_FALSE(breaker_.Allow(now_));
  now_ += milliseconds(1);
  EXPECT_TRUE(breaker_.Allow(now_));
  EXPECT_FALSE(breaker_.Allow(now_));  // one at a time
  breaker_.Succeed(now_);
  EXPECT_EQ(breaker_.state(), State::kClosed);
  EXPECT_TRUE(breaker_.Allow(now_));
}

TEST_F(CircuitBreakerTest, EachFailedTryDoublesThePauseUpToHalfAMinute) {
  Fail(5);
  for (const int pause : {1, 2, 4, 8, 16, 30, 30}) {
    now_ += seconds(pause) - milliseconds(1);
    EXPECT_FALSE(breaker_.Allow(now_)) << pause;
    now_ += milliseconds(1);
    ASSERT_TRUE(breaker_.Allow(now_)) << pause;
    breaker_.Fail(now_);
  }
}

TEST_F(CircuitBreakerTest, ATryThatSaysNothingIsFollowedByAnother) {
  Fail(5);
  now_ += seconds(1);
  EXPECT_TRUE(breaker_.Allow(now_));
  breaker_.Withdraw();
  EXPECT_TRUE(breaker_.Allow(now_));
}

}  // namespace
}  // namespace slipway::serving
