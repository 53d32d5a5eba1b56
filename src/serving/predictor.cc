#include "serving/predictor.h"

#include <fmt/format.h>

#include <algorithm>

namespace slipway::serving {
namespace {

base::Result<std::string_view> OnlyName(const live::Snapshot& snapshot) {
  constexpr size_t kShown = 16;
  const auto entries = snapshot.entries();
  if (entries.size() == 1) return entries.front().name;
  if (entries.empty()) {
    return base::Fail(base::Code::kUnavailable, "model.none", "no model is loaded; GET /models tells why");
  }
  std::string names;
  for (const auto& entry : entries.first(std::min(kShown, entries.size()))) {
    names += (names.empty() ? "" : ", ") + entry.name;
  }
  if (entries.size() > kShown) names += ", …";
  return base::Fail(base::Code::kInvalidArgument, "model.unnamed",
                    fmt::format("{} models are served, and none is named: name one of {}", entries.size(), names));
}

}  // namespace

struct alignas(64) Predictor::Thread {
  Thread(const live::LiveSet& live, int index) : index(index), reader(live) {}
  const int index;
  live::LiveReader reader;
  std::vector<std::shared_ptr<ServedModel>> models;
  std::string last_reference;  ///< most callers ask for the same thing again
  std::shared_ptr<ServedModel> last_model;
  RequestNote note;

  /// The newest snapshot; what it no longer holds is let go.
  const live::Snapshot& Follow() {
    bool changed = false;
    const live::Snapshot& snapshot = reader.Current(&changed);
    if (changed) {
      last_model = nullptr;
      std::erase_if(models, [&](const auto& served) { return !snapshot.Contains(served->model()); });
    }
    return snapshot;
  }
};

Predictor::Predictor(const live::LiveSet& live, telemetry::MetricRegistry& metrics, int threads,
                     const DecodeLimits& limits, const PredictionCacheOptions& cache, const base::Clock& clock)
    : live_(live),
      registry_(metrics),
      metrics_(metrics),
      statistics_(std::make_shared<ModelStatistics>()),
      limits_(limits),
      cache_(cache.memory.count > 0 ? std::make_shared<PredictionCache>(cache) : nullptr),
      clock_(clock) {
  AddStatisticsReaders(live, statistics_, metrics);
  if (cache_ != nullptr) {
    cache_metrics_.emplace(metrics);
    AddCacheReaders(cache_, metrics);
  }
  for (int i = 0; i < threads; ++i) threads_.push_back(std::make_unique<Thread>(live_, i));
}
Predictor::~Predictor() = default;

void Predictor::Forget(const live::LiveSet::Unloaded& version) {
  statistics_->Forget(version.name, version.version);
  registry_.Forget({{"model", version.name}, {"version", version.version}});
  if (cache_ != nullptr) cache_->Forget(static_cast<uint64_t>(version.index));
}

RequestNote& Predictor::note(int thread) {
  return threads_[static_cast<size_t>(thread)]->note;
}

void Predictor::Refresh(int thread) {
  threads_[static_cast<size_t>(thread)]->Follow();
}

base::Result<ServedModel*> Predictor::Acquire(int index, std::string_view reference) {
  Thread& thread = *threads_[static_cast<size_t>(index)];
  const live::Snapshot& snapshot = thread.Follow();
  if (thread.last_model == nullptr || thread.last_reference != reference) {
    thread.last_model = nullptr;
    SLIPWAY_ASSIGN(thread.last_model, Find(thread, reference, snapshot));
    thread.last_reference = reference;
  }
  thread.note.model = thread.last_model->model().name;
  thread.note.version = thread.last_model->model().version_text;
  return thread.last_model.get();
}

base::Result<std::shared_ptr<ServedModel>> Predictor::Pin(int index, std::string_view reference) {
  SLIPWAY_TRY(Acquire(index, reference));
  return threads_[static_cast<size_t>(index)]->last_model;
}

base::Result<std::shared_ptr<ServedModel>> Predictor::Find(Thread& thread, std::string_view reference,
                                                           const live::Snapshot& snapshot) {
  if (reference.empty()) {
    SLIPWAY_ASSIGN(reference, OnlyName(snapshot));
  }
  SLIPWAY_ASSIGN(auto model, snapshot.Resolve(reference));
  const auto known =
      std::ranges::find(thread.models, model->index, [](const auto& served) { return served->model().index; });
  if (known != thread.models.end()) return *known;
  CallCounters& counters = statistics_->For(thread.index, model->name, model->version_text);
  SLIPWAY_ASSIGN(auto served, ServedModel::Create(std::move(model), metrics_, counters, limits_, clock_));
  if (cache_ != nullptr) served->UseCache(*cache_, *cache_metrics_);
  return thread.models.emplace_back(std::move(served));
}

}  // namespace slipway::serving
