#pragma once
// RowSource streams a table into Decoded rows, in the table's order and in constant memory: CSV, JSON lines, Parquet.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "data/decoded.h"
#include "data/layout.h"
#include "data/type.h"

namespace slipway::tables {

enum class Format : uint8_t { kCsv, kTsv, kJsonLines, kParquet, kNpy };

/// By extension: .csv .tsv .jsonl .ndjson .json .parquet .npy. Error "table.format" naming the known ones and the option
/// that says it.
base::Result<Format> FormatOf(std::string_view path);
/// "csv", "tsv", "jsonl", "parquet", "npy"; for --format.
base::Result<Format> ParseFormat(std::string_view name);

/// A table being read. Thread-safety: one thread at a time.
class RowSource {
 public:
  virtual ~RowSource() = default;
  /// Appends up to `max_rows` rows to `out` (which the caller clears). False: the end was reached and nothing appended.
  /// Errors: "table.read", "csv.malformed", …; rows that cannot be read are violations, not errors.
  virtual base::Result<bool> Next(data::Decoded& out, int64_t max_rows) = 0;
  /// Starts again at the first row. Error "table.rewind" for stdin.
  virtual base::Result<void> Rewind() = 0;
  /// Bytes (or rows) consumed so far, and all of them when known: for progress bars.
  virtual int64_t done() const = 0;
  virtual std::optional<int64_t> total() const = 0;
};

/// Opens a file, or stdin for "-" (CSV and JSON lines only). `layout` outlives the source.
/// Errors: "table.missing", "table.not_a_file", "table.header" (CSV), "library.missing" (Parquet).
base::Result<std::unique_ptr<RowSource>> OpenSource(const std::string& path, Format format, const data::Layout& layout);

/// A column as a file declares it.
struct FoundColumn {
  std::string name;
  std::optional<data::DataType> type;  ///< of Parquet; CSV and JSON lines do not tell
};

/// CSV: the header. JSON lines: the keys of the first 1,000 lines, in order of appearance. Parquet: its schema.
base::Result<std::vector<FoundColumn>> ReadColumns(const std::string& path, Format format);

}  // namespace slipway::tables
