#pragma once
// OutputFile writes a file or an object (s3://…) that appears under its name only when it is complete, or standard
// output.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "storage/object_store.h"

namespace slipway::tables {

/// Buffers writes. Without Finish() nothing is left behind (except what went to standard output).
/// Thread-safety: one thread at a time.
class OutputFile {
 public:
  /// `path` "-" is standard output; devices and pipes are written as they are. `expected_bytes`: of an object, about
  /// how long it will be; 0 when that is not known. Errors: unavailable "tables.write" (no permission, no such folder);
  /// of objects, here and below, those of storage::ObjectStore.
  static base::Result<OutputFile> Create(std::string_view path, int64_t expected_bytes = 0);
  OutputFile(OutputFile&& other) noexcept;
  OutputFile& operator=(OutputFile&&) = delete;
  ~OutputFile();

  /// Errors of Append, Flush and Finish: unavailable "tables.write" with the system's word.
  base::Result<void> Append(std::string_view bytes);
  /// Hands buffered bytes to the system, for readers at the other end of a pipe.
  base::Result<void> Flush();
  /// Replaces bytes written before; not for streams and objects.
  base::Result<void> Patch(int64_t offset, std::string_view bytes);
  /// Flushes and gives the file its name.
  base::Result<void> Finish();

  bool is_stream() const { return temporary_.empty() && !object_; }
  bool is_object() const { return object_ != nullptr; }

 private:
  OutputFile(std::string path, std::string temporary, int descriptor);
  base::Result<void> WriteAll(std::string_view bytes);
  std::unexpected<base::Error> Fault(int error) const;

  std::string path_;
  std::string temporary_;  ///< empty for streams and objects
  std::unique_ptr<storage::ObjectWriter> object_;
  int descriptor_ = -1;
  std::string buffer_;
};

/// A name beside `path` for a file in the making: hidden, and unlike any other's.
std::string TemporaryNameFor(std::string_view path);

/// Makes a file that was written under such a name lasting, and gives it its own. Error: unavailable "tables.write".
base::Result<void> GiveName(const std::string& temporary, const std::string& path);

}  // namespace slipway::tables
