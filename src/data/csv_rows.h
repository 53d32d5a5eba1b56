#pragma once
// Records in and out as CSV (RFC 4180, with LF or CRLF, a byte-order mark skipped, quoted line breaks kept).

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "data/decoded.h"

namespace slipway::data {

struct CsvLimits {
  int64_t cell_bytes = int64_t{16} << 20;
  int columns = 16384;
};

/// Splits CSV into cells, fed by blocks of any size; holds at most one record. Knows no types.
/// Thread-safety: one thread at a time.
class CsvReader {
 public:
  struct Cell {
    std::string_view text;  ///< unquoted; valid during the callback
    bool quoted;            ///< an unquoted empty cell is null, a quoted one the empty string
  };
  using OnRecord = std::function<void(const std::vector<Cell>& cells, int64_t line)>;

  explicit CsvReader(char delimiter = ',', CsvLimits limits = {});
  /// Delivers every record completed by this block. Errors: "csv.malformed" (text after a closing quote, a bare quote
  /// inside an unquoted cell is kept as it is), "csv.limit"; with the line.
  base::Result<void> Feed(std::string_view block, const OnRecord& on_record);
  /// The end of input: delivers a last record without line break. Error: an open quote.
  base::Result<void> Finish(const OnRecord& on_record);

 private:
  enum class State : uint8_t { kStart, kCell, kQuoted, kQuoteInQuoted, kCarriageReturn };
  base::Result<void> EndCell();
  void EndRecord(const OnRecord& on_record);
  char delimiter_;
  CsvLimits limits_;
  State state_ = State::kStart;
  bool first_ = true;
  int64_t line_ = 1;
  int64_t record_line_ = 1;
  std::string buffer_;  ///< the record's unquoted cells, one after another
  struct Span { size_t begin, end; bool quoted; };
  std::vector<Span> spans_;
  size_t cell_begin_ = 0;
  bool cell_quoted_ = false;
  std::vector<Cell> cells_;
};

/// Turns CSV text with a header into Decoded. Blank lines are skipped. A record with too few or too many cells is that
/// row's kMalformed violation. A repeated header name is an error; an unknown one is ignored or, by the layout, a
/// violation of every row.
class CsvRowDecoder {
 public:
  explicit CsvRowDecoder(const Layout& layout, char delimiter = ',', CsvLimits limits = {});
  /// Appends the rows completed by this block to `out`.
  base::Result<void> Feed(std::string_view block, Decoded& out);
  base::Result<void> Finish(Decoded& out);
  const std::vector<std::string>& header() const { return header_; }

 private:
  void OnRecord(const std::vector<CsvReader::Cell>& cells, int64_t line, Decoded& out);
  const Layout& layout_;
  CsvReader reader_;
  std::vector<std::string> header_;
  std::vector<int> target_;  ///< field per cell; -1 unknown
  bool have_header_ = false;
  base::Result<void> failure_;
};

/// Writes rows as CSV. Strings are quoted when they must be (and when empty, since an empty unquoted cell is null).
/// A labelled vector takes one column per label, any other tensor one cell with a JSON array.
class CsvRowEncoder {
 public:
  explicit CsvRowEncoder(std::vector<Field> fields, char delimiter = ',');
  void AppendHeader(std::string& out) const;  ///< with line break
  void AppendRow(const Table& table, int64_t row, std::string& out) const;  ///< cells without line break
  static void AppendCell(std::string_view text, char delimiter, std::string& out);

 private:
  std::vector<Field> fields_;
  char delimiter_;
};

}  // namespace slipway::data
