#include "telemetry/metrics.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

namespace slipway::telemetry {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string Text(const MetricRegistry& registry, Exposition form = Exposition::kPrometheus) {
  std::string out;
  registry.WriteText(out, form);
  return out;
}

TEST(Metrics, CounterIsWrittenWithHelpTypeAndLabels) {
  MetricRegistry registry;
  const auto family = registry.AddCounter({"slipway_requests_total", "Requests answered.", {"model", "version"}});
  family.With({"iris", "1.0.0"}).Add(3);
  EXPECT_EQ(Text(registry),
            "# HELP slipway_requests_total Requests answered.\n"
            "# TYPE slipway_requests_total counter\n"
            "slipway_requests_total{model=\"iris\",version=\"1.0.0\"} 3\n");
}

TEST(Metrics, LabelValuesAndHelpAreEscaped) {
  MetricRegistry registry;
  registry.AddCounter({"a_total", "back\\slash\nline", {"l"}}).With({"quote\" back\\ line\n"}).Add();
  EXPECT_THAT(Text(registry), HasSubstr("# HELP a_total back\\\\slash\\nline\n"));
  EXPECT_THAT(Text(registry), HasSubstr("a_total{l=\"quote\\\" back\\\\ line\\n\"} 1\n"));
}

TEST(Metrics, HistogramBucketsAreCumulativeAndScaled) {
  MetricRegistry registry;
  static constexpr int64_t kBounds[] = {1'000'000, 10'000'000};
  const auto histogram = registry.AddHistogram({"d_seconds", "D.", {}, 512, 1e-9}, kBounds).With({});
  histogram.Observe(1'000'000);
  histogram.Observe(2'000'000);
  histogram.Observe(7'000'000'000);
  EXPECT_THAT(Text(registry), HasSubstr("d_seconds_bucket{le=\"0.001\"} 1\n"
                                        "d_seconds_bucket{le=\"0.01\"} 2\n"
                                        "d_seconds_bucket{le=\"+Inf\"} 3\n"
                                        "d_seconds_sum 7.003\n"
                                        "d_seconds_count 3\n"));
}

TEST(Metrics, GaugeGoesDownBelowZeroAndTakesABase) {
  MetricRegistry registry;
  const auto gauge = registry.AddGauge({"g", "G.", {}}).With({});
  gauge.Subtract(2);
  EXPECT_THAT(Text(registry), HasSubstr("g -2\n"));
  gauge.Set(2.5);
  EXPECT_THAT(Text(registry), HasSubstr("g 0.5\n"));
}

TEST(Metrics, GaugeReaderIsAskedAtEveryScrape) {
  MetricRegistry registry;
  double level = 1;
  registry.AddGaugeReader({"g", "G.", {}}, [&] { return level; });
  EXPECT_THAT(Text(registry), HasSubstr("g 1\n"));
  level = 2;
  EXPECT_THAT(Text(registry), HasSubstr("g 2\n"));
}

TEST(Metrics, ReadersGiveASampleForEachLabelSet) {
  MetricRegistry registry;
  registry.AddCounterReader({"read_us", "R.", {"model"}, 512, 1e-3}, [](MetricSamples& samples) {
    samples.Add({"iris"}, int64_t{1500});
    samples.Add({"quote\""}, int64_t{0});
  });
  registry.AddGaugeReader({"level", "L.", {}}, [](MetricSamples& samples) { samples.Add({}, 0.25); });
  EXPECT_EQ(Text(registry),
            "# HELP read_us R.\n# TYPE read_us counter\nread_us{model=\"iris\"} 1.5\nread_us{model=\"quote\\\"\"} 0\n"
            "# HELP level L.\n# TYPE level gauge\nlevel 0.25\n");
}

TEST(Metrics, OpenMetricsKeepsTheNameOfACounterWithoutTotal) {
  MetricRegistry registry;
  registry.AddCounter({"nv_inference_count", "C.", {}}).With({}).Add(2);
  EXPECT_EQ(Text(registry, Exposition::kOpenMetrics), "# HELP nv_inference_count C.\nnv_inference_count 2\n# EOF\n");
  EXPECT_THAT(Text(registry), HasSubstr("# TYPE nv_inference_count counter\nnv_inference_count 2\n"));
}

TEST(Metrics, EveryValueIsCountedUnderTheFirstBoundThatHoldsIt) {
  static constexpr int64_t kBounds[] = {0, 1, 3, 4, 5, 1000, int64_t{1} << 40};
  const MetricBuckets buckets(kBounds);
  std::vector<int64_t> values = {0, 1, 2, 3, 4, 5, 6, 7, 8, 999, 1000, 1001, int64_t{1} << 40, (int64_t{1} << 40) + 1};
  for (const int64_t value : values) {
    MetricRegistry registry;
    registry.AddHistogram({"h", "H.", {}}, kBounds).With({}).Observe(value);
    const auto bound = std::ranges::lower_bound(kBounds, value);
    const std::string text = bound == std::end(kBounds) ? "+Inf" : fmt::format("{}", static_cast<double>(*bound));
    const std::string before = bound == std::begin(kBounds) ? "" : fmt::format("{}", static_cast<double>(*(bound - 1)));
    EXPECT_THAT(Text(registry), HasSubstr("h_bucket{le=\"" + text + "\"} 1\n")) << value;
    EXPECT_THAT(Text(registry), Not(HasSubstr("h_bucket{le=\"" + before + "\"} 1\n"))) << value;
  }
  EXPECT_EQ(buckets.first[0], 0);
  EXPECT_EQ(buckets.first[64], 7);
}

TEST(Metrics, LabelSetsPastTheBoundShareOneSeries) {
  MetricRegistry registry;
  const auto family = registry.AddCounter({"c_total", "C.", {"l"}, 2});
  family.With({"a"}).Add();
  family.With({"b"}).Add();
  family.With({"c"}).Add();
  family.With({"d"}).Add();
  EXPECT_THAT(Text(registry), HasSubstr("c_total{l=\"other\"} 2\n"));
  EXPECT_THAT(Text(registry), Not(HasSubstr("l=\"c\"")));
}

TEST(Metrics, SameLabelsGiveTheSameSeries) {
  MetricRegistry registry;
  const auto family = registry.AddCounter({"c_total", "C.", {"l"}});
  family.With({"a"}).Add();
  registry.AddCounter({"c_total", "C.", {"l"}}).With({"a"}).Add();
  EXPECT_THAT(Text(registry), HasSubstr("c_total{l=\"a\"} 2\n"));
}

TEST(Metrics, OpenMetricsNamesCountersWithoutTotalAndEnds) {
  MetricRegistry registry;
  registry.AddCounter({"c_total", "C.", {}}).With({}).Add();
  EXPECT_EQ(Text(registry, Exposition::kOpenMetrics), "# HELP c C.\n# TYPE c counter\nc_total 1\n# EOF\n");
}

TEST(Metrics, ABoundOfTheRegistryHoldsForEveryFamily) {
  MetricRegistry registry(2);
  const auto family = registry.AddCounter({"c_total", "C.", {"l"}, 1000});
  for (const char* value : {"a", "b", "c", "d"}) family.With({value}).Add();
  EXPECT_THAT(Text(registry), HasSubstr("c_total{l=\"b\"} 1\n"));
  EXPECT_THAT(Text(registry), HasSubstr("c_total{l=\"other\"} 2\n"));
}

TEST(Metrics, NothingIsLostWhileThreadsCountAndAnotherScrapes) {
  MetricRegistry registry;
  const auto counter = registry.AddCounter({"c_total", "C.", {}}).With({});
  const auto histogram = registry.AddHistogram({"h", "H.", {}}, RowBounds()).With({});
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 20'000; ++i) {
          counter.Add();
          histogram.Observe(i & 7);
        }
      });
    }
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) EXPECT_FALSE(Text(registry).empty());
    });
  }
  EXPECT_THAT(Text(registry), HasSubstr("c_total 80000\n"));
  EXPECT_THAT(Text(registry), HasSubstr("h_count 80000\n"));
}

