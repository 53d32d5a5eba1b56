#include "tables/duckdb/library.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <filesystem>
#include <string_view>
#include <utility>

#include "base/library.h"

namespace slipway::tables::duckdb {
namespace {

constexpr const char* kNames[] = {
#define SLIPWAY_DUCKDB_TEXT(function) #function,
    SLIPWAY_DUCKDB_FUNCTIONS(SLIPWAY_DUCKDB_TEXT)
#undef SLIPWAY_DUCKDB_TEXT
};

}  // namespace

base::Result<Library> Library::Open() {
  SLIPWAY_ASSIGN(const auto shared, base::SharedLibrary::Open("duckdb", "SLIPWAY_DUCKDB"));
  Library library;
  for (size_t i = 0; i < library.functions_.size(); ++i) {
    library.functions_[i] = shared.Symbol(kNames[i]);
    if (!library.functions_[i]) {
      return base::Fail(
          base::Code::kUnavailable, "library.unfit",
          fmt::format("{} has no function {}; Slipway needs DuckDB 1.5 or newer", shared.path(), kNames[i]));
    }
  }
  Dl_info place{};
  if (dladdr(library.functions_[0], &place) != 0 && place.dli_fname != nullptr) {
    library.folder_ = std::filesystem::path(place.dli_fname).parent_path().string();
  }
  return library;
}

base::Result<std::string> Library::ExtensionPath(const std::string& name) const {
  const auto path = std::filesystem::path(folder_) / (name + ".duckdb_extension");
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored)) return path.string();
  return base::Fail(base::Code::kUnavailable, "library.missing",
                    fmt::format("DuckDB's extension {} is missing: {} is not there; install it beside libduckdb.so",
                                name, path.string()));
}

base::Result<const Library*> Library::Load() {
  static const base::Result<Library> library = Open();
  if (!library) return std::unexpected(library.error());
  return &*library;
}

}  // namespace slipway::tables::duckdb
