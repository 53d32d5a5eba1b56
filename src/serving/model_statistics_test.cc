#include "serving/model_statistics.h"

#include <gtest/gtest.h>

#include <thread>

namespace slipway::serving {
namespace {

TEST(ModelStatistics, AddsUpOverThreads) {
  ModelStatistics statistics;
  const auto count = [&](int thread) {
    CallCounters& counters = statistics.For(thread, "iris", "1.0.0");
    for (int i = 0; i < 1000; ++i) counters.Add(CallTotal::kRows, 3);
    counters.Touch(100 + thread);
  };
  {
    std::jthread one(count, 0), two(count, 1);
    while (statistics.Read("iris", "1.0.0")[CallTotal::kRows] < 1) std::this_thread::yield();
  }
  const CallTotals totals = statistics.Read("iris", "1.0.0");
  EXPECT_EQ(totals[CallTotal::kRows], 6000);
  EXPECT_EQ(totals[CallTotal::kFailed], 0);
  EXPECT_EQ(totals.last, 101);
}

TEST(ModelStatistics, KeepsVersionsApartAndGoesOnWhereAVersionStopped) {
  ModelStatistics statistics;
  statistics.For(0, "iris", "1.0.0").Add(CallTotal::kSucceeded, 2);
  statistics.For(0, "iris", "1.0.0").Add(CallTotal::kSucceeded, 3);
  EXPECT_EQ(statistics.Read("iris", "1.0.0")[CallTotal::kSucceeded], 5);
  EXPECT_EQ(statistics.Read("iris", "2.0.0")[CallTotal::kSucceeded], 0);
}

}  // namespace
}  // namespace slipway::serving
