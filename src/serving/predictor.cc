#include "serving/predictor.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace slipway::serving {
namespace {

base::Result<std::string_view> OnlyName(const live::Snapshot& snapshot) {
  constexpr size_t kShown = 16;
  const auto entries = snapshot.entries();
  const auto failed = snapshot.failed();
  const bool one_name = !failed.empty() && std::ranges::all_of(failed, [&](const auto& model) {
    return model->name == failed.front()->name;
  });
  if (entries.empty() && one_name) return failed.front()->name;
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

/// Another replica may have it: a balancer is told to ask there, where "unknown" would be passed on to the client.
base::Error StillLoading(std::string_view reference) {
  return {
      base::Code::kUnavailable,
      "model.loading",
      fmt::format("\"{}\" is not loaded, and this server is still starting; try again in a moment (GET /readyz tells "
                  "when all models are loaded)",
                  base::Shorten(reference)),
      {}};
}

}  // namespace

struct alignas(64) Predictor::Thread {
  Thread(const live::LiveSet& live, int index) : index(index), reader(live) {}
  const int index;
  live::LiveReader reader;
  std::vector<std::shared_ptr<ServedModel>> models;
  std::shared_ptr<const live::LoadedModel> unloaded;
  std::string last_reference;  ///< most callers ask for the same thing again
  std::shared_ptr<ServedModel> last_model;
  RequestNote note;
  std::optional<ServedModel::Waited> waited;

