#include "telemetry/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <deque>
#include <iterator>
#include <map>
#include <mutex>
#include <optional>

namespace slipway::telemetry {
namespace {

constexpr int64_t kMicro = 1000, kMilli = 1'000'000, kSecond = 1'000'000'000;
constexpr int64_t kLatencyBounds[] = {10 * kMicro,  20 * kMicro, 50 * kMicro,  100 * kMicro, 200 * kMicro,
                                      500 * kMicro, kMilli,      2 * kMilli,   5 * kMilli,   10 * kMilli,
                                      20 * kMilli,  50 * kMilli, 100 * kMilli, 200 * kMilli, 500 * kMilli,
                                      kSecond,      2 * kSecond, 5 * kSecond,  10 * kSecond};
constexpr int64_t kRowBounds[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536};

enum Kind : int { kCounter, kGauge, kHistogram };

void AppendEscaped(std::string& out, std::string_view text, bool quotes) {
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && quotes) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
}

/// `label="value"`, behind a comma unless it is the first.
void AppendLabel(std::string_view label, std::string_view value, std::string& out) {
  if (!out.empty()) out += ',';
  out += label;
  out += "=\"";
  AppendEscaped(out, value, true);
  out += '"';
}

void AppendValue(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "NaN";
  } else if (std::isinf(value)) {
    out += value > 0 ? "+Inf" : "-Inf";
  } else {
    fmt::format_to(std::back_inserter(out), "{}", value);
  }
}

void AppendScaled(std::string& out, uint64_t value, double scale) {
  if (scale == 1) {
    fmt::format_to(std::back_inserter(out), "{}", value);
  } else {
    AppendValue(out, static_cast<double>(value) * scale);
  }
}

}  // namespace

std::span<const int64_t> LatencyBounds() {
  return kLatencyBounds;
}
std::span<const int64_t> RowBounds() {
  return kRowBounds;
}

std::string_view ContentType(Exposition form) {
  return form == Exposition::kOpenMetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                          : "text/plain; version=0.0.4; charset=utf-8";
}

MetricBuckets::MetricBuckets(std::span<const int64_t> ascending) : bounds(ascending) {
  for (size_t width = 0; width < first.size(); ++width) {
    const uint64_t smallest = width == 0 ? 0 : uint64_t{1} << (width - 1);
    const auto found =
        std::ranges::find_if(bounds, [smallest](int64_t bound) { return static_cast<uint64_t>(bound) >= smallest; });
    first[width] = static_cast<uint8_t>(found - bounds.begin());
  }
}

struct MetricSeries {
  std::string labels;  ///< `a="b",c="d"`, escaped
  uint32_t cell = 0;
  std::atomic<double> base = 0;
};

struct MetricFamily {
  MetricDescription description;
  int kind = kCounter;
  std::optional<MetricBuckets> buckets;  ///< of a histogram
  std::vector<std::string> bound_texts;
  MetricReader read;
  std::map<std::vector<std::string>, MetricSeries*, std::less<>> by_values;
  std::vector<MetricSeries*> free;  ///< forgotten, for others to take

  /// Whether the series of these values has what is asked of each label.
  bool Matches(const std::vector<std::string>& values, std::initializer_list<MetricRegistry::LabelValue> asked) const {
    return std::ranges::all_of(asked, [&](const auto& label) {
      const auto place = std::ranges::find(description.labels, label.first);
      return place != description.labels.end() &&
             values[static_cast<size_t>(place - description.labels.begin())] == label.second;
    });
  }
};

struct MetricRegistry::State {
  MetricCells cells;
  int max_series = 0;        ///< of every family; 0: each its own
  mutable std::mutex mutex;  ///< guards what follows; counting takes no lock
  std::deque<MetricFamily> families;
  std::deque<MetricSeries> series;
};

MetricRegistry::MetricRegistry(int max_series) : state_(std::make_unique<State>()) {
  state_->max_series = max_series;
}
MetricRegistry::~MetricRegistry() = default;

MetricFamily* MetricRegistry::AddFamily(MetricDescription description, int kind) {
  for (MetricFamily& family : state_->families) {
    if (family.description.name == description.name) {
      assert(family.kind == kind && family.description.labels == description.labels);
      return &family;
    }
  }
  MetricFamily& family = state_->families.emplace_back();
  family.description = std::move(description);
  family.kind = kind;
  return &family;
}

