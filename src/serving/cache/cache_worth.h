#pragma once
// CacheWorth: whether a cache pays for one model on one thread, from what it costs and what it saves.

#include <cstdint>

namespace slipway::serving {

/// Windows of lookups are judged: what hits saved, less what lookups and puts cost. After a window that lost, the cache
/// is left alone but for a sample of keys, one in 64 by their hashes, so that a window of the sample tells whether it
/// would pay again: all lookups of a key are in the sample or none is, and so the share of hits is that of all.
///
/// Thread-safety: one thread.
class CacheWorth {
 public:
  static constexpr int64_t kWindow = 1024, kSampledWindow = 256;
  static constexpr uint64_t kSampleMask = 63 << 20;  ///< bits of the hash that choose neither shard nor bucket first

  /// Whether a request with this key should go through the cache.
  bool Admits(uint64_t hash) const { return on_ || (hash & kSampleMask) == 0; }
  bool on() const { return on_; }

  /// `lookup`: nanoseconds of the lookup, `put` of keeping the answer, `work` of making it.
  void CountHit(int64_t lookup) {
    ++hits_;
    cost_ += lookup;
    EndLookup();
  }
  void CountMiss(int64_t lookup, int64_t work, int64_t put) {
    cost_ += lookup + put;
    work_ += work;
    ++misses_;
    EndLookup();
  }
  /// Nanoseconds that a miss takes on average, of the current window or the last one that had any.
  int64_t work() const { return misses_ > 0 ? work_ / misses_ : last_work_; }

 private:
  void EndLookup() {
    if (hits_ + misses_ < (on_ ? kWindow : kSampledWindow)) return;
    last_work_ = work();
    on_ = hits_ * last_work_ > cost_;
    hits_ = misses_ = cost_ = work_ = 0;
  }

  bool on_ = true;
  int64_t hits_ = 0, misses_ = 0, cost_ = 0, work_ = 0, last_work_ = 0;
};

}  // namespace slipway::serving
