#pragma once
// NameSet: the names of one bundle, kept distinct on every file system.

#include <map>
#include <string>
#include <string_view>

#include "base/error.h"

namespace slipway::bundle {

class NameSet {
 public:
  /// Errors: "bundle.file_name"; "bundle.duplicate_name": the name is there already, differs only in case, or one is a
  /// folder of the other.
  base::Result<void> Add(std::string_view name, int max_bytes);

 private:
  std::map<std::string, std::string> files_;    ///< folded name -> name
  std::map<std::string, std::string> folders_;  ///< folded name of a folder -> a file in it
};

}  // namespace slipway::bundle
