#include "serving/compute/workload.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "base/quantities.h"

namespace slipway::serving {
namespace {

using base::Value;

constexpr std::string_view kRate = "overload.rate";

std::chrono::nanoseconds Nanoseconds(double count) {
  return std::chrono::nanoseconds(static_cast<int64_t>(count));
}

double Microseconds(double nanoseconds) {
  return std::round(nanoseconds / 10) / 100;
}

/// How many rows calls may share a run with, so that each has the bits that it has alone.
int64_t RowsTogether(const scoring::Scorer& scorer, const ComputeOptions& options) {
  if (!scorer.model().batched || scorer.model().fixed_rows > 0) return 1;
  return std::min(options.rows_together, scorer.chunk_rows());
}

/// Counts a refusal, and says it.
std::unexpected<base::Error> Refuse(std::atomic<int64_t>& refused, std::string reason, std::string message) {
  refused.fetch_add(1, std::memory_order_relaxed);
  return base::Fail(base::Code::kResourceExhausted, std::move(reason), std::move(message));
}

}  // namespace

Workload::Workload(const live::LoadedModel& model, const ComputeOptions& options, const ComputePool& pool,
                   const base::Clock& clock)
    : options_(options),
      pool_(pool),
      clock_(clock),
      scorer_(*model.scorer),
      queue_(static_cast<uint64_t>(model.index)),
      rows_together_(RowsTogether(*model.scorer, options)),
      isolated_(model.scorer->process().has_value()),
      heavy_(isolated_ || model.one_row > options.heavy),
      fastest_(model.one_row.count()) {}

base::Result<std::shared_ptr<engine::Batcher>> Workload::Batcher() {
  const std::lock_guard lock(mutex_);
  if (batcher_ != nullptr) return batcher_;
  std::vector<std::unique_ptr<engine::Session>> sessions;
  for (int i = 0; i < options_.runs_at_once; ++i) {
    SLIPWAY_ASSIGN(auto session, scorer_.NewSession());
    sessions.push_back(std::move(session));
  }
  batcher_ = engine::Batcher::Create({.most_rows = rows_together_, .clock = &clock_}, std::move(sessions));
  return batcher_;
}

engine::Batcher::Reading Workload::ReadRuns() const {
  const std::lock_guard lock(mutex_);
  return batcher_ == nullptr ? engine::Batcher::Reading{} : batcher_->Read();
}

void Workload::Judge(std::chrono::nanoseconds fastest) {
  fastest_.store(fastest.count(), std::memory_order_relaxed);
  if (fastest > options_.heavy) {
    heavy_.store(true, std::memory_order_relaxed);
  } else if (fastest < options_.heavy / 2 && !isolated_) {
    heavy_.store(false, std::memory_order_relaxed);
  }
}

/// Nanoseconds until the model would begin with a call that came now.
double Workload::ExpectedWait() const {
  const auto reading = ReadRuns();
  const double alone = std::max(reading.cost.alone(), static_cast<double>(fastest().count()));
  const bool together = rows_together_ > 1 && reading.cost.together() > 0 && reading.cost.TogetherPays();
  const double each = together ? reading.cost.together() : alone;
  // What the model takes is not all: calls are decoded and encoded, and others want the processors, too.
  const double turn =
      std::max(each / options_.runs_at_once, static_cast<double>(turn_.load(std::memory_order_relaxed)));
  const double ahead = turn * static_cast<double>(Queued());
  const std::lock_guard lock(mutex_);
  return batcher_ == nullptr ? ahead : ahead + batcher_->ExpectedWait(alone);
}

void Workload::Began(std::chrono::nanoseconds waited, int64_t ahead) {
  constexpr int64_t kTelling = 8;  ///< calls ahead: with fewer, one run decides
  const int64_t known = turn_.load(std::memory_order_relaxed), took = waited.count() / std::max<int64_t>(ahead, 1);
  if (ahead < kTelling && took >= known) return;  // but good news are heard always, or refusals would go on for good
  turn_.store(known == 0 ? took : known + (took - known) / 16, std::memory_order_relaxed);  // a lost update is no loss
}

int64_t Workload::Interval() const {
  return static_cast<int64_t>(1e9 / *scorer_.manifest().limits.rate);
}

int64_t Workload::Burst() const {
  return std::max<int64_t>(1'000'000'000, Interval());
}

/// The generic cell rate algorithm (ITU-T I.371, virtual scheduling): a burst of up to one second's calls passes.
bool Workload::TakeTurn(base::SteadyTime now) {
  const int64_t interval = Interval(), burst = Burst();
  const int64_t at = now.time_since_epoch().count();
  int64_t next = next_turn_.load(std::memory_order_relaxed);
  int64_t then = 0;
  do {
    then = std::max(next, at) + interval;
    if (then - at > burst) return false;
  } while (!next_turn_.compare_exchange_weak(next, then, std::memory_order_relaxed));
  return true;
}

base::Result<Workload::Place> Workload::Enter(base::SteadyTime now) {
  const bundle::Limits& limits = scorer_.manifest().limits;
  if (limits.rate && !TakeTurn(now)) {
    return Refuse(refused_, std::string(kRate),
                  fmt::format("this model takes {} calls a second (limits.rate); come back later", *limits.rate));
  }
  if (!limits.concurrency) return Place();
  if (inside_->fetch_add(1, std::memory_order_relaxed) >= *limits.concurrency) {
    inside_->fetch_sub(1, std::memory_order_relaxed);
    return Refuse(refused_, "overload.concurrency",
                  fmt::format("this model takes {} calls at the same time (limits.concurrency); come back later",
                              *limits.concurrency));
  }
  return std::make_shared<Inside>(inside_);
}

base::Result<void> Workload::Admit(base::SteadyTime now, base::SteadyTime deadline) {
  const auto wait = Nanoseconds(ExpectedWait());
  const bool full = Queued() >= options_.waiting_most;
  // A queue that fills all the time there is makes no more answers than a shorter one, and each of them late: the other
  // half is for what cannot be foreseen, the run that is shared, and the way back.
  // Who need not wait is late by himself, and is told so when his time is over.
  const bool in_time =
      deadline == base::SteadyTime::max() || wait.count() == 0 || now + 2 * wait + fastest() <= deadline;
  if (in_time && !full && wait <= options_.wait_most) return {};
  return Refuse(refused_, "overload.queue",
                fmt::format("more is asked of the model than it can answer: a call would wait {} for it, {}; retry "
                            "after the time that Retry-After tells, or add replicas",
                            base::FormatDuration(std::chrono::ceil<std::chrono::milliseconds>(wait)),
                            in_time ? "longer than --max-queue-wait" : "past its deadline"));
}

/// Requests of many rows share the model run by run, so each that is let in makes all of them later.
base::Result<void> Workload::AdmitRows(int64_t rows, base::SteadyTime deadline, const engine::Batcher::Lane& lane) {
  const auto others = Nanoseconds(lane.ExpectedOfOthers());
  if (deadline == base::SteadyTime::max() || others.count() == 0) return {};
  const auto own = Nanoseconds(lane.CostOf(rows));
  if (clock_.Now() + 2 * others + own <= deadline) return {};
  return Refuse(refused_, "overload.queue",
                fmt::format("more is asked of the model than it can answer: what has begun takes {} yet, and these {} "
                            "rows would end past their deadline; send fewer, retry after the time that Retry-After "
                            "tells, or add replicas",
                            base::FormatDuration(std::chrono::ceil<std::chrono::milliseconds>(others)), rows));
}

base::Result<void> Workload::AdmitHere(base::SteadyTime now, base::SteadyTime deadline) {
  if (now + fastest() <= deadline) return {};
  return Refuse(refused_, "overload.queue",
                "more is asked of the server than it can answer: the call's time (limits.timeout) was over before "
                "its turn came; retry after the time that Retry-After tells, or add replicas");
}

int64_t Workload::RetryAfterSeconds(const base::Error& error) const {
  double wait = ExpectedWait();
  if (error.reason == kRate) {
    const auto next = next_turn_.load(std::memory_order_relaxed);
    wait = static_cast<double>(next + Interval() - Burst() - clock_.Now().time_since_epoch().count());
  }
  return std::max<int64_t>(1, static_cast<int64_t>(std::ceil(wait / 1e9)));
}

Value Workload::Describe() const {
  const auto reading = ReadRuns();
  Value value = Value::Map()
                    .Set("runs_on", heavy() ? "compute" : "io")
                    .Set("heavy_from_us", Microseconds(static_cast<double>(options_.heavy.count())));
  if (known()) value.Set("one_row_us", Microseconds(static_cast<double>(fastest().count())));
  Value sizes = Value::List();
  for (int i = 0; i < engine::RunCost::kClasses; ++i) {
    const auto& seen = reading.cost.classes()[static_cast<size_t>(i)];
    if (seen.runs == 0) continue;
    sizes.Add(
        Value::Map().Set("rows_from", int64_t{1} << i).Set("runs", seen.runs).Set("row_us", Microseconds(seen.row)));
  }
  Value batching = Value::Map()
                       .Set("most_rows", rows_together_)
                       .Set("pays", rows_together_ > 1 && reading.cost.TogetherPays())
                       .Set("runs", reading.runs)
                       .Set("calls", reading.calls)
                       .Set("calls_together", reading.together)
                       .Set("measured", std::move(sizes));
  return value.Set("batching", std::move(batching))
      .Set("waiting", Waiting())
      .Set("expected_wait_us", Microseconds(ExpectedWait()))
      .Set("refused", refused())
      .Set("breaker", BreakerStateName(breaker_.state()));
}

}  // namespace slipway::serving
