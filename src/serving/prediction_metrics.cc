#include "serving/prediction_metrics.h"

#include <functional>
#include <string>
#include <utility>

namespace slipway::serving {
namespace {

using telemetry::MetricSamples;

constexpr double kMicroseconds = 1e-3, kSeconds = 1e-9;  // of nanoseconds
constexpr int kSeries = 2048;

telemetry::HistogramFamily AddTritonHistogram(telemetry::MetricRegistry& registry, std::string_view what,
                                              std::string help) {
  return registry.AddHistogram({"nv_inference_" + std::string(what) + "_duration_histogram_us",
                                std::move(help),
                                {"model", "version"},
                                kSeries,
                                kMicroseconds});
}

/// Calls `read(name, version, totals)` for every version that is loaded.
template <typename Read>
void ForEachVersion(const live::LiveSet& live, const ModelStatistics& statistics, const Read& read) {
  for (const auto& entry : live.Current()->entries()) {
    for (const auto& model : entry.versions) {
      read(model->name, model->version_text, statistics.Read(model->name, model->version_text));
    }
  }
}

/// Adds families whose samples are made of one version's totals.
class TotalsReaders {
 public:
  TotalsReaders(const live::LiveSet& live, std::shared_ptr<const ModelStatistics> statistics,
                telemetry::MetricRegistry& registry)
      : live_(live), statistics_(std::move(statistics)), registry_(registry) {}

  using Value = std::function<int64_t(const CallTotals& totals)>;

  void AddCounter(std::string name, std::string help, Value value, double scale = 1) {
    registry_.AddCounterReader({std::move(name), std::move(help), {"model", "version"}, kSeries, scale},
                               ReadEach(std::move(value)));
  }
  void AddGauge(std::string name, std::string help, Value value) {
    registry_.AddGaugeReader({std::move(name), std::move(help), {"model", "version"}, kSeries},
                             ReadEach(std::move(value)));
  }
  /// Triton's words for what made calls fail.
  void AddFailures() {
    constexpr std::pair<const char*, CallTotal> kReasons[] = {{"REJECTED", CallTotal::kRejected},
                                                              {"CANCELED", CallTotal::kCancelled},
                                                              {"BACKEND", CallTotal::kEngine},
                                                              {"OTHER", CallTotal::kOther}};
    registry_.AddCounterReader({"nv_inference_request_failure",
                                "Number of failed inference requests, all batch sizes",
                                {"model", "version", "reason"},
                                kSeries},
                               [&live = live_, statistics = statistics_, kReasons](MetricSamples& samples) {
                                 ForEachVersion(live, *statistics,
                                                [&](const auto& name, const auto& version, const CallTotals& totals) {
                                                  for (const auto& [reason, total] : kReasons)
                                                    samples.Add({name, version, reason}, totals[total]);
                                                });
                               });
  }

 private:
  telemetry::MetricReader ReadEach(Value value) const {
    return [&live = live_, statistics = statistics_, value = std::move(value)](MetricSamples& samples) {
      ForEachVersion(live, *statistics, [&](const auto& name, const auto& version, const CallTotals& totals) {
        samples.Add({name, version}, value(totals));
      });
    };
  }

