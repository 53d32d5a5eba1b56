#include "cli/folder_bundle.h"

#include <fmt/format.h>

namespace slipway::cli {

base::Result<bundle::Bundle> OpenFolder(const std::string& folder) {
  if (!std::filesystem::is_directory(folder)) {
    return base::Fail(base::Code::kInvalidArgument, "folder.expected",
                      fmt::format("{} is no folder; name the folder that holds slipway.yaml", folder));
  }
  return bundle::Bundle::Open(folder);
}

}  // namespace slipway::cli
