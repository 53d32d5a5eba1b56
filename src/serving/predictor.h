#pragma once
// Predictor: what stands between a door and the live set. A door asks it for the model that a reference means, on the
// thread it runs on, and gets everything needed to score there.

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "live/live_set.h"
#include "serving/cold/cold_starts.h"
#include "serving/compute/compute_pool.h"
#include "serving/compute/workload.h"
#include "serving/compute/workloads.h"
#include "serving/decode_limits.h"
#include "serving/served_model.h"
#include "telemetry/metrics.h"

namespace slipway::serving {

struct PredictorOptions {
  int threads = 1;  ///< that call it beside those of its pool: io threads
  DecodeLimits limits;
  PredictionCacheOptions cache;
  SharedCache* shared_cache = nullptr;  ///< with other servers; outlives the predictor; nullptr: there is none
  ComputeOptions compute = {.enabled = false};
  ColdStarts* cold_starts = nullptr;  ///< outlives the predictor; nullptr: everything is loaded before it is called
  const base::Clock* clock = &base::Clock::System();
};

/// Lifecycle: Stop() before what its callers' routes live in.
/// Thread-safety: Acquire(), note() and what else takes a thread's number by that thread; construction before the
/// threads. Ownership: the live set and the registry outlive it.
class Predictor {
 public:
  Predictor(const live::LiveSet& live, telemetry::MetricRegistry& metrics, const PredictorOptions& options);
  ~Predictor();
  /// Ends the pool's threads when they have done what they were given.
  void Stop();

  /// The model that "name[@selector]" means now, ready on thread number `thread`; valid until that thread's next call.
  /// An empty reference means the only name that is served. Errors: those of Snapshot::Resolve, or of the engine;
  /// "model.unnamed" when an empty reference could mean several, unavailable "model.none" when there is none;
  /// unavailable "model.loading" before MarkStarted() for what is not there yet, "model.cold" for what is known but not
  /// loaded, and "model.failed" for what could not be: of these two, unloaded() tells which version it is.
  base::Result<ServedModel*> Acquire(int thread, std::string_view reference);

  /// The same, kept usable on that thread as long as it is held.
  base::Result<std::shared_ptr<ServedModel>> Pin(int thread, std::string_view reference);

  /// A version by itself, on thread number `thread`, whether callers can name it or not.
  base::Result<std::shared_ptr<ServedModel>> AcquireModel(int thread, std::shared_ptr<const live::LoadedModel> model);
  /// The version that the thread's last Acquire() found, but could not give; nullptr: there is none.
  const std::shared_ptr<const live::LoadedModel>& unloaded(int thread) const;
  base::Error NotLoaded(const live::LoadedModel& model) const;
  /// Counts and notes a call of such a version, which was refused for `error`.
  void CountUnloaded(int thread, Door door, const live::LoadedModel& model, const base::Error& error);
  ColdStarts* cold_starts() const { return cold_starts_; }  ///< nullptr: all is loaded before it is called
  /// What calls make of a version at this moment.
  live::ModelUse UseOf(const live::ModelStatus& version) const;
  const live::LiveSet& live() const { return live_; }
  const PredictionMetrics& metrics() const { return metrics_; }

  /// What was asked for at the start is loaded: what is not found from now on does not exist. From any thread.
  void MarkStarted() { started_.store(true, std::memory_order_relaxed); }

  /// Lets go of versions that are served no more. By that thread.
  void Refresh(int thread);
  /// Has the pool's threads do so.
  void RefreshPool();

  /// Threads with a number: those of the options, then those of the pool.
  int threads() const { return static_cast<int>(threads_.size()); }
  Flights& flights() { return *flights_; }     ///< that calls for the pool share
  ComputePool* pool() { return pool_.get(); }  ///< nullptr: all calls run on the thread that reads them
  /// Whether a call of this size should run on the pool.
  bool BelongsOnPool(const Workload& workload, int64_t body_bytes) const {
    return workload.heavy() || body_bytes > compute_.large_body;
  }
  /// The version's; nullptr without a pool. Not to be held longer than the model.
  std::shared_ptr<Workload> WorkloadOf(const live::LoadedModel& model) const;

  /// The call at hand has waited, until the scope ends.
  class Scope;
  Scope Take(int thread, ServedModel::Waited waited);
  const ServedModel::Waited* waited(int thread) const;  ///< nullptr: the call at hand has just been read
  /// The note of the call at hand, with what it needs to be told elsewhere.
  RequestNote TakeNote(int thread);

  /// Lets go of what was counted and kept for a version that no thread uses any more. From any thread.
  void Forget(const live::LiveSet::Unloaded& version);

  /// What is noted of the request at hand: whoever answers it fills this in, and whoever has told it clears it.
  RequestNote& note(int thread);
  const ModelStatistics& statistics() const { return *statistics_; }
  const base::Clock& clock() const { return clock_; }
  const DecodeLimits& limits() const { return limits_; }

 private:
  struct Thread;
  base::Result<std::shared_ptr<ServedModel>> Find(Thread& thread, std::string_view reference,
                                                  const live::Snapshot& snapshot);
  base::Result<std::shared_ptr<ServedModel>> Serve(Thread& thread, std::shared_ptr<const live::LoadedModel> model);

  const live::LiveSet& live_;
  telemetry::MetricRegistry& registry_;
  const PredictionMetrics metrics_;
  const std::shared_ptr<ModelStatistics> statistics_;  ///< shared with what scrapes it
  const DecodeLimits limits_;
  const std::shared_ptr<PredictionCache> cache_;  ///< nullptr: none; shared with what scrapes it
  SharedCache* const shared_cache_;
  const std::shared_ptr<Flights> flights_;  ///< shared with what scrapes it
  std::optional<CacheMetrics> cache_metrics_;
  ColdStarts* const cold_starts_;
  const base::Clock& clock_;
  const ComputeOptions compute_;
  const int own_threads_;                    ///< of those that call; the pool's come behind them
  const std::shared_ptr<ComputePool> pool_;  ///< nullptr: none; shared with what scrapes it
  /// Not owned: they go with the last thread that uses the version, as they must not outlive it.
  const std::shared_ptr<Workloads> workloads_;  ///< shared with what scrapes it
  std::atomic<bool> started_{false};
  std::vector<std::unique_ptr<Thread>> threads_;
};

class Predictor::Scope {
 public:
  explicit Scope(std::optional<ServedModel::Waited>& waited) : waited_(&waited) {}
  Scope(Scope&& other) noexcept : waited_(std::exchange(other.waited_, nullptr)) {}
  ~Scope() {
    if (waited_ != nullptr) waited_->reset();
  }

 private:
  std::optional<ServedModel::Waited>* waited_;
};

}  // namespace slipway::serving
