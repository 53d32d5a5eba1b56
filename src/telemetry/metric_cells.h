#pragma once
// Numbers that many threads count and one scrape adds up. Each thread writes cells of its own, on cache lines of its
// own, without locked instructions; Sum() reads them all.

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

namespace slipway::telemetry {

/// A growing set of 64-bit cells, one copy per writing thread.
///
/// Thread-safety: all methods from any thread; a cell is written only by the thread that got it from Local().
/// A thread's copy outlives it (its counts stay) and is handed to the next new thread, so copies are bounded by the
/// largest number of threads alive at once.
class MetricCells {
 public:
  static constexpr uint32_t kBlockCells = 512;
  static constexpr uint32_t kMaxBlocks = 512;

  MetricCells();
  ~MetricCells();
  MetricCells(const MetricCells&) = delete;
  MetricCells& operator=(const MetricCells&) = delete;

  /// Reserves `count` (at most kBlockCells) neighbouring cells, zero at first. When all are taken, the last block's
  /// first cells are shared; the registry's bounds on series keep that from happening.
  uint32_t Allocate(uint32_t count);

  /// Adds to this thread's cell; wraps like unsigned arithmetic, so negative steps work too.
  void Add(uint32_t cell, uint64_t amount) {
    std::atomic<uint64_t>& target = Local(cell);
    target.store(target.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }

  /// Makes cells zero that no thread adds to any more.
  void Reset(uint32_t first, uint32_t count);

  /// The sum over all threads; what other threads add meanwhile may or may not be in it.
  uint64_t Sum(uint32_t cell) const;

 private:
  struct alignas(64) Block {
    std::array<std::atomic<uint64_t>, kBlockCells> cells{};
  };
  struct Shard {
    std::array<std::atomic<Block*>, kMaxBlocks> blocks{};
    ~Shard();
  };
  struct Core;
  struct ThreadShards;
  struct Cached {
    uint64_t owner;  ///< 0: none
    Shard* shard;
  };

  std::atomic<uint64_t>& Local(uint32_t cell) {
    Shard& shard = cached_.owner == id_ ? *cached_.shard : AttachThread();
    Block* block = shard.blocks[cell / kBlockCells].load(std::memory_order_relaxed);
    if (block == nullptr) [[unlikely]] {
      block = AddBlock(shard, cell / kBlockCells);
    }
    return block->cells[cell % kBlockCells];
  }
  Shard& AttachThread();
  static Block* AddBlock(Shard& shard, uint32_t index);

  static inline thread_local constinit Cached cached_{0, nullptr};
  const uint64_t id_;  ///< never reused, so a thread's stale cache entry cannot match a newer set
  std::shared_ptr<Core> core_;
};

}  // namespace slipway::telemetry
