#pragma once
// DesiredState: where it is told what this process should serve. The controller asks, again and again, and acts on the
// difference; a source only lists.

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"

namespace slipway::live {

/// A bundle that should be served. The same path with another stamp is another bundle.
struct DesiredBundle {
  std::filesystem::path path;
  std::string stamp;  ///< changes when the bundle does: of its files' sizes and times, or a digest

  friend bool operator==(const DesiredBundle&, const DesiredBundle&) = default;
};

/// Thread-safety: Read() on the control thread only.
class DesiredState {
 public:
  virtual ~DesiredState() = default;
  /// All that should be served now. Errors: it cannot be told; what was served goes on being served.
  virtual base::Result<std::vector<DesiredBundle>> Read() = 0;
};

}  // namespace slipway::live
