#pragma once
// CachedCall: one call's way past the prediction cache.
//
//   served.Begin(door);
//   CachedCall cached(served, request, response);
//   if (cached.Recall(note)) return;            // answered, and counted
//   …
//   cached.Keep();                              // a good answer
//   served.End(note);

#include <cstdint>
#include <memory>
#include <string_view>

#include "net/http_message.h"
#include "serving/cache/cache_worth.h"
#include "serving/cache/prediction_cache.h"
#include "serving/request_note.h"
#include "telemetry/metrics.h"

namespace slipway::serving {

class ServedModel;

/// The families that the cache is counted in.
struct CacheMetrics {
  explicit CacheMetrics(telemetry::MetricRegistry& registry);

  telemetry::CounterFamily calls;  ///< model, version, outcome: hit, miss, skipped
  telemetry::CounterFamily saved;  ///< model, version: nanoseconds that hits took less than misses
};
/// Entries, bytes and evictions, as long as the registry lives.
void AddCacheReaders(const std::shared_ptr<const PredictionCache>& cache, telemetry::MetricRegistry& registry);

/// What one version on one io thread needs of the cache. Thread-safety: one thread.
struct ServedCache {
  ServedCache(PredictionCache& shared, const CacheMetrics& metrics, std::string_view model, std::string_view version);

  PredictionCache& cache;
  CacheWorth worth;
  CachedAnswer answer;  ///< reused
  telemetry::Counter hits, misses, skipped, saved;
};

/// A request that says `Cache-Control: no-cache` is answered anew, `no-store` also leaves no trace, and `?explain=` is
/// about this very call; all of them are "skipped", as is everything while the cache does not pay (CacheWorth). For
/// models that are too heavy for io threads it always pays.
class CachedCall {
 public:
  /// All outlive it. The call has begun, and what all answers of the version carry is in the response. `looked_before`:
  /// the cache had nothing for it on the thread that read it.
  CachedCall(ServedModel& served, const net::Request& request, net::Response& response, bool looked_before = false);

  /// True: the answer is one that was kept; the call has ended.
  bool Recall(RequestNote& note);
  /// Keeps the answer that the response now holds, unless it is one that others cannot be given.
  void Keep();

 private:
  void Look();
  uint64_t Variant() const;

  ServedModel& served_;
  const net::Request& request_;
  net::Response& response_;
  ServedCache* const cache_;  ///< nullptr: there is none
  const size_t headers_;      ///< bytes of headers that all answers carry
  const bool looked_before_;
  bool heavy_ = false, looks_ = false, keeps_ = false;
  CacheKey key_;
  base::SteadyTime begun_, looked_;
};

}  // namespace slipway::serving
