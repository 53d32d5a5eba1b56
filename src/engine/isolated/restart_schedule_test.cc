#include "engine/isolated/restart_schedule.h"

#include <gtest/gtest.h>

namespace slipway::engine::isolated {
namespace {

using namespace std::chrono_literals;

constexpr RestartOptions kOptions{.first = 100ms, .most = 1s, .healthy = 60s};

TEST(RestartSchedule, StartsAtOnceAndThenWaitsTwiceAsLongEachTime) {
  RestartSchedule schedule(kOptions);
  EXPECT_EQ(schedule.Next(5s, 0), 0s);
  EXPECT_EQ(schedule.Next(0s, 0), 100ms);
  EXPECT_EQ(schedule.Next(59s, 0), 200ms);
  EXPECT_EQ(schedule.Next(0s, 0), 400ms);
  EXPECT_EQ(schedule.Next(0s, 0), 800ms);
  EXPECT_EQ(schedule.Next(0s, 0), 1s);
  EXPECT_EQ(schedule.Next(0s, 0), 1s);
}

TEST(RestartSchedule, BeginsAnewAfterAWhileOfHealth) {
  RestartSchedule schedule(kOptions);
  schedule.Next(0s, 0);
  schedule.Next(0s, 0);
  EXPECT_EQ(schedule.Next(60s, 0), 0s);
  EXPECT_EQ(schedule.Next(0s, 0), 100ms);
}

TEST(RestartSchedule, TakesARandomPartOff) {
  RestartSchedule schedule(kOptions);
  schedule.Next(0s, 1);
  EXPECT_EQ(schedule.Next(0s, 1), 50ms);
  EXPECT_EQ(schedule.Next(0s, 0.5), 150ms);
}

}  // namespace
}  // namespace slipway::engine::isolated
