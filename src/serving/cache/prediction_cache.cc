#include "serving/cache/prediction_cache.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <mutex>
#include <random>
#include <utility>

#include "base/hash.h"

namespace slipway::serving {
namespace {

constexpr int64_t kSmallShare = 10;   ///< of the memory, in percent, for newcomers
constexpr int64_t kLargestShare = 8;  ///< no entry may take more than a shard's so-manieth part
constexpr uint8_t kMostUses = 3;      ///< uses are counted up to here
constexpr size_t kGhosts = 1 << 12;   ///< newcomers that left are remembered, by hash, a shard
constexpr size_t kFirstBuckets = 64;

uint64_t RandomSeed() {
  std::random_device random;
  return uint64_t{random()} << 32 | random();
}

}  // namespace

/// One answer in one block of memory: this head, the key's bytes, the headers, the body.
struct PredictionCache::Entry {
  enum class Queue : uint8_t { kSmall, kMain };

  uint64_t hash = 0, model = 0, variant = 0;
  Entry* next_in_bucket = nullptr;
  Entry *newer = nullptr, *older = nullptr;  ///< in its queue
  base::SteadyTime made, expires = base::SteadyTime::max();
  std::chrono::nanoseconds old{0};  ///< that it may be, where an old one will do
  const char* content_type = nullptr;
  int64_t hole = -1, rows = 0;
  uint32_t content_type_size = 0, key_size = 0, headers_size = 0, body_size = 0;
  Queue queue = Queue::kSmall;
  uint8_t uses = 0;

  char* text() { return reinterpret_cast<char*>(this + 1); }
  std::string_view key() { return {text(), key_size}; }
  std::string_view headers() { return {text() + key_size, headers_size}; }
  std::string_view body() { return {text() + key_size + headers_size, body_size}; }
  int64_t bytes() const {
    constexpr int64_t kAround = 32;  // a place in the table, and what the allocator adds
    return static_cast<int64_t>(sizeof(Entry)) + key_size + headers_size + body_size + kAround;
  }

  static Entry* Make(const CacheKey& key, const CachedAnswer& answer) {
    const size_t text = key.bytes.size() + answer.headers.size() + answer.body.size();
    auto* entry = new (::operator new(sizeof(Entry) + text)) Entry;
    entry->hash = key.hash;
    entry->model = key.model;
    entry->variant = key.variant;
    entry->content_type = answer.content_type.data();
    entry->content_type_size = static_cast<uint32_t>(answer.content_type.size());
    entry->hole = answer.hole;
    entry->rows = answer.rows;
    entry->key_size = static_cast<uint32_t>(key.bytes.size());
    entry->headers_size = static_cast<uint32_t>(answer.headers.size());
    entry->body_size = static_cast<uint32_t>(answer.body.size());
    char* at = std::ranges::copy(key.bytes, entry->text()).out;
    at = std::ranges::copy(answer.headers, at).out;
    std::ranges::copy(answer.body, at);
    return entry;
  }
  void CopyTo(CachedAnswer& answer) {
    if (uses < kMostUses) ++uses;
    answer.body = body();
    answer.headers = headers();
    answer.hole = hole;
    answer.rows = rows;
    answer.content_type = {content_type, content_type_size};
  }
  static void Free(Entry* entry) {
    entry->~Entry();
    ::operator delete(entry);
  }
};

struct PredictionCache::Shard {
  explicit Shard(int64_t most) : most(most), buckets(kFirstBuckets), ghosts(kGhosts) {}
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;
  ~Shard() {
    for (List& list : lists) {
      while (list.oldest != nullptr) Entry::Free(Unlink(list.oldest));
    }
  }

  struct List {
    Entry *newest = nullptr, *oldest = nullptr;
    int64_t bytes = 0;
  };
  using Queue = Entry::Queue;

  mutable std::mutex mutex;  ///< guards all below
  const int64_t most;        ///< bytes
  std::array<List, 2> lists;
  std::vector<Entry*> buckets;  ///< a power of two
  int64_t entries = 0, evictions = 0;
  std::vector<uint64_t> ghosts;  ///< hashes of newcomers that left, each at the place that it says

  List& list(Queue queue) { return lists[static_cast<size_t>(queue)]; }
  int64_t bytes() const { return lists[0].bytes + lists[1].bytes; }
  Entry*& BucketOf(uint64_t hash) { return buckets[(hash >> 8) & (buckets.size() - 1)]; }

  Entry* Find(const CacheKey& key) {
    for (Entry* at = BucketOf(key.hash); at != nullptr; at = at->next_in_bucket) {
      if (at->hash == key.hash && at->model == key.model && at->variant == key.variant && at->key() == key.bytes) {
        return at;
      }
    }
    return nullptr;
  }

  void Link(Entry* entry, Queue queue) {
    List& to = list(queue);
    entry->queue = queue;
    entry->older = to.newest;
    entry->newer = nullptr;
    (to.newest == nullptr ? to.oldest : to.newest->newer) = entry;
    to.newest = entry;
    to.bytes += entry->bytes();
  }
  Entry* Unlink(Entry* entry) {
    List& from = list(entry->queue);
    (entry->newer == nullptr ? from.newest : entry->newer->older) = entry->older;
    (entry->older == nullptr ? from.oldest : entry->older->newer) = entry->newer;
    from.bytes -= entry->bytes();
    return entry;
  }

