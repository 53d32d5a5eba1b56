#include "bundle/archive/name_set.h"

#include <fmt/format.h>

#include "bundle/archive/entry_name.h"

namespace slipway::bundle {

base::Result<void> NameSet::Add(std::string_view name, int max_bytes) {
  SLIPWAY_TRY(CheckEntryName(name, max_bytes));
  const auto clash = [&](std::string_view other, std::string_view how) {
    return base::Fail(base::Code::kInvalidArgument, "bundle.duplicate_name",
                      fmt::format("two files of the bundle {}: \"{}\" and \"{}\"; rename one", how, other, name));
  };
  const std::string folded = FoldedName(name);
  if (const auto twin = files_.find(folded); twin != files_.end()) {
    return clash(twin->second, twin->second == name ? "have the same name" : "have names that differ only in case");
  }
  if (const auto inside = folders_.find(folded); inside != folders_.end()) {
    return clash(inside->second, "need the same name as file and as folder");
  }
  for (size_t slash = folded.find('/'); slash != std::string::npos; slash = folded.find('/', slash + 1)) {
    const std::string folder = folded.substr(0, slash);
    if (const auto file = files_.find(folder); file != files_.end()) {
      return clash(file->second, "need the same name as file and as folder");
    }
    folders_.try_emplace(folder, name);
  }
  files_.emplace(folded, name);
  return {};
}

}  // namespace slipway::bundle
