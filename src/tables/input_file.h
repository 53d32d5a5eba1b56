#pragma once
// InputFile reads a file or standard input block by block.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace slipway::tables {

/// Thread-safety: one thread at a time.
class InputFile {
 public:
  static constexpr size_t kBlockBytes = size_t{1} << 20;

  /// `path` "-" is standard input. Errors: not_found "tables.missing", invalid_argument "tables.not_a_file" (a folder),
  /// unavailable "tables.read".
  static base::Result<InputFile> Open(std::string_view path);
  InputFile(InputFile&& other) noexcept;
  InputFile& operator=(InputFile&& other) noexcept;
  ~InputFile();

  /// The next bytes, at most kBlockBytes, valid until the next call; empty at the end.
  base::Result<std::string_view> ReadBlock();
  /// Error: failed_precondition "tables.not_seekable" for standard input and pipes.
  base::Result<void> Rewind();

  /// Whether ReadBlock() would answer at once: false only for a stream whose other end is still at work.
  bool IsReady() const;

  int64_t done() const { return done_; }
  int64_t total() const { return total_; }  ///< 0 when unknown
  const std::string& path() const { return path_; }

 private:
  InputFile(std::string path, int descriptor, int64_t total);

  std::string path_;
  int descriptor_ = -1;
  int64_t done_ = 0;
  int64_t total_ = 0;
  std::string block_;
};

}  // namespace slipway::tables
