#pragma once
// The families that predictions are counted in: Slipway's own, and Triton's under their names, so that dashboards made
// for Triton show this server. docs/operations/metrics.md lists them all.

#include <array>
#include <memory>

#include "live/live_set.h"
#include "serving/model_statistics.h"
#include "telemetry/metrics.h"

namespace slipway::serving {

struct PredictionMetrics {
  explicit PredictionMetrics(telemetry::MetricRegistry& registry);

  telemetry::CounterFamily calls;        ///< model, version, door, outcome
  telemetry::CounterFamily errors;       ///< model, version, door, code
  telemetry::CounterFamily fallbacks;    ///< model, version, reason, answer
  telemetry::CounterFamily rows;         ///< model, version, door, outcome
  telemetry::CounterFamily violations;   ///< model, version, code
  telemetry::HistogramFamily durations;  ///< model, version, door
  telemetry::HistogramFamily phases;     ///< model, version, door, phase

  /// nv_inference_…_duration_histogram_us, by model and version: of calls that succeeded.
  struct TritonHistograms {
    telemetry::Histogram request, queue, input, infer, output;
  };
  TritonHistograms Triton(std::string_view model, std::string_view version) const;

 private:
  std::array<telemetry::HistogramFamily, 5> triton_;
};

/// What is read from the statistics at every scrape: Triton's counters, and the calls in flight, of every version that
/// is loaded. `live` outlives the registry's last scrape.
void AddStatisticsReaders(const live::LiveSet& live, std::shared_ptr<const ModelStatistics> statistics,
                          telemetry::MetricRegistry& registry);
/// Families of the processes that models have for themselves. `live` outlives the registry's last scrape.
void AddProcessReaders(const live::LiveSet& live, telemetry::MetricRegistry& registry);

}  // namespace slipway::serving
