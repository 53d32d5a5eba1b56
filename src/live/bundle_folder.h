#pragma once
// A watched folder as desired state: every bundle in it should be served.

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "live/desired_state.h"

namespace slipway::live {

/// What a path looks like from outside: sizes, times and inodes of the file, or of the files of the folder; empty when
/// there is nothing.
std::string StampOf(const std::filesystem::path& path);

/// Lists `*.slipway` files and folders with a slipway.yaml right inside a folder; names that begin with a dot are left
/// out. It looks rather than waits for the system's word, since network file systems and mounts of containers send
/// none. A bundle that is new or has changed counts once it looked the same twice in a row, so that one being copied is
/// left alone; until then the one before it counts. What has been removed goes on counting until it was gone twice in a
/// row and nothing else is changing: one look may see neither of two that take each other's place, since listing a
/// folder is not atomic. What is there at the first look counts at once.
class BundleFolder final : public DesiredState {
 public:
  /// Errors: unavailable "live.folder": there is no such folder, or it cannot be read.
  static base::Result<BundleFolder> Open(std::filesystem::path folder);

  /// Errors: "live.folder"; "live.folder_limit" past 10,000 bundles.
  base::Result<std::vector<DesiredBundle>> Read() override;

 private:
  explicit BundleFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}
  struct Seen {
    std::string looked, settled;  ///< stamps: at the last look (empty: gone), and of what counts
  };

  std::filesystem::path folder_;
  bool looked_ = false;
  std::map<std::filesystem::path, Seen> seen_;
};

}  // namespace slipway::live
