#include "base/library.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <vector>

#include "base/machine.h"

namespace slipway::base {
namespace {

std::string LoaderWord() {
  const char* word = dlerror();
  return word == nullptr ? "unknown" : word;
}

}  // namespace

Result<SharedLibrary> SharedLibrary::Open(std::string_view name, const char* variable, std::string_view abi) {
  const std::string file = fmt::format("lib{}.so{}{}", name, abi.empty() ? "" : ".", abi);
  const char* named = variable == nullptr ? nullptr : std::getenv(variable);
  std::vector<std::string> places;
  if (named != nullptr && *named != '\0') {
    places = {named};
  } else if (const auto beside = LibraryFolder(); !beside.empty()) {
    places = {(beside / file).string(), file};
  } else {
    const std::filesystem::path folder = ProgramFolder();
    places = {(folder / "lib" / file).string(), (folder.parent_path() / "lib" / "slipway" / file).string(), file};
  }
  std::string tried;
  for (const std::string& place : places) {
    if (void* handle = dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL)) return SharedLibrary(handle, place);
    tried += fmt::format("{}{} ({})", tried.empty() ? "" : "; ", place, LoaderWord());
  }
  const std::string cure =
      variable == nullptr ? "install it" : fmt::format("install it, or name its path in {}", variable);
  return Fail(Code::kUnavailable, "library.missing",
              fmt::format("the library {} cannot be opened; tried {}; {}", file, tried, cure));
}

void* SharedLibrary::Symbol(const char* name) const {
  return dlsym(handle_, name);
}

}  // namespace slipway::base
