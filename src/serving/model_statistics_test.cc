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
  EXPECT_EQ(totals.failed(), 0);
  EXPECT_EQ(totals.last, 101);
}

TEST(ModelStatistics, KeepsVersionsApartAndGoesOnWhereAVersionStopped) {
  ModelStatistics statistics;
  statistics.For(0, "iris", "1.0.0").Add(CallTotal::kSucceeded, 2);
  statistics.For(0, "iris", "1.0.0").Add(CallTotal::kSucceeded, 3);
  EXPECT_EQ(statistics.Read("iris", "1.0.0")[CallTotal::kSucceeded], 5);
  EXPECT_EQ(statistics.Read("iris", "2.0.0")[CallTotal::kSucceeded], 0);
}

TEST(ModelStatistics, CallsThatHaveNotEndedAreInFlight) {
  ModelStatistics statistics;
  CallCounters& counters = statistics.For(0, "iris", "1.0.0");
  counters.Add(CallTotal::kBegun, 5);
  counters.Add(CallTotal::kSucceeded, 2);
  counters.Add(CallTotal::kEngine, 1);
  EXPECT_EQ(statistics.Read("iris", "1.0.0").in_flight(), 2);
  EXPECT_EQ(statistics.Read("iris", "1.0.0").failed(), 1);
}

TEST(ModelStatistics, FailuresAreToldApartByWhoseFaultTheyAre) {
  const auto of = [](base::Code code, const char* reason) { return FailureOf({code, reason, "", ""}); };
  EXPECT_EQ(of(base::Code::kInvalidArgument, "json.malformed"), CallTotal::kRejected);
  EXPECT_EQ(of(base::Code::kResourceExhausted, "json.limit"), CallTotal::kRejected);
  EXPECT_EQ(of(base::Code::kDeadlineExceeded, "engine.deadline"), CallTotal::kCancelled);
  EXPECT_EQ(of(base::Code::kCancelled, "scoring.cancelled"), CallTotal::kCancelled);
  EXPECT_EQ(of(base::Code::kInvalidArgument, "engine.input"), CallTotal::kEngine);
  EXPECT_EQ(of(base::Code::kInternal, "engine.run"), CallTotal::kEngine);
  EXPECT_EQ(of(base::Code::kInternal, "serving.other"), CallTotal::kOther);
}

}  // namespace
}  // namespace slipway::serving
