#pragma once
// Whole files in and out, with limits and without half-written results.

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"

namespace slipway::base {

/// Reads a regular file of at most `limit` bytes. Errors: not_found "file.missing", invalid_argument "file.too_large"
/// or "file.not_regular", unavailable "file.read".
Result<std::string> ReadFile(const std::filesystem::path& path, int64_t limit = int64_t{1} << 31);

/// Writes beside the target and renames over it, so a reader sees the old bytes or the new ones, never a part.
/// Errors: unavailable "file.write" (disk full, no permission), with the path and the system's word.
Result<void> WriteFileAtomically(const std::filesystem::path& path, std::string_view bytes);

/// Makes the names in a folder as lasting as fsync makes a file's bytes. Error: unavailable "file.write".
Result<void> SyncFolder(const std::filesystem::path& folder);

/// A folder under the system's temporary one, removed with everything in it when this object goes.
class TemporaryFolder {
 public:
  static Result<TemporaryFolder> Create();
  TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TemporaryFolder& operator=(TemporaryFolder&& other) noexcept {
    std::swap(path_, other.path_);
    return *this;
  }
  ~TemporaryFolder();
  const std::filesystem::path& path() const { return path_; }

 private:
  explicit TemporaryFolder(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

}  // namespace slipway::base