  /// The newest snapshot; what it no longer holds is let go.
  const live::Snapshot& Follow() {
    bool changed = false;
    const live::Snapshot& snapshot = reader.Current(&changed);
    if (changed) {
      last_model = nullptr;
      unloaded = nullptr;
      std::erase_if(models, [&](const auto& served) { return !snapshot.Contains(served->model()); });
    }
    return snapshot;
  }
};

namespace {

std::shared_ptr<ComputePool> MakePool(const PredictorOptions& options) {
  if (!options.compute.enabled) return nullptr;
  return std::make_shared<ComputePool>(
      ComputePoolOptions{.first_thread = options.threads, .waiting_most = options.compute.waiting_most});
}

}  // namespace

Predictor::Predictor(const live::LiveSet& live, telemetry::MetricRegistry& metrics, const PredictorOptions& options)
    : live_(live),
      registry_(metrics),
      metrics_(metrics),
      statistics_(std::make_shared<ModelStatistics>()),
      limits_(options.limits),
      cache_(options.cache.memory.count > 0 ? std::make_shared<PredictionCache>(options.cache) : nullptr),
      shared_cache_(options.shared_cache),
      flights_(std::make_shared<Flights>()),
      cold_starts_(options.cold_starts),
      clock_(*options.clock),
      compute_(options.compute),
      own_threads_(options.threads),
      pool_(MakePool(options)),
      workloads_(std::make_shared<Workloads>()) {
  AddStatisticsReaders(live, statistics_, metrics);
  AddProcessReaders(live, metrics);
  if (cache_ != nullptr) {
    cache_metrics_.emplace(metrics);
    AddCacheReaders(cache_, flights_, metrics);
  }
  if (pool_ != nullptr) AddWorkloadReaders(workloads_, pool_, metrics);
  const int threads = own_threads_ + (pool_ == nullptr ? 0 : pool_->threads_most());
  for (int i = 0; i < threads; ++i) threads_.push_back(std::make_unique<Thread>(live_, i));
}

Predictor::~Predictor() {
  Stop();
}

void Predictor::Stop() {
  if (pool_ != nullptr) pool_->Stop();
}

void Predictor::RefreshPool() {
  if (pool_ != nullptr) pool_->RunOnThreads([this](int thread) { Refresh(thread); });
}

std::shared_ptr<Workload> Predictor::WorkloadOf(const live::LoadedModel& model) const {
  if (pool_ == nullptr) return nullptr;
  return workloads_->Of(model, [&] { return std::make_shared<Workload>(model, compute_, *pool_, clock_); });
}

Predictor::Scope Predictor::Take(int thread, ServedModel::Waited waited) {
  auto& target = threads_[static_cast<size_t>(thread)]->waited;
  target = std::move(waited);
  return Scope(target);
}

const ServedModel::Waited* Predictor::waited(int thread) const {
  const auto& waited = threads_[static_cast<size_t>(thread)]->waited;
  return waited ? &*waited : nullptr;
}

RequestNote Predictor::TakeNote(int index) {
  Thread& thread = *threads_[static_cast<size_t>(index)];
  RequestNote note = std::move(thread.note);
  note.keep = thread.last_model;
  thread.note.Clear();
  return note;
}

void Predictor::Forget(const live::LiveSet::Unloaded& version) {
  if (!version.known_still) {
    statistics_->Forget(version.name, version.version);
    registry_.Forget({{"model", version.name}, {"version", version.version}});
  }
  if (cache_ != nullptr && version.index >= 0) cache_->Forget(static_cast<uint64_t>(version.index));
}

const std::shared_ptr<const live::LoadedModel>& Predictor::unloaded(int thread) const {
  return threads_[static_cast<size_t>(thread)]->unloaded;
}

base::Error Predictor::NotLoaded(const live::LoadedModel& model) const {
  if (!model.failure && cold_starts_ != nullptr) return cold_starts_->NotInTime(model);
  const std::string name = model.reference();
  if (!model.failure) return {base::Code::kUnavailable, "model.cold", name + " is not loaded", {}};
  return {base::Code::kUnavailable,
          "model.failed",
          fmt::format("{} could not be loaded ({}): {}", name, model.failure->reason, model.failure->Text()),
          {}};
}

void Predictor::CountUnloaded(int index, Door door, const live::LoadedModel& model, const base::Error& error) {
  Thread& thread = *threads_[static_cast<size_t>(index)];
  const std::string_view name = model.name, version = model.version_text, door_name = DoorName(door);
  metrics_.calls.With({name, version, door_name, OutcomeName(Outcome::kError)}).Add();
  metrics_.errors.With({name, version, door_name, error.reason}).Add();
  thread.note.model = name;
  thread.note.version = version;
  thread.note.keep = thread.unloaded;
}

live::ModelUse Predictor::UseOf(const live::ModelStatus& version) const {
  const CallTotals totals = statistics_->Read(version.name, version.version);
  live::ModelUse use{.in_flight = totals.in_flight()};
  if (totals.last > 0) use.last = base::SteadyTime(std::chrono::nanoseconds(totals.last));
  if (const auto workload = workloads_->Find(version.index)) use.in_flight += workload->Waiting();
  if (cold_starts_ != nullptr) use.waiting = cold_starts_->Waiting(version.index);
  return use;
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
  auto resolved = snapshot.Resolve(reference);
  if (!resolved) {
    thread.unloaded = snapshot.ResolveFailed(reference);
  } else {
    thread.unloaded = (*resolved)->cold() ? *resolved : nullptr;
  }
  if (thread.unloaded != nullptr) return std::unexpected(NotLoaded(*thread.unloaded));
  if (!resolved) {
    const bool final = started_.load(std::memory_order_relaxed) || resolved.error().code != base::Code::kNotFound;
    return std::unexpected(final ? std::move(resolved).error() : StillLoading(reference));
  }
  auto model = std::move(*resolved);
  const auto known =
      std::ranges::find(thread.models, model->index, [](const auto& served) { return served->model().index; });
  if (known != thread.models.end()) return *known;
  SLIPWAY_ASSIGN(auto served, Serve(thread, std::move(model)));
  if (cache_ != nullptr) served->UseCache(*cache_, shared_cache_, *cache_metrics_);
  return thread.models.emplace_back(std::move(served));
}

base::Result<std::shared_ptr<ServedModel>> Predictor::AcquireModel(int index,
                                                                   std::shared_ptr<const live::LoadedModel> model) {
  Thread& thread = *threads_[static_cast<size_t>(index)];
  const auto known =
      std::ranges::find(thread.models, model->index, [](const auto& served) { return served->model().index; });
  if (known != thread.models.end()) return *known;
  const bool stays = model->failure.has_value();  // it is shown as long as it is failed
  SLIPWAY_ASSIGN(std::shared_ptr<ServedModel> served, Serve(thread, std::move(model)));
  if (stays) thread.models.push_back(served);
  return served;
}

base::Result<std::shared_ptr<ServedModel>> Predictor::Serve(Thread& thread,
                                                            std::shared_ptr<const live::LoadedModel> model) {
  CallCounters& counters = statistics_->For(thread.index, model->name, model->version_text);
  if (model->failure) return ServedModel::Create(std::move(model), metrics_, counters, limits_, clock_);
  auto workload = WorkloadOf(*model);
  if (thread.index >= own_threads_) {
    return ServedModel::CreateOnPool(std::move(model), metrics_, counters, limits_, clock_, std::move(workload));
  }
  SLIPWAY_ASSIGN(auto served, ServedModel::Create(std::move(model), metrics_, counters, limits_, clock_));
  served->UseWorkload(std::move(workload));
  return served;
}

}  // namespace slipway::serving