  void Insert(Entry* entry, Queue queue) {
    if (static_cast<size_t>(entries) >= buckets.size()) Grow();
    Entry*& bucket = BucketOf(entry->hash);
    entry->next_in_bucket = bucket;
    bucket = entry;
    ++entries;
    Link(entry, queue);
  }
  void Remove(Entry* entry) {
    Entry** at = &BucketOf(entry->hash);
    while (*at != entry) at = &(*at)->next_in_bucket;
    *at = entry->next_in_bucket;
    --entries;
    Entry::Free(Unlink(entry));
  }
  void Grow() {
    std::vector<Entry*> old(buckets.size() * 2);
    old.swap(buckets);
    for (Entry* chain : old) {
      while (chain != nullptr) {
        Entry* entry = std::exchange(chain, chain->next_in_bucket);
        entry->next_in_bucket = std::exchange(BucketOf(entry->hash), entry);
      }
    }
  }

  uint64_t& GhostOf(uint64_t hash) { return ghosts[(hash >> 8) & (kGhosts - 1)]; }

  void Shrink() {
    while (bytes() > most) {
      List& small = list(Queue::kSmall);
      const bool from_small = small.bytes * 100 > most * kSmallShare || list(Queue::kMain).oldest == nullptr;
      from_small ? LeaveSmall(small.oldest) : LeaveMain(list(Queue::kMain).oldest);
    }
  }
  void LeaveSmall(Entry* entry) {
    if (entry->uses > 0) {
      entry->uses = 0;
      Link(Unlink(entry), Queue::kMain);
      return;
    }
    GhostOf(entry->hash) = entry->hash;
    ++evictions;
    Remove(entry);
  }
  void LeaveMain(Entry* entry) {
    if (entry->uses > 0) {
      --entry->uses;
      Link(Unlink(entry), Queue::kMain);  // once more around
      return;
    }
    ++evictions;
    Remove(entry);
  }
};

PredictionCache::PredictionCache(PredictionCacheOptions options) : options_(options), seed_(RandomSeed()) {
  for (int i = 0; i < options_.shards; ++i) {
    shards_.push_back(std::make_unique<Shard>(options_.memory.count / options_.shards));
  }
}
PredictionCache::~PredictionCache() = default;

PredictionCache::Shard& PredictionCache::ShardOf(uint64_t hash) const {
  return *shards_[hash & (shards_.size() - 1)];
}

uint64_t PredictionCache::HashOf(std::string_view bytes, uint64_t before) const {
  return base::Xxh3(bytes, seed_ ^ before);
}

CacheKey PredictionCache::KeyOf(uint64_t model, uint64_t variant, std::string_view bytes, uint64_t hash) const {
  return {model, variant, bytes, hash ^ (variant ^ model * 0x9E3779B97F4A7C15) * 0xC2B2AE3D27D4EB4F};
}

bool PredictionCache::Find(const CacheKey& key, CachedAnswer& answer) {
  Shard& shard = ShardOf(key.hash);
  const std::lock_guard lock(shard.mutex);
  Entry* entry = shard.Find(key);
  if (entry == nullptr) return false;
  if (entry->expires != base::SteadyTime::max()) {
    const auto now = options_.clock->Now();
    if (now >= entry->expires) {
      if (now - entry->made >= entry->old) shard.Remove(entry);
      return false;
    }
  }
  entry->CopyTo(answer);
  return true;
}

std::optional<std::chrono::nanoseconds> PredictionCache::FindOld(const CacheKey& key, CachedAnswer& answer,
                                                                 std::chrono::nanoseconds age) {
  Shard& shard = ShardOf(key.hash);
  const std::lock_guard lock(shard.mutex);
  Entry* entry = shard.Find(key);
  if (entry == nullptr) return std::nullopt;
  const std::chrono::nanoseconds aged = options_.clock->Now() - entry->made;
  if (aged > age) return std::nullopt;
  entry->CopyTo(answer);
  return aged;
}

bool PredictionCache::HasRoomFor(const CacheKey& key) const {
  return std::ssize(key.bytes) + static_cast<int64_t>(sizeof(Entry)) <= ShardOf(key.hash).most / kLargestShare;
}

void PredictionCache::Put(const CacheKey& key, const CachedAnswer& answer, CacheTime time) {
  Shard& shard = ShardOf(key.hash);
  const auto text = static_cast<int64_t>(key.bytes.size() + answer.headers.size() + answer.body.size());
  if (text + static_cast<int64_t>(sizeof(Entry)) > shard.most / kLargestShare) return;
  Entry* entry = Entry::Make(key, answer);
  if (options_.lifetime.count() > 0 || time.old.count() > 0) entry->made = options_.clock->Now();
  if (options_.lifetime.count() > 0) entry->expires = entry->made + std::min(options_.lifetime, time.left);
  entry->old = time.old;
  const std::lock_guard lock(shard.mutex);
  if (Entry* old = shard.Find(key)) shard.Remove(old);
  uint64_t& ghost = shard.GhostOf(key.hash);
  const bool known = ghost == key.hash;
  if (known) ghost = 0;
  shard.Insert(entry, known ? Entry::Queue::kMain : Entry::Queue::kSmall);
  shard.Shrink();
}

void PredictionCache::Forget(uint64_t model) {
  for (const auto& shard : shards_) {
    const std::lock_guard lock(shard->mutex);
    for (auto& list : shard->lists) {
      for (Entry* at = list.oldest; at != nullptr;) {
        Entry* entry = std::exchange(at, at->newer);
        if (entry->model == model) shard->Remove(entry);
      }
    }
  }
}

PredictionCache::Totals PredictionCache::Read() const {
  Totals totals;
  for (const auto& shard : shards_) {
    const std::lock_guard lock(shard->mutex);
    totals.entries += shard->entries;
    totals.bytes += shard->bytes();
    totals.evictions += shard->evictions;
  }
  return totals;
}

}  // namespace slipway::serving