CounterFamily MetricRegistry::AddCounter(MetricDescription description) {
  const std::lock_guard lock(state_->mutex);
  return {this, AddFamily(std::move(description), kCounter)};
}

GaugeFamily MetricRegistry::AddGauge(MetricDescription description) {
  const std::lock_guard lock(state_->mutex);
  return {this, AddFamily(std::move(description), kGauge)};
}

HistogramFamily MetricRegistry::AddHistogram(MetricDescription description, std::span<const int64_t> bounds) {
  assert(bounds.size() <= 64 && std::ranges::is_sorted(bounds));
  const std::lock_guard lock(state_->mutex);
  MetricFamily* family = AddFamily(std::move(description), kHistogram);
  if (!family->buckets) {
    family->buckets.emplace(bounds);
    for (const int64_t bound : bounds) {
      std::string& text = family->bound_texts.emplace_back();
      AppendValue(text, static_cast<double>(bound) * family->description.scale);
    }
  }
  return {this, family};
}

void MetricRegistry::AddCounterReader(MetricDescription description, MetricReader read) {
  const std::lock_guard lock(state_->mutex);
  AddFamily(std::move(description), kCounter)->read = std::move(read);
}

void MetricRegistry::AddGaugeReader(MetricDescription description, MetricReader read) {
  const std::lock_guard lock(state_->mutex);
  AddFamily(std::move(description), kGauge)->read = std::move(read);
}

int MetricRegistry::MaxSeriesOf(const MetricFamily& family) const {
  return state_->max_series > 0 ? state_->max_series : family.description.max_series;
}

void MetricRegistry::AddGaugeReader(MetricDescription description, std::function<double()> read) {
  AddGaugeReader(std::move(description), [read = std::move(read)](MetricSamples& samples) { samples.Add({}, read()); });
}

void MetricRegistry::Forget(std::initializer_list<LabelValue> labels) {
  const std::lock_guard lock(state_->mutex);
  for (MetricFamily& family : state_->families) {
    std::erase_if(family.by_values, [&](const auto& entry) {
      if (!family.Matches(entry.first, labels)) return false;
      family.free.push_back(entry.second);
      return true;
    });
  }
}

MetricSeries& MetricRegistry::FindOrAdd(MetricFamily& family, std::initializer_list<std::string_view> values) {
  assert(values.size() == family.description.labels.size());
  const std::lock_guard lock(state_->mutex);
  std::vector<std::string> key(values.begin(), values.end());
  if (const auto found = family.by_values.find(key); found != family.by_values.end()) return *found->second;
  if (!key.empty() && std::ssize(family.by_values) >= MaxSeriesOf(family)) {
    std::ranges::fill(key, "other");
    if (const auto found = family.by_values.find(key); found != family.by_values.end()) return *found->second;
  }
  MetricSeries& series = NewSeries(family);
  for (size_t i = 0; i < key.size(); ++i) AppendLabel(family.description.labels[i], key[i], series.labels);
  family.by_values.emplace(std::move(key), &series);
  return series;
}

/// One that was forgotten, or a new one. With the mutex held.
MetricSeries& MetricRegistry::NewSeries(MetricFamily& family) {
  const auto cells = family.buckets ? static_cast<uint32_t>(family.buckets->bounds.size()) + 2 : 1;
  if (family.free.empty()) {
    MetricSeries& series = state_->series.emplace_back();
    series.cell = state_->cells.Allocate(cells);
    return series;
  }
  MetricSeries& series = *family.free.back();
  family.free.pop_back();
  series.labels.clear();
  series.base.store(0, std::memory_order_relaxed);
  state_->cells.Reset(series.cell, cells);
  return series;
}

Counter CounterFamily::With(std::initializer_list<std::string_view> values) const {
  return {&registry_->state_->cells, registry_->FindOrAdd(*family_, values).cell};
}

Gauge GaugeFamily::With(std::initializer_list<std::string_view> values) const {
  auto& series = registry_->FindOrAdd(*family_, values);
  return {&registry_->state_->cells, series.cell, &series.base};
}

Histogram HistogramFamily::With(std::initializer_list<std::string_view> values) const {
  return {&registry_->state_->cells, registry_->FindOrAdd(*family_, values).cell, &*family_->buckets};
}

