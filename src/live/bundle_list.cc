#include "live/bundle_list.h"

#include <algorithm>

#include "live/bundle_folder.h"

namespace slipway::live {

void BundleList::Set(std::vector<std::filesystem::path> paths) {
  const std::lock_guard lock(mutex_);
  paths_ = std::move(paths);
  listed_.clear();
}

base::Result<std::vector<DesiredBundle>> BundleList::Read() {
  const std::lock_guard lock(mutex_);
  if (listed_.size() != paths_.size()) {
    listed_.clear();
    for (const auto& path : paths_) listed_.push_back({path, StampOf(path)});
  }
  return listed_;
}

}  // namespace slipway::live