  const live::LiveSet& live_;
  const std::shared_ptr<const ModelStatistics> statistics_;
  telemetry::MetricRegistry& registry_;
};

TotalsReaders::Value Of(CallTotal total) {
  return [total](const CallTotals& totals) { return totals[total]; };
}

}  // namespace

PredictionMetrics::PredictionMetrics(telemetry::MetricRegistry& registry)
    : calls(registry.AddCounter({"slipway_predictions_total",
                                 "Prediction calls, by how they ended.",
                                 {"model", "version", "door", "outcome"},
                                 kSeries})),
      errors(registry.AddCounter({"slipway_prediction_errors_total",
                                  "Prediction calls that failed as a whole, by the code of the answer.",
                                  {"model", "version", "door", "code"},
                                  kSeries})),
      fallbacks(registry.AddCounter({"slipway_fallbacks_total",
                                     "Calls that another answered in the place of the version asked for.",
                                     {"model", "version", "reason", "answer"},
                                     kSeries})),
      rows(registry.AddCounter({"slipway_prediction_rows_total",
                                "Rows scored and rejected.",
                                {"model", "version", "door", "outcome"},
                                kSeries})),
      violations(registry.AddCounter({"slipway_violations_total",
                                      "Violations of the input schema, by code.",
                                      {"model", "version", "code"},
                                      kSeries})),
      durations(registry.AddHistogram({"slipway_prediction_duration_seconds",
                                       "Time of a call, from decoding to the encoded answer.",
                                       {"model", "version", "door"},
                                       1024,
                                       kSeconds})),
      phases(registry.AddHistogram({"slipway_prediction_phase_seconds",
                                    "Time of a call spent per phase.",
                                    {"model", "version", "door", "phase"},
                                    1024,
                                    kSeconds})),
      triton_{AddTritonHistogram(registry, "request", "Inference request duration in microseconds"),
              AddTritonHistogram(registry, "queue", "Time that requests waited for the model, in microseconds"),
              AddTritonHistogram(registry, "compute_input", "Compute input duration in microseconds"),
              AddTritonHistogram(registry, "compute_infer", "Compute inference duration in microseconds"),
              AddTritonHistogram(registry, "compute_output", "Compute output duration in microseconds")} {}

PredictionMetrics::TritonHistograms PredictionMetrics::Triton(std::string_view model, std::string_view version) const {
  return {triton_[0].With({model, version}), triton_[1].With({model, version}), triton_[2].With({model, version}),
          triton_[3].With({model, version}), triton_[4].With({model, version})};
}

void AddStatisticsReaders(const live::LiveSet& live, std::shared_ptr<const ModelStatistics> statistics,
                          telemetry::MetricRegistry& registry) {
  TotalsReaders readers(live, std::move(statistics), registry);
  const auto in_flight = [](const CallTotals& totals) { return totals.in_flight(); };
  readers.AddGauge("slipway_predictions_in_flight", "Prediction calls begun and not ended.", in_flight);
  readers.AddCounter("nv_inference_request_success", "Number of successful inference requests, all batch sizes",
                     Of(CallTotal::kSucceeded));
  readers.AddFailures();
  readers.AddCounter("nv_inference_count", "Number of inferences performed", Of(CallTotal::kRows));
  readers.AddCounter("nv_inference_exec_count", "Number of model executions performed", Of(CallTotal::kRuns));
  readers.AddCounter(
      "nv_inference_request_duration_us", "Cumulative inference request duration in microseconds",
      [](const CallTotals& totals) {
        return totals[CallTotal::kInputTime] + totals[CallTotal::kInferTime] + totals[CallTotal::kOutputTime];
      },
      kMicroseconds);
  readers.AddCounter("nv_inference_queue_duration_us",
                     "Cumulative inference queuing duration in microseconds; 0 while no call waits in a queue",
                     Of(CallTotal::kQueueTime), kMicroseconds);
  readers.AddCounter("nv_inference_compute_input_duration_us", "Cumulative compute input duration in microseconds",
                     Of(CallTotal::kInputTime), kMicroseconds);
  readers.AddCounter("nv_inference_compute_infer_duration_us", "Cumulative compute inference duration in microseconds",
                     Of(CallTotal::kInferTime), kMicroseconds);
  readers.AddCounter("nv_inference_compute_output_duration_us",
                     "Cumulative inference compute output duration in microseconds", Of(CallTotal::kOutputTime),
                     kMicroseconds);
  readers.AddGauge("nv_inference_pending_request_count",
                   "Instantaneous number of requests taken up and not answered, per model", in_flight);
}

void AddProcessReaders(const live::LiveSet& live, telemetry::MetricRegistry& registry) {
  using Read = std::function<void(const live::LoadedModel&, const engine::ProcessReading&, MetricSamples&)>;
  const auto each = [&live](Read read) {
    return [&live, read = std::move(read)](MetricSamples& samples) {
      const auto snapshot = live.Current();
      for (const auto& entry : snapshot->entries()) {
        for (const auto& model : entry.versions) {
          if (model->scorer == nullptr) continue;
          if (const auto process = model->scorer->process()) read(*model, *process, samples);
        }
      }
    };
  };
  registry.AddGaugeReader(
      {"slipway_engine_up", "1: the process that runs the model is up.", {"model", "version"}, kSeries},
      each([](const auto& model, const auto& process, MetricSamples& samples) {
        samples.Add({model.name, model.version_text}, int64_t{process.up});
      }));
  registry.AddGaugeReader(
      {"slipway_engine_memory_bytes", "Resident memory of that process.", {"model", "version"}, kSeries},
      each([](const auto& model, const auto& process, MetricSamples& samples) {
        samples.Add({model.name, model.version_text}, process.memory.count);
      }));
  registry.AddCounterReader({"slipway_engine_restarts_total",
                             "Ends of the process that runs the model, after each of which it is started again.",
                             {"model", "version", "reason"},
                             kSeries},
                            each([](const auto& model, const auto& process, MetricSamples& samples) {
                              for (const auto& [reason, count] : process.restarts) {
                                samples.Add({model.name, model.version_text, reason}, count);
                              }
                            }));
}

}  // namespace slipway::serving
