#include "telemetry/recent_window.h"

#include <algorithm>
#include <bit>

namespace slipway::telemetry {
namespace {

/// One writer per cell: a load and a store, no locked instruction.
void Increment(std::atomic<uint32_t>& cell) {
  cell.store(cell.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

}  // namespace

RecentWindow::RecentWindow(int threads) {
  for (int i = 0; i < threads; ++i) threads_.push_back(std::make_unique<Thread>());
}

/// The position of the highest bit and the three bits below it.
size_t RecentWindow::BucketOf(int64_t nanoseconds) {
  if (nanoseconds < 8) return static_cast<size_t>(std::max<int64_t>(nanoseconds, 0));
  const auto value = static_cast<uint64_t>(nanoseconds);
  const int octave = std::bit_width(value) - 1;  // 3 and up
  const auto bucket = static_cast<size_t>(octave - 2) * 8 + ((value >> (octave - 3)) & 7);
  return std::min(bucket, kBuckets - 1);
}

int64_t RecentWindow::UpperBound(size_t bucket) {
  if (bucket < 8) return static_cast<int64_t>(bucket);
  const size_t octave = bucket / 8 + 2;
  return static_cast<int64_t>((8 + bucket % 8 + 1) << (octave - 3)) - 1;
}

void RecentWindow::Begin(Slot& slot, int64_t number) {
  slot.number.store(-1, std::memory_order_relaxed);
  slot.failures.store(0, std::memory_order_relaxed);
  for (auto& count : slot.counts) count.store(0, std::memory_order_relaxed);
  slot.number.store(number, std::memory_order_release);
}

void RecentWindow::Record(int thread, base::SteadyTime now, std::chrono::nanoseconds duration, bool failed) {
  const int64_t number = now.time_since_epoch().count() / kSlotNanoseconds;
  Slot& slot = threads_[static_cast<size_t>(thread)]->slots[static_cast<size_t>(number) % kSlots];
  if (slot.number.load(std::memory_order_relaxed) != number) Begin(slot, number);
  Increment(slot.counts[BucketOf(duration.count())]);
  if (failed) Increment(slot.failures);
}

RecentWindow::Summary RecentWindow::Read(base::SteadyTime now) const {
  const int64_t newest = now.time_since_epoch().count() / kSlotNanoseconds;
  const int64_t oldest = newest - static_cast<int64_t>(kSlots) + 1;
  std::array<int64_t, kBuckets> counts{};
  Summary summary;
  for (const auto& thread : threads_) {
    for (const Slot& slot : thread->slots) {
      const int64_t number = slot.number.load(std::memory_order_acquire);
      if (number < oldest || number > newest) continue;
      summary.failures += slot.failures.load(std::memory_order_relaxed);
      for (size_t i = 0; i < kBuckets; ++i) counts[i] += slot.counts[i].load(std::memory_order_relaxed);
    }
  }
  for (const int64_t count : counts) summary.count += count;
  const auto quantile = [&](double share) {
    const auto rank = static_cast<int64_t>(share * static_cast<double>(summary.count - 1)) + 1;
    int64_t below = 0;
    for (size_t i = 0; i < kBuckets; ++i) {
      below += counts[i];
      if (below >= rank) return std::chrono::nanoseconds(UpperBound(i));
    }
    return std::chrono::nanoseconds(0);
  };
  if (summary.count == 0) return summary;
  summary.p50 = quantile(0.5);
  summary.p90 = quantile(0.9);
  summary.p99 = quantile(0.99);
  summary.max = quantile(1);
  return summary;
}

}  // namespace slipway::telemetry
