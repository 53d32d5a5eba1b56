#include "telemetry/metric_cells.h"

#include <mutex>
#include <vector>

namespace slipway::telemetry {
namespace {

uint64_t NextId() {
  static std::atomic<uint64_t> next{1};
  return next.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

MetricCells::Shard::~Shard() {
  for (auto& block : blocks) delete block.load(std::memory_order_relaxed);
}

struct MetricCells::Core {
  mutable std::mutex mutex;  ///< guards everything below
  std::vector<std::unique_ptr<Shard>> shards;
  std::vector<Shard*> free;  ///< of threads that ended
  uint32_t allocated = 0;
};

/// A thread's shards, given back when the thread ends.
struct MetricCells::ThreadShards {
  struct Entry {
    uint64_t owner;
    std::weak_ptr<Core> core;
    Shard* shard;
  };
  std::vector<Entry> entries;

  ~ThreadShards() {
    cached_ = {0, nullptr};
    for (Entry& entry : entries) {
      if (auto core = entry.core.lock()) {
        const std::lock_guard lock(core->mutex);
        core->free.push_back(entry.shard);
      }
    }
  }
};

MetricCells::MetricCells() : id_(NextId()), core_(std::make_shared<Core>()) {}
MetricCells::~MetricCells() = default;

uint32_t MetricCells::Allocate(uint32_t count) {
  const std::lock_guard lock(core_->mutex);
  const uint32_t room = kBlockCells - core_->allocated % kBlockCells;
  if (count > room) core_->allocated += room;
  if (core_->allocated + count > kMaxBlocks * kBlockCells) core_->allocated = (kMaxBlocks - 1) * kBlockCells;
  const uint32_t first = core_->allocated;
  core_->allocated += count;
  return first;
}

void MetricCells::Reset(uint32_t first, uint32_t count) {
  const std::lock_guard lock(core_->mutex);
  for (const auto& shard : core_->shards) {
    Block* block = shard->blocks[first / kBlockCells].load(std::memory_order_acquire);
    if (block == nullptr) continue;
    for (uint32_t i = 0; i < count; ++i) block->cells[first % kBlockCells + i].store(0, std::memory_order_relaxed);
  }
}

uint64_t MetricCells::Sum(uint32_t cell) const {
  const std::lock_guard lock(core_->mutex);
  uint64_t sum = 0;
  for (const auto& shard : core_->shards) {
    const Block* block = shard->blocks[cell / kBlockCells].load(std::memory_order_acquire);
    if (block != nullptr) sum += block->cells[cell % kBlockCells].load(std::memory_order_relaxed);
  }
  return sum;
}

MetricCells::Shard& MetricCells::AttachThread() {
  static thread_local ThreadShards mine;
  for (const auto& entry : mine.entries) {
    if (entry.owner == id_) {
      cached_ = {id_, entry.shard};
      return *entry.shard;
    }
  }
  std::erase_if(mine.entries, [](const auto& entry) { return entry.core.expired(); });
  Shard* shard = nullptr;
  {
    const std::lock_guard lock(core_->mutex);
    if (core_->free.empty()) {
      shard = core_->shards.emplace_back(std::make_unique<Shard>()).get();
    } else {
      shard = core_->free.back();
      core_->free.pop_back();
    }
  }
  mine.entries.push_back({id_, core_, shard});
  cached_ = {id_, shard};
  return *shard;
}

MetricCells::Block* MetricCells::AddBlock(Shard& shard, uint32_t index) {
  auto* block = new Block;
  shard.blocks[index].store(block, std::memory_order_release);
  return block;
}

}  // namespace slipway::telemetry