TEST(Metrics, CountsOfEndedThreadsStayAndTheirCellsAreTakenOver) {
  MetricRegistry registry;
  const auto counter = registry.AddCounter({"c_total", "C.", {}}).With({});
  for (int t = 0; t < 100; ++t) std::jthread([&] { counter.Add(); }).join();
  EXPECT_THAT(Text(registry), HasSubstr("c_total 100\n"));
}

TEST(Metrics, TwoRegistriesOnOneThreadStayApart) {
  MetricRegistry a, b;
  const auto in_a = a.AddCounter({"c_total", "C.", {}}).With({});
  const auto in_b = b.AddCounter({"c_total", "C.", {}}).With({});
  in_a.Add();
  in_b.Add(5);
  in_a.Add();
  EXPECT_THAT(Text(a), HasSubstr("c_total 2\n"));
  EXPECT_THAT(Text(b), HasSubstr("c_total 5\n"));
}

TEST(Metrics, DefaultHandlesCountNothing) {
  Counter().Add();
  Gauge().Set(1);
  Histogram().Observe(1);
}

TEST(Metrics, ManySeriesReachPastOneBlock) {
  MetricRegistry registry;
  const auto family = registry.AddHistogram({"h", "H.", {"l"}, 200}, RowBounds());
  Histogram last;
  for (int i = 0; i < 150; ++i) last = family.With({std::to_string(i)});
  last.Observe(3);
  EXPECT_THAT(Text(registry), HasSubstr("h_count{l=\"149\"} 1\n"));
  EXPECT_THAT(Text(registry), HasSubstr("h_count{l=\"0\"} 0\n"));
}

TEST(MetricRegistry, WhatIsForgottenMakesRoomForOthers) {
  MetricRegistry metrics;
  const auto calls = metrics.AddCounter({"calls_total", "Calls.", {"model", "version"}, 2});
  const auto times = metrics.AddHistogram({"times", "Times.", {"model", "version"}, 2});
  calls.With({"a", "1"}).Add(5);
  calls.With({"a", "2"}).Add(7);
  times.With({"a", "1"}).Observe(1000);
  metrics.Forget({{"model", "a"}, {"version", "1"}});
  calls.With({"a", "3"}).Add(2);
  times.With({"a", "3"}).Observe(1000);
  std::string text;
  metrics.WriteText(text);
  EXPECT_EQ(text.find("version=\"1\""), std::string::npos) << text;
  EXPECT_EQ(text.find("other"), std::string::npos) << text;
  EXPECT_NE(text.find("calls_total{model=\"a\",version=\"2\"} 7\n"), std::string::npos) << text;
  EXPECT_NE(text.find("calls_total{model=\"a\",version=\"3\"} 2\n"), std::string::npos) << text;
  EXPECT_NE(text.find("times_count{model=\"a\",version=\"3\"} 1\n"), std::string::npos) << text;
}

TEST(MetricRegistry, ForgettingLeavesFamiliesWithoutTheLabelsAlone) {
  MetricRegistry metrics;
  metrics.AddCounter({"all_total", "All.", {"model"}}).With({"a"}).Add(3);
  metrics.Forget({{"model", "a"}, {"version", "1"}});
  std::string text;
  metrics.WriteText(text);
  EXPECT_NE(text.find("all_total{model=\"a\"} 3\n"), std::string::npos) << text;
}

}  // namespace
}  // namespace slipway::telemetry
