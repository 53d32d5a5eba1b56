#pragma once
// RecentWindow: durations and failures of about the last minute, for people who ask how things are now. Metrics count
// from the start of the process; this forgets.
//
//   window.Record(thread, now, elapsed, failed);       // on the thread's path, some nanoseconds
//   window.Read(now).p99;                              // anywhere

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/clock.h"

namespace slipway::telemetry {

/// Thread-safety: Record() by one thread per index, Read() from any. A reading may miss or count twice what is recorded
/// while a slot of time begins anew.
class RecentWindow {
 public:
  static constexpr std::chrono::seconds kSpan{60};  ///< Read() looks back 60 to 65 s

  explicit RecentWindow(int threads);

  void Record(int thread, base::SteadyTime now, std::chrono::nanoseconds duration, bool failed = false);

  /// Quantiles are upper bounds, at most an eighth too high; zeros when nothing was recorded.
  struct Summary {
    int64_t count = 0, failures = 0;
    std::chrono::nanoseconds p50{0}, p90{0}, p99{0}, max{0};
    double failure_rate() const { return count > 0 ? static_cast<double>(failures) / static_cast<double>(count) : 0; }
  };
  Summary Read(base::SteadyTime now) const;

 private:
  static constexpr int64_t kSlotNanoseconds = 5'000'000'000;
  static constexpr size_t kSlots = 13;
  static constexpr size_t kBuckets = 320;  ///< eight an octave of nanoseconds: up to 2^42, over an hour

  struct Slot {
    std::atomic<int64_t> number{-1};  ///< which five seconds of the clock; -1: none yet
    std::atomic<uint32_t> failures{0};
    std::array<std::atomic<uint32_t>, kBuckets> counts{};
  };
  struct alignas(64) Thread {
    std::array<Slot, kSlots> slots;
  };
  static size_t BucketOf(int64_t nanoseconds);
  static int64_t UpperBound(size_t bucket);
  static void Begin(Slot& slot, int64_t number);

  std::vector<std::unique_ptr<Thread>> threads_;
};

}  // namespace slipway::telemetry
