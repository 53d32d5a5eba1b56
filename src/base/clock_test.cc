#include "base/clock.h"

#include <gtest/gtest.h>

namespace slipway::base {
namespace {

using namespace std::chrono_literals;

TEST(ManualClockTest, MovesOnlyWhenTold) {
  ManualClock clock;
  const SteadyTime before = clock.Now();
  const WallTime wall_before = clock.WallNow();
  clock.Advance(5s);
  EXPECT_EQ(clock.Now() - before, 5s);
  EXPECT_EQ(clock.WallNow() - wall_before, 5s);
}

TEST(DeadlineTest, ExpiresAtItsTime) {
  ManualClock clock;
  const Deadline deadline{.at = clock.Now() + 10ms, .stop = {}, .clock = &clock};
  EXPECT_FALSE(deadline.Expired());
  clock.Advance(10ms);
  EXPECT_TRUE(deadline.Expired());
}

TEST(DeadlineTest, NeverExpiresByDefaultButCanBeStopped) {
  std::stop_source source;
  const Deadline deadline{.stop = source.get_token()};
  EXPECT_FALSE(deadline.Expired());
  EXPECT_FALSE(deadline.Stopped());
  source.request_stop();
  EXPECT_TRUE(deadline.Stopped());
}

TEST(SystemClockTest, DoesNotRunBackwards) {
  const SteadyTime first = Clock::System().Now();
  EXPECT_GE(Clock::System().Now(), first);
}

}  // namespace
}  // namespace slipway::base
