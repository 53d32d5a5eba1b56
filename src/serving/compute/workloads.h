#pragma once
// Workloads: those of all versions in use, for the threads that share them and for what reports them.

#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "serving/compute/workload.h"
#include "telemetry/metrics.h"

namespace slipway::serving {

/// Thread-safety: all methods from any thread.
class Workloads {
 public:
  /// The version's, made by `make` when nobody holds one.
  std::shared_ptr<Workload> Of(const live::LoadedModel& model, const std::function<std::shared_ptr<Workload>()>& make);
  /// The version's by its LoadedModel::index; nullptr: nobody holds one.
  std::shared_ptr<Workload> Find(int index) const;
  /// Calls `read` with each one and its version's name and number.
  void ForEach(
      const std::function<void(const std::string& name, const std::string& version, const Workload&)>& read) const;

 private:
  struct Entry {
    std::string name, version;
    std::weak_ptr<Workload> workload;
  };
  mutable std::mutex mutex_;  ///< guards entries_
  std::map<int, Entry> entries_;
};

/// Families of what waits, what runs together and what is refused.
void AddWorkloadReaders(const std::shared_ptr<const Workloads>& workloads,
                        const std::shared_ptr<const ComputePool>& pool, telemetry::MetricRegistry& registry);

}  // namespace slipway::serving
