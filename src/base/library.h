#pragma once
// Opens the shared libraries that only some commands need.

#include <string>
#include <string_view>

#include "base/error.h"

namespace slipway::base {

/// A shared library opened at run time; stays open for the life of the process.
class SharedLibrary {
 public:
  /// Looks for lib`name`.so at the path in environment variable `variable` if set, else in lib/ beside the program, in
  /// ../lib/slipway beside it, and on the system's search path; code that is part of a shared library itself looks
  /// beside that one instead of the program. `abi`: the number that a library of the system has
  /// behind its name (4: libcurl.so.4); the bare name comes with headers only.
  /// Errors: unavailable "library.missing" with the places tried and the way out.
  static Result<SharedLibrary> Open(std::string_view name, const char* variable, std::string_view abi = "");

  /// nullptr when there is no such symbol.
  void* Symbol(const char* name) const;
  const std::string& path() const { return path_; }

 private:
  SharedLibrary(void* handle, std::string path) : handle_(handle), path_(std::move(path)) {}
  void* handle_;
  std::string path_;
};

}  // namespace slipway::base
