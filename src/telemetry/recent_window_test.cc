#include "telemetry/recent_window.h"

#include <gtest/gtest.h>

#include <thread>

namespace slipway::telemetry {
namespace {

using std::chrono::microseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

class RecentWindowTest : public testing::Test {
 protected:
  void RecordOneToThousand() {
    for (int i = 1; i <= 1000; ++i) window_.Record(i % 2, clock_.Now(), microseconds(i), i % 100 == 0);
  }
  RecentWindow::Summary Read() const { return window_.Read(clock_.Now()); }

  base::ManualClock clock_;
  RecentWindow window_{2};
};

TEST_F(RecentWindowTest, IsEmptyAtFirst) {
  EXPECT_EQ(Read().count, 0);
  EXPECT_EQ(Read().p99, nanoseconds(0));
  EXPECT_EQ(Read().failure_rate(), 0);
}

TEST_F(RecentWindowTest, QuantilesAreAtMostAnEighthTooHigh) {
  RecordOneToThousand();
  const auto summary = Read();
  EXPECT_EQ(summary.count, 1000);
  EXPECT_DOUBLE_EQ(summary.failure_rate(), 0.01);
  EXPECT_GE(summary.p50, microseconds(500));
  EXPECT_LE(summary.p50, microseconds(563));
  EXPECT_GE(summary.p99, microseconds(990));
  EXPECT_LE(summary.max, microseconds(1125));
}

TEST_F(RecentWindowTest, ForgetsAfterAMinute) {
  RecordOneToThousand();
  clock_.Advance(seconds(59));
  EXPECT_EQ(Read().count, 1000);
  clock_.Advance(seconds(7));
  EXPECT_EQ(Read().count, 0);
}

TEST_F(RecentWindowTest, ASlotOfTimeBeginsAnew) {
  RecordOneToThousand();
  clock_.Advance(seconds(65));  // the same slot, thirteen slots later
  window_.Record(0, clock_.Now(), microseconds(1));
  EXPECT_EQ(Read().count, 1);
  EXPECT_EQ(Read().failures, 0);
}

TEST_F(RecentWindowTest, TakesAnyDuration) {
  window_.Record(0, clock_.Now(), nanoseconds(-5));
  window_.Record(0, clock_.Now(), nanoseconds(0));
  window_.Record(0, clock_.Now(), nanoseconds::max());
  EXPECT_EQ(Read().count, 3);
  EXPECT_GT(Read().max, std::chrono::minutes(9));
}

TEST_F(RecentWindowTest, MayBeReadWhileThreadsRecord) {
  std::jthread writer([&] {
    for (int i = 0; i < 20000; ++i) window_.Record(1, clock_.Now(), microseconds(i % 100));
  });
  for (int i = 0; i < 50; ++i) EXPECT_LE(Read().count, 20000);
  writer.join();
  EXPECT_EQ(Read().count, 20000);
}

}  // namespace
}  // namespace slipway::telemetry