namespace {

/// `name_suffix{labels,extra} `
void AppendSample(std::string& out, std::string_view name, std::string_view suffix, std::string_view labels,
                  std::string_view extra = {}) {
  out += name;
  out += suffix;
  if (!labels.empty() || !extra.empty()) {
    out += '{';
    out += labels;
    if (!labels.empty() && !extra.empty()) out += ',';
    out += extra;
    out += '}';
  }
  out += ' ';
}

void AppendHistogram(std::string& out, const MetricFamily& family, std::string_view labels, uint32_t cell,
                     const MetricCells& cells) {
  const std::string& name = family.description.name;
  const size_t bounds = family.bound_texts.size();
  uint64_t count = 0;
  for (size_t i = 0; i <= bounds; ++i) {
    count += cells.Sum(cell + static_cast<uint32_t>(i));
    const std::string_view bound = i < bounds ? std::string_view(family.bound_texts[i]) : "+Inf";
    AppendSample(out, name, "_bucket", labels, fmt::format("le=\"{}\"", bound));
    fmt::format_to(std::back_inserter(out), "{}\n", count);
  }
  AppendSample(out, name, "_sum", labels);
  AppendScaled(out, cells.Sum(cell + static_cast<uint32_t>(bounds) + 1), family.description.scale);
  out += '\n';
  AppendSample(out, name, "_count", labels);
  fmt::format_to(std::back_inserter(out), "{}\n", count);
}

/// HELP and TYPE. OpenMetrics names a counter's family without the suffix of its sample, and has no counters without.
void AppendTitle(std::string& out, const MetricDescription& description, int kind, Exposition form) {
  constexpr std::string_view kKinds[] = {"counter", "gauge", "histogram"};
  constexpr std::string_view kTotal = "_total";
  const bool open = form == Exposition::kOpenMetrics;
  std::string_view title = description.name;
  const bool known = !open || kind != kCounter || title.ends_with(kTotal);  // a family without TYPE is of unknown type
  if (open && kind == kCounter && known) title.remove_suffix(kTotal.size());
  fmt::format_to(std::back_inserter(out), "# HELP {} ", title);
  AppendEscaped(out, description.help, open);
  out += '\n';
  if (known) fmt::format_to(std::back_inserter(out), "# TYPE {} {}\n", title, kKinds[kind]);
}

}  // namespace

void MetricSamples::AppendName(std::initializer_list<std::string_view> values) {
  assert(values.size() == description_.labels.size());
  std::string labels;
  for (size_t i = 0; i < values.size(); ++i) AppendLabel(description_.labels[i], values.begin()[i], labels);
  AppendSample(out_, description_.name, "", labels);
}

void MetricSamples::Add(std::initializer_list<std::string_view> values, double value) {
  AppendName(values);
  AppendValue(out_, value * description_.scale);
  out_ += '\n';
}

void MetricSamples::Add(std::initializer_list<std::string_view> values, int64_t value) {
  AppendName(values);
  AppendScaled(out_, static_cast<uint64_t>(value), description_.scale);
  out_ += '\n';
}

void MetricRegistry::WriteText(std::string& out, Exposition form) const {
  const std::lock_guard lock(state_->mutex);
  for (const MetricFamily& family : state_->families) {
    if (family.by_values.empty() && !family.read) continue;
    AppendTitle(out, family.description, family.kind, form);
    if (family.read) {
      MetricSamples samples(family.description, out);
      family.read(samples);
    }
    for (const auto& [values, series] : family.by_values) {
      if (family.kind == kHistogram) {
        AppendHistogram(out, family, series->labels, series->cell, state_->cells);
        continue;
      }
      AppendSample(out, family.description.name, "", series->labels);
      const uint64_t counted = state_->cells.Sum(series->cell);
      if (family.kind == kCounter) {
        AppendScaled(out, counted, family.description.scale);
      } else {
        const double steps = static_cast<double>(static_cast<int64_t>(counted)) * family.description.scale;
        AppendValue(out, series->base.load(std::memory_order_relaxed) + steps);
      }
      out += '\n';
    }
  }
  if (form == Exposition::kOpenMetrics) out += "# EOF\n";
}

}  // namespace slipway::telemetry
