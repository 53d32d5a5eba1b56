#pragma once
// Predictor: what stands between a door and the live set. A door asks it for the model that a reference means, on the
// thread it runs on, and gets everything needed to score there.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "live/live_set.h"
#include "serving/decode_limits.h"
#include "serving/served_model.h"
#include "telemetry/metrics.h"

namespace slipway::serving {

/// Thread-safety: Acquire() and note() by one thread per index; construction before the threads.
/// Ownership: the live set and the registry outlive it.
class Predictor {
 public:
  Predictor(const live::LiveSet& live, telemetry::MetricRegistry& metrics, int threads, const DecodeLimits& limits = {},
            const PredictionCacheOptions& cache = {}, const base::Clock& clock = base::Clock::System());
  ~Predictor();

  /// The model that "name[@selector]" means now, ready on thread number `thread`; valid until that thread's next call.
  /// An empty reference means the only name that is served. Errors: those of Snapshot::Resolve, or of the engine;
  /// "model.unnamed" when an empty reference could mean several, unavailable "model.none" when there is none.
  base::Result<ServedModel*> Acquire(int thread, std::string_view reference);

  /// The same, kept usable on that thread as long as it is held.
  base::Result<std::shared_ptr<ServedModel>> Pin(int thread, std::string_view reference);

  /// Lets go of versions that are served no more. By that thread.
  void Refresh(int thread);

  /// Lets go of what was counted and kept for a version that no thread uses any more. From any thread.
  void Forget(const live::LiveSet::Unloaded& version);

  /// What is noted of the request at hand: whoever answers it fills this in, and whoever has told it clears it.
  RequestNote& note(int thread);
  const ModelStatistics& statistics() const { return *statistics_; }
  const base::Clock& clock() const { return clock_; }
  const DecodeLimits& limits() const { return limits_; }

 private:
  struct Thread;
  base::Result<std::shared_ptr<ServedModel>> Find(Thread& thread, std::string_view reference,
                                                  const live::Snapshot& snapshot);

  const live::LiveSet& live_;
  telemetry::MetricRegistry& registry_;
  const PredictionMetrics metrics_;
  const std::shared_ptr<ModelStatistics> statistics_;  ///< shared with what scrapes it
  const DecodeLimits limits_;
  const std::shared_ptr<PredictionCache> cache_;  ///< nullptr: none; shared with what scrapes it
  std::optional<CacheMetrics> cache_metrics_;
  const base::Clock& clock_;
  std::vector<std::unique_ptr<Thread>> threads_;
};

}  // namespace slipway::serving
