#pragma once
// CachedCall: one call's way past the prediction cache.
//
//   served.Begin(door);
//   CachedCall cached(served, request, response);
//   if (cached.Recall(note)) return;            // answered, and counted
//   …
//   cached.Keep();                              // a good answer
//   served.End(note);

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "live/loaded_model.h"
#include "net/http_message.h"
#include "serving/cache/cache_worth.h"
#include "serving/cache/flights.h"
#include "serving/cache/prediction_cache.h"
#include "serving/cache/redis/shared_cache.h"
#include "serving/request_note.h"
#include "telemetry/metrics.h"

namespace slipway::serving {

class ServedModel;

/// The families that the cache is counted in.
struct CacheMetrics {
  explicit CacheMetrics(telemetry::MetricRegistry& registry);

  telemetry::CounterFamily calls;  ///< model, version, outcome: hit, shared, miss, skipped
  telemetry::CounterFamily saved;  ///< model, version: nanoseconds that hits took less than misses
};
/// Entries, bytes, evictions and calls that wait for another's answer, as long as the registry lives.
void AddCacheReaders(const std::shared_ptr<const PredictionCache>& cache, const std::shared_ptr<const Flights>& flights,
                     telemetry::MetricRegistry& registry);

/// What one version on one io thread needs of the cache. Thread-safety: one thread.
struct ServedCache {
  /// `shared_cache`: what is shared with other servers; nullptr: nothing.
  ServedCache(PredictionCache& kept, SharedCache* shared_cache, const CacheMetrics& metrics,
              const live::LoadedModel& model);

  PredictionCache& cache;
  SharedCache* const others;
  std::string identity;          ///< of the version's answers, for others: where these are the same, so are the bits
  std::string request;           ///< reused: all that the answer depends on, for others
  std::chrono::nanoseconds old;  ///< how old an answer may be that the version's fallback takes; 0: it takes none
  CacheWorth worth;
  CachedAnswer answer;  ///< reused
  telemetry::Counter hits, shared, misses, skipped, saved;
};

/// A request that says `Cache-Control: no-cache` is answered anew, `no-store` also leaves no trace, and `?explain=` is
/// about this very call; all of them are "skipped", as is everything while the cache does not pay (CacheWorth). For
/// models that are too heavy for io threads it always pays; their calls, once on a thread of the pool, also ask what is
/// shared with other servers.
class CachedCall {
 public:
  /// What has been done for the call before: `kLooked`, the cache had nothing for it on the thread that read it;
  /// `kWaited`, the same, and it has waited for another call's answer since.
  enum class Before : uint8_t { kNothing, kLooked, kWaited };
  /// All outlive it. The call has begun, and what all answers of the version carry is in the response.
  CachedCall(ServedModel& served, const net::Request& request, net::Response& response,
             Before before = Before::kNothing);

  /// True: the answer is one that was kept; the call has ended.
  bool Recall(RequestNote& note);
  /// Puts into the response what the version answered the same request last, at most `age` ago; nullopt: nothing. Ends
  /// nothing: who asks for an old answer sees to that.
  struct Old {
    std::chrono::nanoseconds age;
    int64_t rows = 0;
  };
  std::optional<Old> RecallOld(std::chrono::nanoseconds age);
  /// Keeps the answer that the response now holds, unless it is one that others cannot be given.
  void Keep();
  /// Under which others may share the answer while it is being made; nullptr: it is for this call alone.
  const CacheKey* shared_key() const { return looks_ && cache_->cache.HasRoomFor(key_) ? &key_ : nullptr; }

 private:
  void Look();
  std::array<std::string_view, 5> Conditions() const;
  uint64_t Variant() const;
  bool RecallFromOthers();
  void WriteAnswer(std::string_view header);
  const std::string& RequestForOthers();

  ServedModel& served_;
  const net::Request& request_;
  net::Response& response_;
  ServedCache* const cache_;  ///< nullptr: there is none
  const size_t headers_;      ///< bytes of headers that all answers carry
  const Before before_;
  bool heavy_ = false, looks_ = false, keeps_ = false;
  bool asks_others_ = false;  ///< what is shared with other servers is worth its time
  CacheKey key_;
  base::SteadyTime begun_, looked_;
};

}  // namespace slipway::serving
