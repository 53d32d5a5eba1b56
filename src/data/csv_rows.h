#pragma once
// Records in and out as CSV (RFC 4180, with LF or CRLF, a byte-order mark skipped, quoted line breaks kept).

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "data/decoded.h"

namespace slipway::data {

class JsonWalker;

struct CsvLimits {
  int64_t cell_bytes = int64_t{16} << 20;
  int64_t record_bytes = int64_t{64} << 20;
  int64_t table_bytes = int64_t{256} << 20;  ///< of the columns that a decoder fills before its caller empties them
  int columns = 16384;
};

/// Splits CSV into cells, fed by blocks of any size; holds at most one record. Knows no types. Records that
/// lie in one block and hold no doubled quotes are split in place, all others are gathered cell by cell.
/// Thread-safety: one thread at a time.
class CsvReader {
 public:
  struct Cell {
    std::string_view text;  ///< unquoted; valid during the callback
    bool quoted;            ///< an unquoted empty cell is null, a quoted one an empty text
  };
  using OnRecord = std::function<void(const std::vector<Cell>& cells, int64_t line)>;

  explicit CsvReader(char delimiter = ',', CsvLimits limits = {});
  /// Delivers every record completed by this block; an empty line is a record of one empty cell. LF, CRLF and CR end a
  /// record. Errors: "csv.malformed" (text after a closing quote; a bare quote inside an unquoted cell is kept as it
  /// is), "csv.limit"; with the line. After an error every call returns it again.
  base::Result<void> Feed(std::string_view block, const OnRecord& on_record);
  /// The end of input: delivers a last record without line break. Error: an open quote.
  base::Result<void> Finish(const OnRecord& on_record);
  /// Goes on with text whose first record stands at this line. Precondition: no record is at hand.
  void ContinueAt(int64_t line);
  /// Of the record at hand.
  size_t held_bytes() const { return buffer_.capacity(); }

 private:
  enum class State : uint8_t { kStart, kCell, kQuoted, kQuoteInQuoted, kCarriageReturn };
  struct Span {
    size_t begin, end;
    bool quoted;
  };

  bool AtRecordStart() const { return state_ == State::kStart && spans_.empty(); }
  const char* PlainQuotedEnd(const char* at, const char* end) const;
  const char* SplitInPlace(const char* at, const char* end, const OnRecord& on_record);
  const char* Gather(const char* at, const char* end, const OnRecord& on_record);
  const char* GatherUnquoted(const char* at, const char* end);
  const char* GatherQuoted(const char* at, const char* end);
  const char* SkipMark(const char* at, const char* end, const OnRecord& on_record);
  void EndCell();
  void EndRecord(const OnRecord& on_record);
  void Fail(std::string reason, const std::string& problem);

  char delimiter_;
  CsvLimits limits_;
  State state_ = State::kStart;
  bool first_ = true;  ///< until the byte-order mark is decided
  size_t mark_ = 0;    ///< bytes of the mark seen
  int64_t line_ = 1;
  int64_t record_line_ = 1;
  std::string buffer_;  ///< the gathered record's cells, one after another
  std::vector<Span> spans_;
  size_t cell_begin_ = 0;
  bool cell_quoted_ = false;
  std::vector<Cell> cells_;
  base::Result<void> failure_;
};

/// Turns CSV text with a header into Decoded. A blank line is a row of null in a table of one column, and skipped in
/// any other and before the header; the line break that ends the last record begins no row. A record with too few or
/// too many cells is that row's kMalformed violation. A repeated header name is an error; an unknown one is ignored or,
/// by the layout, a violation of every row. Blanks around unquoted header names do not count.
class CsvRowDecoder {
 public:
  explicit CsvRowDecoder(const Layout& layout, char delimiter = ',', CsvLimits limits = {});
  ~CsvRowDecoder();
  /// Appends the rows completed by this block to `out`. Errors: those of CsvReader, "csv.header" (no header, a repeated
  /// name, another delimiter), "csv.limit" (`out` holds too many rows: empty it between blocks).
  base::Result<void> Feed(std::string_view block, Decoded& out);
  base::Result<void> Finish(Decoded& out);
  /// As CsvReader::ContinueAt, behind the same header.
  void ContinueAt(int64_t line) { reader_.ContinueAt(line); }
  const std::vector<std::string>& header() const { return header_; }
  size_t held_bytes() const { return reader_.held_bytes(); }

 private:
  void OnRecord(const std::vector<CsvReader::Cell>& cells, int64_t line, Decoded& out);
  void OnHeader(const std::vector<CsvReader::Cell>& cells);
  void OnCell(int field, const CsvReader::Cell& cell, RowBuilder& builder);

  const Layout& layout_;
  CsvReader reader_;
  std::vector<std::string> header_;
  std::vector<int> target_;  ///< field per cell; -1 unknown
  bool have_header_ = false;
  int64_t row_limit_;
  std::unique_ptr<JsonWalker> walker_;  ///< for cells of tensor fields; none when there are none
  base::Result<void> failure_;
};

/// Writes rows as CSV. Strings are quoted when they must be (and when empty, since an empty unquoted cell is null).
/// A labelled vector takes one column per label, any other tensor one cell with a JSON array. NaN and infinities are
/// written as nan, inf and -inf. CsvRowDecoder reads back what was written.
class CsvRowEncoder {
 public:
  explicit CsvRowEncoder(std::vector<Field> fields, char delimiter = ',');
  void AppendHeader(std::string& out) const;                                ///< with line break
  void AppendRow(const Table& table, int64_t row, std::string& out) const;  ///< cells without line break
  /// `columns`: views of a table's columns, for callers that write many rows of one.
  void AppendRow(std::span<const ColumnView> columns, int64_t row, std::string& out) const;
  /// A whole record with its line break. The null of a table of one column is written as "" where that cannot mean the
  /// empty string, since many readers skip a blank line.
  void AppendLine(const Table& table, int64_t row, std::string& out) const;
  void AppendLine(std::span<const ColumnView> columns, int64_t row, std::string& out) const;
  static void AppendCell(std::string_view text, char delimiter, std::string& out);

 private:
  void AppendCells(const Field& field, const ColumnView& column, int64_t row, std::string& out) const;
  void EndLine(size_t begin, std::string& out) const;
  void AppendElement(const Field& field, const ColumnView& column, int64_t element, std::string& out) const;

  std::vector<Field> fields_;
  char delimiter_;
};

}  // namespace slipway::data
