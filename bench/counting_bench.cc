// counting_bench: what counting one prediction costs. Prints one JSON object; nanoseconds, medians over rounds, one
// thread: the series that a call through an HTTP door adds to, and the readings of the clock between its phases.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "base/clock.h"
#include "telemetry/metrics.h"

namespace slipway {
namespace {

constexpr int kRounds = 11, kCalls = 200'000;
constexpr int kHistograms = 13;  ///< of requests, of predictions and their six phases, and Triton's five
constexpr int kCounters = 11;    ///< of requests, predictions and rows, and the totals that protocols report
constexpr int kReadings = 8;

double Median(std::vector<double> values) {
  std::ranges::nth_element(values, values.begin() + kRounds / 2);
  return values[kRounds / 2];
}

template <typename Call>
double NanosecondsEach(Call&& call) {
  std::vector<double> rounds;
  for (int round = 0; round < kRounds; ++round) {
    const auto begun = std::chrono::steady_clock::now();
    for (int i = 0; i < kCalls; ++i) call(i);
    rounds.push_back(std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begun).count() /
                     kCalls);
  }
  return Median(std::move(rounds));
}

int Main() {
  telemetry::MetricRegistry registry;
  std::array<telemetry::Histogram, kHistograms> histograms;
  std::array<telemetry::Counter, kCounters> counters;
  for (size_t i = 0; i < histograms.size(); ++i) {
    const auto family = registry.AddHistogram({fmt::format("bench_{}_seconds", i), "A duration.", {"model"}});
    histograms[i] = family.With({"logistic"});
  }
  for (size_t i = 0; i < counters.size(); ++i) {
    counters[i] = registry.AddCounter({fmt::format("bench_{}_total", i), "A count.", {"model"}}).With({"logistic"});
  }
  // Durations like those of a light model's phases: most of 0.1 to 10 µs, few much longer.
  std::mt19937_64 random(7);
  std::lognormal_distribution<double> durations(7, 1.2);
  std::vector<int64_t> times(4096);
  for (int64_t& time : times) time = static_cast<int64_t>(durations(random));
  const double counting = NanosecondsEach([&](int call) {
    const auto at = static_cast<size_t>(call);
    for (size_t i = 0; i < histograms.size(); ++i) histograms[i].Observe(times[(at + 97 * i) % times.size()]);
    for (const auto& counter : counters) counter.Add();
  });
  int64_t sum = 0;
  const double readings = NanosecondsEach([&](int) {
    for (int i = 0; i < kReadings; ++i) sum += base::Clock::System().Now().time_since_epoch().count();
  });
  fmt::print("{{\"counting_ns\": {:.1f}, \"clock_ns\": {:.1f}, \"checksum\": {}}}\n", counting, readings, sum & 1);
  return 0;
}

}  // namespace
}  // namespace slipway

int main() {
  return slipway::Main();
}
