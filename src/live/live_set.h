#pragma once
// LiveSet: what this process has loaded, and how request threads see it change.
//
//   control thread                         request thread (each with its own reader)
//   live.Load("iris-1.0.0.slipway");       LiveReader reader(live);
//                                          const Snapshot& now = reader.Current();   // one atomic load

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/error.h"
#include "live/loaded_model.h"
#include "live/snapshot.h"
#include "telemetry/log.h"

namespace slipway::live {

enum class ModelState : uint8_t { kLoading, kReady, kFailed };
/// "loading", "ready", "failed".
std::string_view ModelStateName(ModelState state);

/// What became of one bundle that this process was asked to serve.
struct ModelStatus {
  std::string source;
  ModelState state = ModelState::kLoading;
  std::string name, version;  ///< empty until known
  base::Error error;          ///< kFailed: why
};

/// Lifecycle of a version: Load() -> loading -> ready (published) | failed.
/// Thread-safety: all methods from any thread; loads are done one after another.
class LiveSet {
 public:
  /// `engines` and `log` outlive the set.
  explicit LiveSet(const engine::EngineTable& engines, LoadOptions options = {},
                   telemetry::Log& log = telemetry::Log::Discard());

  /// Loads and publishes a bundle; returns when it is served. A version that is served already is left as it is when
  /// the digest is the same. Errors: those of LoadBundle; already_exists "live.version_conflict" for another digest.
  base::Result<void> Load(const std::filesystem::path& path);

  std::shared_ptr<const Snapshot> Current() const;
  /// Raised by each publication. Readers compare it before they take a lock.
  uint64_t generation() const { return generation_.load(std::memory_order_acquire); }
  std::vector<ModelStatus> Statuses() const;
  /// True when something was asked for and all of it is ready.
  bool Ready() const;

 private:
  base::Result<std::shared_ptr<const LoadedModel>> LoadNew(const std::filesystem::path& path);
  void LogNearness(const LoadedModel& model);
  void Finish(size_t place, const base::Result<std::shared_ptr<const LoadedModel>>& loaded);

  const engine::EngineTable& engines_;
  const LoadOptions options_;
  telemetry::Log& log_;
  std::mutex loading_;  ///< held for a whole load

  mutable std::mutex mutex_;  ///< guards what follows
  std::shared_ptr<const Snapshot> snapshot_;
  std::vector<ModelStatus> statuses_;
  std::atomic<uint64_t> generation_{1};
};

/// One thread's view of a live set. Thread-safety: one thread.
class LiveReader {
 public:
  explicit LiveReader(const LiveSet& live) : live_(&live) {}

  /// The newest snapshot; valid until the next call. True in `changed` when it is not the one of the last call.
  const Snapshot& Current(bool* changed = nullptr) {
    const uint64_t generation = live_->generation();
    const bool stale = generation != seen_;
    if (stale) [[unlikely]] {
      snapshot_ = live_->Current();
      seen_ = generation;
    }
    if (changed != nullptr) *changed = stale;
    return *snapshot_;
  }

 private:
  const LiveSet* live_;
  uint64_t seen_ = 0;
  std::shared_ptr<const Snapshot> snapshot_;
};

}  // namespace slipway::live
