#pragma once
// A list of bundles as desired state: what a command line or a configuration names.

#include <filesystem>
#include <mutex>
#include <utility>
#include <vector>

#include "live/desired_state.h"

namespace slipway::live {

/// Thread-safety: all methods from any thread.
class BundleList final : public DesiredState {
 public:
  explicit BundleList(std::vector<std::filesystem::path> paths = {}) : paths_(std::move(paths)) {}

  /// The next Read() lists these, with the stamps of their files as they are now.
  void Set(std::vector<std::filesystem::path> paths);
  base::Result<std::vector<DesiredBundle>> Read() override;

 private:
  std::mutex mutex_;  ///< guards what follows
  std::vector<std::filesystem::path> paths_;
  std::vector<DesiredBundle> listed_;  ///< stamped when they were listed first: files that change later are not loaded
};

}  // namespace slipway::live
