#pragma once
// Counters, gauges and histograms for operators, written out as Prometheus text or OpenMetrics.
//
//   MetricRegistry metrics;
//   auto requests = metrics.AddCounter({"slipway_requests_total", "Requests answered.", {"model", "version"}});
//   const Counter mine = requests.With({"flight-delay", "1.0.0"});   // once, when the model is loaded
//   mine.Add();                                                      // per request: a handful of nanoseconds

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "telemetry/metric_cells.h"

namespace slipway::telemetry {

/// Handles are small values, resolved once and copied freely; they must not outlive their registry. A default-made one
/// counts nothing. Thread-safety: all methods from any thread, without contention.
class Counter {
 public:
  Counter() = default;
  void Add(uint64_t amount = 1) const {
    if (cells_ != nullptr) cells_->Add(cell_, amount);
  }

 private:
  friend class CounterFamily;
  Counter(MetricCells* cells, uint32_t cell) : cells_(cells), cell_(cell) {}
  MetricCells* cells_ = nullptr;
  uint32_t cell_ = 0;
};

/// A level that threads raise and lower (connections open), or that one place sets (a version's state).
class Gauge {
 public:
  Gauge() = default;
  void Add(int64_t amount) const {
    if (cells_ != nullptr) cells_->Add(cell_, static_cast<uint64_t>(amount));
  }
  void Subtract(int64_t amount) const { Add(-amount); }
  /// Sets the base that the steps are added to. Not for hot paths.
  void Set(double value) const {
    if (base_ != nullptr) base_->store(value, std::memory_order_relaxed);
  }

 private:
  friend class GaugeFamily;
  Gauge(MetricCells* cells, uint32_t cell, std::atomic<double>* base) : cells_(cells), cell_(cell), base_(base) {}
  MetricCells* cells_ = nullptr;
  uint32_t cell_ = 0;
  std::atomic<double>* base_ = nullptr;
};

/// The upper bounds of a histogram, and where to start looking among them: a value's number of bits leaves few.
struct MetricBuckets {
  explicit MetricBuckets(std::span<const int64_t> ascending);
  std::span<const int64_t> bounds;
  std::array<uint8_t, 65> first{};  ///< by bit width of the value: the first bound that such a value may be under
};

/// A distribution over fixed buckets. Observations are integers in the family's own unit (nanoseconds, rows, bytes).
class Histogram {
 public:
  Histogram() = default;
  void Observe(int64_t value) const {
    if (cells_ == nullptr) return;
    const auto amount = static_cast<uint64_t>(std::max<int64_t>(value, 0));
    const auto count = static_cast<uint32_t>(buckets_->bounds.size());
    uint32_t bucket = buckets_->first[static_cast<size_t>(std::bit_width(amount))];
    while (bucket < count && static_cast<uint64_t>(buckets_->bounds[bucket]) < amount) ++bucket;
    cells_->Add(cell_ + bucket, 1);
    cells_->Add(cell_ + count + 1, amount);
  }

 private:
  friend class HistogramFamily;
  Histogram(MetricCells* cells, uint32_t cell, const MetricBuckets* buckets)
      : cells_(cells), cell_(cell), buckets_(buckets) {}
  MetricCells* cells_ = nullptr;
  uint32_t cell_ = 0;  ///< one cell a bucket (the last is +Inf), then the sum
  const MetricBuckets* buckets_ = nullptr;
};

/// Bounds for latencies, in nanoseconds: 10 µs to 10 s, about three a decade.
std::span<const int64_t> LatencyBounds();
/// Bounds for counts of rows: powers of two, 1 to 65,536.
std::span<const int64_t> RowBounds();

struct MetricDescription {
  /// With its unit and, for counters, `_total`. A counter whose name another program has made known without `_total`
  /// keeps it in both forms of text; OpenMetrics, which has no such counters, then shows it as of unknown type.
  std::string name;
  std::string help;
  std::vector<std::string> labels;
  /// Label sets past this number share one series whose values are all "other": a caller's text must never be able to
  /// fill the memory of whoever scrapes.
  int max_series = 512;
  double scale = 1;  ///< written value = counted value * scale, e.g. 1e-9 to show nanoseconds as seconds
};

class MetricRegistry;
struct MetricFamily;
struct MetricSeries;

/// With() finds or makes the series of a label set (values in the order of the labels). It takes a lock: call it at
/// load time, keep the handle. Families are small values, valid as long as their registry.
class CounterFamily {
 public:
  Counter With(std::initializer_list<std::string_view> values) const;

