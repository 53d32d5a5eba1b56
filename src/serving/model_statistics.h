#pragma once
// ModelStatistics: how many calls each version answered and where their time went, to be read back by protocols that
// report it. Counted over all doors.

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace slipway::serving {

/// What can be added up over threads. Times are nanoseconds over all calls that succeeded, but for `kFailedTime`.
enum class CallTotal : uint8_t {
  kBegun,      ///< calls; those that neither succeeded nor failed are in flight
  kSucceeded,  ///< calls of which at least one row was scored
  kRejected,   ///< calls that failed through their data: no form, or no row that fits the schema
  kCancelled,  ///< calls given up: past their deadline, or the caller went
  kEngine,     ///< calls that the engine failed
  kOther,      ///< calls that failed otherwise
  kRows,       ///< scored
  kRuns,       ///< of the model
  kFailedTime,
  kQueueTime,  ///< before the model is free; nothing waits as long as calls run on the thread that read them
  kInputTime,  ///< decoding, validation, features
  kInferTime,
  kOutputTime,  ///< the fields of predictions, encoding
};
inline constexpr size_t kCallTotals = 13;

/// The total that a call which failed with this error is counted in.
CallTotal FailureOf(const base::Error& error);

/// One thread's counts of one version. Thread-safety: Add() and Touch() by its thread, reading by any.
class alignas(64) CallCounters {
 public:
  void Add(CallTotal total, int64_t amount) {
    auto& cell = cells_[static_cast<size_t>(total)];
    cell.store(cell.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
  int64_t Get(CallTotal total) const { return cells_[static_cast<size_t>(total)].load(std::memory_order_relaxed); }
  /// Steady nanoseconds of the end of the last call.
  void Touch(int64_t now) { last_.store(now, std::memory_order_relaxed); }
  int64_t last() const { return last_.load(std::memory_order_relaxed); }

 private:
  std::array<std::atomic<int64_t>, kCallTotals> cells_{};
  std::atomic<int64_t> last_{0};
};

/// The sum over threads.
struct CallTotals {
  std::array<int64_t, kCallTotals> totals{};
  int64_t last = 0;  ///< steady nanoseconds; 0: never called

  int64_t operator[](CallTotal total) const { return totals[static_cast<size_t>(total)]; }
  int64_t failed() const;
  /// Not below zero, although threads count on while this is read.
  int64_t in_flight() const;
};

/// Thread-safety: all methods from any thread.
class ModelStatistics {
 public:
  /// The counters of one thread for a version; valid until it is forgotten. A version that is loaded again goes on
  /// where it stopped.
  CallCounters& For(int thread, std::string_view name, std::string_view version);
  CallTotals Read(std::string_view name, std::string_view version) const;
  /// Precondition: nobody counts for this version any more.
  void Forget(std::string_view name, std::string_view version);

 private:
  using Key = std::pair<std::string, std::string>;
  mutable std::mutex mutex_;  ///< guards counters_
  std::map<Key, std::map<int, std::unique_ptr<CallCounters>>> counters_;
};

}  // namespace slipway::serving
