#pragma once
// ZstdSource streams the contents of a zstd file, refusing what is past the limits while it reads.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "bundle/bundle.h"

namespace slipway::bundle {

/// Thread-safety: one thread.
class ZstdSource {
 public:
  /// Errors: "bundle.missing", "bundle.not_an_archive", "bundle.limit", "file.read".
  static base::Result<ZstdSource> Open(const std::filesystem::path& path, const OpenLimits& limits);
  ZstdSource(ZstdSource&&) noexcept;
  ~ZstdSource();

  /// The next block, valid until the next call; empty at the end. Errors: "bundle.truncated", "bundle.corrupt",
  /// "bundle.limit", "file.read".
  base::Result<std::string_view> Next();

 private:
  struct State;
  explicit ZstdSource(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace slipway::bundle
