#pragma once
// Workload: what calls of one version cost, as measured, and what follows from it: whether they run on the thread that
// read them or on the pool's, and whether one more can be answered in time.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

#include "base/clock.h"
#include "base/error.h"
#include "base/value.h"
#include "engine/batching/batcher.h"
#include "live/loaded_model.h"
#include "serving/compute/compute_pool.h"
#include "serving/fallback/circuit_breaker.h"

namespace slipway::serving {

struct ComputeOptions {
  bool enabled = true;
  /// A call of one row that takes longer runs on the pool; it runs on io threads again when it takes half of that.
  std::chrono::nanoseconds heavy{std::chrono::microseconds(100)};
  /// Calls with a body larger than this run on the pool, whatever the model.
  int64_t large_body = 64 << 10;
  /// A call that would wait longer is refused, if its own deadline does not end before.
  std::chrono::nanoseconds wait_most{std::chrono::seconds(1)};
  int64_t waiting_most = 1024;  ///< calls of one version
  int runs_at_once = 1;         ///< of one version's model
  int64_t rows_together = 64;   ///< most rows of a run that calls share; 1: none do
};

/// Thread-safety: all methods from any thread. Ownership: held by those who use it, beside the model, which it must not
/// outlive; options and pool outlive it.
class Workload {
 public:
  Workload(const live::LoadedModel& model, const ComputeOptions& options, const ComputePool& pool,
           const base::Clock& clock);

  /// Whether calls belong on the pool.
  bool heavy() const { return heavy_.load(std::memory_order_relaxed); }
  bool known() const { return fastest().count() > 0; }
  /// Of the calls of one row judged last; 0: none were.
  std::chrono::nanoseconds fastest() const {
    return std::chrono::nanoseconds(fastest_.load(std::memory_order_relaxed));
  }
  /// What the fastest of some calls of one row took, from their decoding to their encoding. A model in a process of its
  /// own stays heavy whatever it takes.
  void Judge(std::chrono::nanoseconds fastest);

  /// A call's share of what limits.concurrency allows; nullptr without such a limit. May outlive the workload.
  class Inside;
  using Place = std::shared_ptr<Inside>;
  /// Lets a call in, as far as the manifest's limits.rate and limits.concurrency allow. Errors: resource_exhausted
  /// "overload.rate", "overload.concurrency".
  base::Result<Place> Enter(base::SteadyTime now);
  /// Whether one more call would be answered by `deadline`. Errors: resource_exhausted "overload.queue".
  base::Result<void> Admit(base::SteadyTime now, base::SteadyTime deadline);
  /// Whether a call that takes several runs ends by `deadline` beside those that have begun. `lane` is the call's.
  /// Errors: as Admit().
  base::Result<void> AdmitRows(int64_t rows, base::SteadyTime deadline, const engine::Batcher::Lane& lane);
  /// Whether a call that runs where it was read can still be answered by `deadline`. Errors: as Admit().
  base::Result<void> AdmitHere(base::SteadyTime now, base::SteadyTime deadline);
  /// A thread of the pool has begun with a call that waited so long in the pool's queue, behind so many others.
  void Began(std::chrono::nanoseconds waited, int64_t ahead);
  /// Calls that wait for a thread of the pool.
  int64_t Queued() const { return pool_.Waiting(queue_); }
  /// When a call that is refused now, with that error, may come again: whole seconds, at least one.
  int64_t RetryAfterSeconds(const base::Error& error) const;

  /// What the pool's threads run the model through; made when it is first asked for. Errors: the engine cannot open its
  /// sessions.
  base::Result<std::shared_ptr<engine::Batcher>> Batcher();
  /// Zeros as long as there is none.
  engine::Batcher::Reading ReadRuns() const;
  /// Of a model that has a fallback.
  CircuitBreaker& breaker() { return breaker_; }
  const CircuitBreaker& breaker() const { return breaker_; }
  /// Calls, for a thread of the pool or for the model.
  int64_t Waiting() const { return ReadRuns().waiting + pool_.Waiting(queue_); }
  int64_t refused() const { return refused_.load(std::memory_order_relaxed); }
  /// What GET /models/{model} tells of it.
  base::Value Describe() const;

 private:
  double ExpectedWait() const;
  bool TakeTurn(base::SteadyTime now);
  // Of limits.rate, in nanoseconds: between two calls, and of calls that may come at once.
  int64_t Interval() const;
  int64_t Burst() const;

  const ComputeOptions& options_;
  const ComputePool& pool_;
  const base::Clock& clock_;
  const scoring::Scorer& scorer_;
  const uint64_t queue_;
  const int64_t rows_together_;
  const bool isolated_;       ///< its runs wait for another process, which may hang: never on a thread that others need
  mutable std::mutex mutex_;  ///< guards batcher_
  std::shared_ptr<engine::Batcher> batcher_;
  std::atomic<bool> heavy_;
  std::atomic<int64_t> fastest_;  ///< nanoseconds; 0: not known
  std::atomic<int64_t> turn_{0};  ///< nanoseconds that the pool's queue has lately moved on by one call in
  std::atomic<int64_t> refused_{0};
  std::atomic<int64_t> next_turn_{0};  ///< steady nanoseconds: when calls at the limit's rate would have come so far
  const std::shared_ptr<std::atomic<int64_t>> inside_ = std::make_shared<std::atomic<int64_t>>(0);
  CircuitBreaker breaker_;
};

/// Thread-safety: one thread at a time.
class Workload::Inside {
 public:
  explicit Inside(std::shared_ptr<std::atomic<int64_t>> inside) : inside_(std::move(inside)) {}
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;
  ~Inside() { Leave(); }
  /// The call is over: whoever is told of it may send another.
  void Leave() {
    if (inside_ == nullptr) return;
    inside_->fetch_sub(1, std::memory_order_relaxed);
    inside_ = nullptr;
  }

 private:
  std::shared_ptr<std::atomic<int64_t>> inside_;
};

}  // namespace slipway::serving