 private:
  friend class MetricRegistry;
  CounterFamily(MetricRegistry* registry, MetricFamily* family) : registry_(registry), family_(family) {}
  MetricRegistry* registry_;
  MetricFamily* family_;
};

class GaugeFamily {
 public:
  Gauge With(std::initializer_list<std::string_view> values) const;

 private:
  friend class MetricRegistry;
  GaugeFamily(MetricRegistry* registry, MetricFamily* family) : registry_(registry), family_(family) {}
  MetricRegistry* registry_;
  MetricFamily* family_;
};

class HistogramFamily {
 public:
  Histogram With(std::initializer_list<std::string_view> values) const;

 private:
  friend class MetricRegistry;
  HistogramFamily(MetricRegistry* registry, MetricFamily* family) : registry_(registry), family_(family) {}
  MetricRegistry* registry_;
  MetricFamily* family_;
};

/// Takes what a reader has to say at a scrape: one sample a label set (values in the order of the labels).
class MetricSamples {
 public:
  void Add(std::initializer_list<std::string_view> values, double value);
  void Add(std::initializer_list<std::string_view> values, int64_t value);

 private:
  friend class MetricRegistry;
  MetricSamples(const MetricDescription& description, std::string& out) : description_(description), out_(out) {}
  void AppendName(std::initializer_list<std::string_view> values);
  const MetricDescription& description_;
  std::string& out_;
};
using MetricReader = std::function<void(MetricSamples& samples)>;

enum class Exposition : uint8_t { kPrometheus, kOpenMetrics };
/// The Content-Type that goes with it.
std::string_view ContentType(Exposition form);

/// Owns all series of a process. Thread-safety: all methods from any thread; WriteText() never stops the counting.
class MetricRegistry {
 public:
  /// `max_series`: for every family in place of MetricDescription::max_series; 0: each has its own.
  explicit MetricRegistry(int max_series = 0);
  ~MetricRegistry();
  MetricRegistry(const MetricRegistry&) = delete;
  MetricRegistry& operator=(const MetricRegistry&) = delete;

  /// Adding a name twice gives the first family again. Precondition: same kind and labels.
  CounterFamily AddCounter(MetricDescription description);
  GaugeFamily AddGauge(MetricDescription description);
  /// `bounds`: ascending upper bounds in the counted unit, none below 0, at most 64, alive as long as the registry.
  HistogramFamily AddHistogram(MetricDescription description, std::span<const int64_t> bounds = LatencyBounds());
  /// Values that are asked for at every scrape, since they are counted elsewhere already. `read` must not call this
  /// registry, and is called by whoever scrapes for as long as the registry lives.
  void AddCounterReader(MetricDescription description, MetricReader read);
  void AddGaugeReader(MetricDescription description, MetricReader read);
  /// The same for one value without labels.
  void AddGaugeReader(MetricDescription description, std::function<double()> read);

  /// Removes the series in which each of these labels has its value, of all families: what they counted is gone, and
  /// others have room. Precondition: handles of theirs are used no more.
  using LabelValue = std::pair<std::string_view, std::string_view>;
  void Forget(std::initializer_list<LabelValue> labels);

  /// Appends every family in the order of registration.
  void WriteText(std::string& out, Exposition form = Exposition::kPrometheus) const;

 private:
  friend class CounterFamily;
  friend class GaugeFamily;
  friend class HistogramFamily;
  struct State;
  int MaxSeriesOf(const MetricFamily& family) const;
  MetricSeries& NewSeries(MetricFamily& family);
  MetricSeries& FindOrAdd(MetricFamily& family, std::initializer_list<std::string_view> values);
  MetricFamily* AddFamily(MetricDescription description, int kind);
  std::unique_ptr<State> state_;
};

}  // namespace slipway::telemetry
