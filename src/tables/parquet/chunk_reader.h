#pragma once
// ChunkReader decodes the values of one flat column, row group by row group.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tables/parquet/hybrid_reader.h"
#include "tables/parquet/page_reader.h"

namespace slipway::tables::parquet {

/// The values of some rows, valid until the reader's next call.
struct Values {
  int64_t rows = 0;
  const uint32_t* levels = nullptr;  ///< a row: 1 a value, 0 null; nullptr: all are values
  int64_t count = 0;                 ///< of values
  /// Of the rows that have one, in order: uint8_t (0 or 1) for booleans, int32_t, int64_t, float, double; texts.
  const void* numbers = nullptr;
  const std::string_view* texts = nullptr;  ///< of byte arrays; not checked to be UTF-8
};

/// Encodings: plain and by dictionary, booleans also by runs. Memory: a window on the file, a page, a dictionary, and
/// the values asked for at once. Errors of all: those of PageReader. Thread-safety: one thread at a time.
class ChunkReader {
 public:
  /// `file` must outlive this; `most_bytes`: of a page.
  ChunkReader(const RandomFile& file, const IndexedColumn& column, int64_t most_bytes)
      : pages_(file), type_(column.type), is_optional_(column.is_optional), most_bytes_(most_bytes) {}

  /// Whether the chunk, of a plain column, says that it is stored in a way that is read.
  static bool CanRead(const ColumnChunk& chunk);

  void Begin(const ColumnChunk& chunk);
  base::Result<void> Skip(int64_t rows);
  /// The next rows, at least one and at most `rows`. Precondition: the chunk has not ended.
  base::Result<Values> Next(int64_t rows);

  int64_t held_bytes() const;
  size_t width() const;  ///< bytes of a number

 private:
  /// Goes to the next page of data; passes over pages of at most `passed` rows, which it takes off.
  base::Result<void> NextPage(int64_t& passed);
  base::Result<void> ReadDictionary(const PageHead& head);
  base::Result<void> BeginData(const PageHead& head);
  base::Result<void> ReadLevels(Values& values);
  base::Result<void> ReadValues(int64_t count);
  base::Result<void> ReadPlain(int64_t count);
  base::Result<void> ReadPlainBooleans(int64_t count);
  base::Result<void> ReadPlainTexts(int64_t count);
  base::Result<void> ReadBooleanRuns(int64_t count);
  base::Result<void> ReadByDictionary(int64_t count);
  bool GatherValues();
  bool is_text() const { return type_ == PhysicalType::kByteArray; }

  PageReader pages_;
  PhysicalType type_;
  bool is_optional_;
  int64_t most_bytes_;
  std::string page_;         ///< unpacked
  std::string_view plain_;   ///< of it: plain values not yet taken
  int64_t plain_taken_ = 0;  ///< booleans of plain_
  Encoding encoding_{};
  HybridReader levels_reader_, indices_reader_;
  int64_t page_rows_ = 0;  ///< left in the page
  std::string dictionary_;
  std::vector<std::string_view> dictionary_texts_;
  int64_t dictionary_size_ = 0;
  std::vector<uint32_t> levels_, indices_;
  std::vector<std::byte> numbers_;  ///< room for values of any type
  std::vector<std::string_view> texts_;
};

}  // namespace slipway::tables::parquet
