#pragma once
// FileIndex: what the end of a Parquet file tells of where its columns' bytes lie
// (github.com/apache/parquet-format, README.md and parquet.thrift).

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "tables/parquet/schema.h"
#include "tables/parquet/thrift_value.h"

namespace slipway::tables::parquet {

/// A file that is read at any place. Thread-safety: const access from any thread.
class RandomFile {
 public:
  /// Error: unavailable "tables.read".
  static base::Result<RandomFile> Open(const std::string& path);
  RandomFile(RandomFile&& other) noexcept;
  ~RandomFile();

  int64_t size() const { return size_; }
  /// Errors: unavailable "tables.read"; data_loss "tables.parquet" when the file ends before.
  base::Result<void> ReadAt(int64_t offset, char* to, size_t bytes) const;

 private:
  RandomFile(int descriptor, int64_t size) : descriptor_(descriptor), size_(size) {}
  int descriptor_;
  int64_t size_;
};

// Numbers of parquet.thrift.
enum class Codec : int8_t { kNone = 0, kSnappy = 1, kGzip = 2, kZstd = 6 };
enum class Encoding : int8_t { kPlain = 0, kPlainDictionary = 2, kRle = 3, kRleDictionary = 8 };

/// The values of one leaf in one row group.
struct ColumnChunk {
  int64_t begin = 0, bytes = 0;  ///< in the file
  int64_t values = 0;            ///< nulls too
  Codec codec{};
  uint32_t encodings = 0;  ///< bit e: Encoding e is used
};

struct RowGroup {
  int64_t end_row = 0;  ///< rows up to its end
  std::vector<ColumnChunk> chunks;
};

struct FileIndex {
  std::vector<IndexedColumn> columns;
  std::vector<RowGroup> groups;
};

/// Errors: of RandomFile; data_loss "tables.parquet" for what is no Parquet file, is damaged or encrypted, has its
/// columns in other files, or an index of more than 16 MiB.
base::Result<FileIndex> ReadFileIndex(const RandomFile& file);

/// What a file begins and ends with.
inline constexpr std::string_view kMagic = "PAR1";

/// The index as it stands at the end of a file, with its size and the magic behind it.
std::string IndexText(const ThriftValue& index);

/// The error for bytes that are not as the format says, or are so in a way that this room does not read.
std::unexpected<base::Error> Unread(std::string_view what);

}  // namespace slipway::tables::parquet
