#pragma once
// LiveSet: what this process has loaded, and how request threads see it change.
//
//   control thread                         request thread (each with its own reader)
//   live.Load("iris-1.0.0.slipway");       LiveReader reader(live);
//                                          const Snapshot& now = reader.Current();   // one atomic load

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/error.h"
#include "live/loaded_model.h"
#include "live/model_status.h"
#include "live/snapshot.h"
#include "telemetry/log.h"

namespace slipway::live {

/// Thread-safety: all methods from any thread; loads are done one after another. Moves that the lifecycle does not have
/// (lifecycle.h) are refused by doing nothing.
class LiveSet {
 public:
  /// `engines` and `log` outlive the set.
  explicit LiveSet(const engine::EngineTable& engines, LoadOptions options = {},
                   telemetry::Log& log = telemetry::Log::Discard());

  /// Loads and publishes a bundle; returns when it is served. A version that is served already is left as it is when
  /// the digest is the same. Errors: those of LoadBundle; already_exists "live.version_conflict" for another digest.
  base::Result<void> Load(const std::filesystem::path& path) { return Load(Admit(path, "")); }

  // One step at a time, as a controller takes them.
  /// Notes a bundle as wanted; its id.
  int64_t Admit(const std::filesystem::path& path, std::string stamp);
  void SetWanted(int64_t id, bool wanted);
  /// wanted -> cold | failed: callers can name it, and it is loaded later. While a version of its name is ready, they
  /// do not find it yet (ModelStatus::shown). Errors: those of KnowBundle; "live.version_conflict" as Load() by path.
  base::Result<void> Know(int64_t id);
  /// Has a cold version loaded although no call waits for it.
  void Ask(int64_t id);
  /// wanted, cold or failed -> loading -> ready | failed. Errors: as Load() by path; failed_precondition "live.changed"
  /// when the files are not those any more that were known.
  base::Result<void> Load(int64_t id);
  /// When a failed version should be tried again.
  void RetryAt(int64_t id, base::SteadyTime time);
  void Evict(int64_t id);     ///< ready -> cold: it is loaded again when it is called
  void Publish(int64_t id);   ///< resident -> ready
  void Withdraw(int64_t id);  ///< ready -> resident: no request begins with it any more
  void Drop(int64_t id);      ///< resident or cold -> draining; wanted or failed -> gone
  /// draining -> gone, of those that no request holds any more; frees what was evicted likewise. True when memory may
  /// have become free.
  bool ForgetDrained();

  std::shared_ptr<const Snapshot> Current() const;
  /// The newest version before this one of the same name that is loaded, served or not; nullptr: none.
  std::shared_ptr<const LoadedModel> PreviousOf(const LoadedModel& model) const;
  /// Raised by each change of what is served. Readers compare it before they take a lock.
  uint64_t generation() const { return generation_.load(std::memory_order_acquire); }
  /// Called after each such change, on the thread that made it. Set before anything changes.
  void OnChange(std::function<void()> changed) { changed_ = std::move(changed); }
  /// Called with each version that was unloaded, on the thread that found it so. Set before anything changes.
  struct Unloaded {
    std::string name, version;
    int index = 0;             ///< LoadedModel::index; -1: it was not loaded at the end
    bool known_still = false;  ///< it was evicted, or another bundle is of the same name and version
  };
  void OnUnload(std::function<void(const Unloaded&)> unloaded) { unloaded_ = std::move(unloaded); }
  /// In the order admitted.
  std::vector<ModelStatus> Statuses() const;
  /// True when something was asked for and all of it is ready or cold.
  bool Ready() const;

 private:
  /// One bundle, with what keeps it loaded.
  struct Record {
    ModelStatus status;
    /// From ready or cold on. Held to the end, so that no thread that answers requests frees a model.
    std::shared_ptr<const LoadedModel> model;
    std::shared_ptr<const LoadedModel> failed;  ///< as the snapshot shows it; nullptr: not known, or it has not failed
  };
  Record* Find(int64_t id);
  bool Move(Record& record, ModelState to);
  base::Result<std::shared_ptr<const LoadedModel>> LoadNew(const std::filesystem::path& path, const LoadedModel* known);
  base::Result<void> CheckConflict(const LoadedModel& model) const;
  void Fail(int64_t id, const std::string& source, const base::Error& error);
  void Succeed(int64_t id, const std::shared_ptr<const LoadedModel>& model, int64_t bytes);
  void Replace(Snapshot snapshot);
  void Show(const std::shared_ptr<const LoadedModel>& model);
  void SetModel(Record& record, std::shared_ptr<const LoadedModel> model);
  void SetFailed(Record& record, std::shared_ptr<const LoadedModel> model);
  std::shared_ptr<const scoring::Contract> ContractOf(int64_t id);
  bool IsKnown(const std::string& name, const std::string& version) const;
  bool IsHeld(const std::string& name, const std::string& version) const;
  void LogReady(const LoadedModel& model);
  void LogNearness(const LoadedModel& model);
  void LogEnd(std::string_view event, const ModelStatus& status);
  void TellOfChange();

  const engine::EngineTable& engines_;
  const LoadOptions options_;
  telemetry::Log& log_;
  std::function<void()> changed_;
  std::function<void(const Unloaded&)> unloaded_;
  std::mutex loading_;  ///< held for a whole load

  mutable std::mutex mutex_;  ///< guards what follows
  std::shared_ptr<const Snapshot> snapshot_;
  std::vector<Record> records_;
  std::vector<std::shared_ptr<const LoadedModel>> evicted_;  ///< that requests may still hold
  std::vector<Unloaded> ended_;                              ///< failed ones that went, to be told of
  int64_t last_id_ = 0;
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
