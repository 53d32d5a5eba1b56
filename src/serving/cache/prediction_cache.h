#pragma once
// PredictionCache: answers that were given before, by all they depend on: the version that gave them, how it was asked
// (the variant: door, media types, options), and the bytes it was asked with.
//
//   const CacheKey key = cache.KeyOf(model.index, variant, request.body);
//   if (cache.Find(key, answer)) …          // the same bytes as when it was put
//   cache.Put(key, answer);
//
// Which answers stay is decided by S3-FIFO (Yang et al., "FIFO queues are all you need for cache eviction", SOSP 2023):
// newcomers pass through a small queue, and only those asked for again there, or soon after they left it, get into the
// main one. A scan of requests that never come back pushes out nothing of worth.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/quantities.h"

namespace slipway::serving {

struct PredictionCacheOptions {
  base::Bytes memory{0};                 ///< of keys, answers and what keeps them; 0: no cache
  std::chrono::nanoseconds lifetime{0};  ///< of an answer; 0: as long as its version is served
  int shards = 16;                       ///< a power of two
  const base::Clock* clock = &base::Clock::System();
};

/// Views live as long as what they were made of.
struct CacheKey {
  uint64_t model = 0, variant = 0;
  std::string_view bytes;
  uint64_t hash = 0;
};

/// An answer without what differs from call to call.
struct CachedAnswer {
  std::string body;
  int64_t hole = -1;              ///< where in the body the request's id goes; -1: nowhere
  std::string_view content_type;  ///< outlives the cache
  std::string headers;            ///< lines, of this answer alone
  int64_t rows = 0;
};

/// How long an answer is kept.
struct CacheTime {
  std::chrono::nanoseconds left = std::chrono::nanoseconds::max();  ///< where answers end, it does so then
  std::chrono::nanoseconds old{0};                                  ///< until it is so old FindOld() finds it
};

/// Thread-safety: all methods from any thread; threads meet only where their keys fall into the same shard.
class PredictionCache {
 public:
  explicit PredictionCache(PredictionCacheOptions options);
  ~PredictionCache();

  /// Of the bytes alone, or of all that was hashed `before` and them. Nobody outside knows its seed.
  uint64_t HashOf(std::string_view bytes, uint64_t before = 0) const;
  CacheKey KeyOf(uint64_t model, uint64_t variant, std::string_view bytes, uint64_t hash) const;
  CacheKey KeyOf(uint64_t model, uint64_t variant, std::string_view bytes) const {
    return KeyOf(model, variant, bytes, HashOf(bytes));
  }
  /// Copies the answer into `answer`, whose memory is reused. Keys are compared byte by byte.
  bool Find(const CacheKey& key, CachedAnswer& answer);
  /// The same of an answer that may have ended; how old it is, and at most `age`.
  std::optional<std::chrono::nanoseconds> FindOld(const CacheKey& key, CachedAnswer& answer,
                                                  std::chrono::nanoseconds age);
  /// Answers too large for their shard (an eighth of it) are not kept. One that is there already is replaced.
  void Put(const CacheKey& key, const CachedAnswer& answer, CacheTime time = {});
  /// False: the key alone is too large.
  bool HasRoomFor(const CacheKey& key) const;
  /// Removes the answers of a version.
  void Forget(uint64_t model);

  struct Totals {
    int64_t entries = 0, bytes = 0, evictions = 0;
  };
  Totals Read() const;

 private:
  struct Entry;
  struct Shard;
  Shard& ShardOf(uint64_t hash) const;

  const PredictionCacheOptions options_;
  const uint64_t seed_;  ///< of the hash, unknown to callers
  std::vector<std::unique_ptr<Shard>> shards_;
};

}  // namespace slipway::serving
