#pragma once
// InputFile reads a file, an object (s3://…) or standard input block by block, unpacked when it is gzip or zstd.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "storage/object_store.h"
#include "tables/decompressor.h"

namespace slipway::tables {

/// Thread-safety: one thread at a time.
class InputFile {
 public:
  static constexpr size_t kBlockBytes = size_t{1} << 20;

  /// `path` "-" is standard input. Errors: not_found "tables.missing", invalid_argument "tables.not_a_file" (a folder),
  /// unavailable "tables.read"; of objects, those of storage::ObjectStore.
  static base::Result<InputFile> Open(std::string_view path);
  InputFile(InputFile&& other) noexcept;
  InputFile& operator=(InputFile&& other) noexcept;
  ~InputFile();

  /// The next bytes, at most kBlockBytes, valid until the next call; empty at the end. Errors: unavailable
  /// "tables.read"; data_loss "tables.packed" (damaged), "tables.truncated" (packed, and ends too early); of objects,
  /// those of storage::ObjectReader.
  base::Result<std::string_view> ReadBlock();
  /// The same bytes put behind a text instead; how many. What is not packed is read right into it.
  base::Result<size_t> AppendBlock(std::string& text);
  /// Passes over bytes of the unpacked text from where it stands; a file that is not packed is not read for it.
  base::Result<void> Skip(int64_t bytes);
  /// Error: failed_precondition "tables.not_seekable" for standard input and pipes.
  base::Result<void> Rewind();

  /// From now on a stream whose other end says nothing is given up when `stop` is true; it is asked every now and then.
  /// ReadBlock then fails: aborted "tables.stopped".
  void StopWhen(std::function<bool()> stop) { stop_ = std::move(stop); }
  /// Whether ReadBlock() would answer at once: false only for a stream whose other end is still at work.
  bool IsReady() const;

  /// Bytes as stored, packed or not.
  int64_t done() const { return done_; }
  int64_t total() const { return total_; }                  ///< 0 when unknown
  bool is_packed() const { return unpacking_ != nullptr; }  ///< known once a block was read
  const std::string& path() const { return path_; }

 private:
  InputFile(std::string path, int descriptor, int64_t total);
  base::Result<void> Begin();
  base::Result<void> AwaitStream() const;
  base::Result<size_t> Fill(char* to);
  base::Result<size_t> ReadStored(char* to);
  base::Result<size_t> ReadUnpacked(char* to);
  char* Block();

  std::string path_;
  int descriptor_ = -1;
  std::unique_ptr<storage::ObjectReader> object_;  ///< in place of a descriptor
  int64_t done_ = 0;
  int64_t total_ = 0;
  bool begun_ = false;
  std::string block_;
  std::string_view held_;  ///< read while looking at the beginning
  std::string stored_;     ///< of a packed file
  std::string_view packed_;
  std::unique_ptr<Decompressor> unpacking_;
  std::function<bool()> stop_;
};

}  // namespace slipway::tables
