#include "telemetry/trace_sampler.h"

#include <gtest/gtest.h>

namespace slipway::telemetry {
namespace {

int Kept(const TraceSampler& sampler, int traces) {
  int kept = 0;
  for (int i = 0; i < traces; ++i) kept += sampler.SamplesRoot(TraceContext::NewRoot());
  return kept;
}

TEST(TraceSampler, KeepsTheShareOfNewTraces) {
  EXPECT_EQ(Kept(TraceSampler({.share = 0}), 1000), 0);
  EXPECT_EQ(Kept(TraceSampler({.share = 1}), 1000), 1000);
  EXPECT_NEAR(Kept(TraceSampler({.share = 0.25}), 40'000), 10'000, 600);  // seven standard deviations
}

TEST(TraceSampler, ACallersFlagDecidesOnItsTrace) {
  const auto sampled = *TraceContext::Parse("00-4bf92f3577b34da6a300000000000000-00f067aa0ba902b7-01");
  const auto unsampled = *TraceContext::Parse("00-4bf92f3577b34da6a3ffffffffffffff-00f067aa0ba902b7-00");
  const TraceSampler sampler({.share = 0.5});
  EXPECT_TRUE(sampler.SamplesChildOf(sampled));
  EXPECT_FALSE(sampler.SamplesChildOf(unsampled));
}

TEST(TraceSampler, WithoutParentsTheIdDecidesOnEveryTrace) {
  const auto low = *TraceContext::Parse("00-4bf92f3577b34da6a300000000000000-00f067aa0ba902b7-01");
  const auto high = *TraceContext::Parse("00-4bf92f3577b34da6a3ffffffffffffff-00f067aa0ba902b7-00");
  const TraceSampler sampler({.share = 0.5, .parent_based = false});
  EXPECT_FALSE(sampler.SamplesChildOf(low));
  EXPECT_TRUE(sampler.SamplesChildOf(high));
}

}  // namespace
}  // namespace slipway::telemetry
