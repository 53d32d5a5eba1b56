#pragma once
// PieceSource cuts a stored table into pieces that threads can decode apart from each other; PieceRows decodes one.
// Where pieces end hangs on the table and the bounds alone, never on threads, blocks or time.
//
//   auto head = ReadHead("flights.csv", {});
//   auto source = OpenPieces(*head);              // one thread
//   while (*source->Next(bounds, piece)) …        // hand pieces out
//   PieceRows rows(*head, layout, {});            // one a thread
//   rows.Begin(piece); while (*rows.Next(decoded, 1024)) …

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "data/csv_rows.h"
#include "data/decoded.h"
#include "data/json_rows.h"
#include "tables/input_file.h"
#include "tables/row_source.h"
#include "tables/table_files.h"

namespace slipway::tables {

/// What is known of a table before its rows are read.
struct TableHead {
  std::string path;
  Format format = Format::kCsv;
  std::vector<StoredColumn> columns;  ///< none for JSON, where every record has its own
  std::string preamble;               ///< of separated cells: the text up to and with the header
  int64_t header_lines = 0;
  std::optional<int64_t> rows;      ///< of Parquet
  std::vector<int64_t> group_ends;  ///< of Parquet: the rows behind each row group; empty: not known
  /// Standard input, which can be opened only once, and what was read of it; OpenPieces takes them.
  std::shared_ptr<InputFile> stream;
  std::string rest;
};

/// Errors: those of OpenSource.
base::Result<TableHead> ReadHead(std::string_view path, const TableOptions& options);

/// A place between two rows of a table.
struct PiecePlace {
  int64_t offset = 0;  ///< bytes of the unpacked text, records of a JSON document, rows of Parquet
  int64_t row = 0;
  int64_t line = 1;
  friend bool operator==(const PiecePlace&, const PiecePlace&) = default;
};

/// A run of whole rows. Reused: the text's memory is kept.
struct Piece {
  PiecePlace begin, end;
  std::string text;  ///< not of Parquet, which PieceRows reads itself
  int64_t rows() const { return end.row - begin.row; }
};

/// The shortest run of rows that reaches either bound.
struct PieceBounds {
  int64_t rows = 65536;
  int64_t bytes = int64_t{32} << 20;  ///< of text
  /// A Parquet file of many pieces is cut between its row groups, which are decoded as a whole: a piece takes as many
  /// as twice the rows hold, or twice the rows of one that holds more.
  bool by_groups = true;
};

/// Memory: one piece and a block. Thread-safety: one thread at a time.
class PieceSource {
 public:
  virtual ~PieceSource() = default;

  /// Goes to a place where a piece ended. Before the first Next() only. Not for standard input.
  virtual base::Result<void> MoveTo(const PiecePlace& place) = 0;
  /// The next rows; false at the end. Errors concern the table as a whole. A text that cannot be cut is handed on as it
  /// is: PieceRows says what is wrong with it.
  virtual base::Result<bool> Next(const PieceBounds& bounds, Piece& piece) = 0;
  /// Share of the table that was read, 0 to 1.
  virtual double share() const = 0;
};

/// `head` must outlive the source.
base::Result<std::unique_ptr<PieceSource>> OpenPieces(const TableHead& head);

class ParquetRows;

/// Decodes pieces of one table. Thread-safety: one thread at a time.
class PieceRows {
 public:
  /// `head` and `layout` must outlive this.
  PieceRows(const TableHead& head, const data::Layout& layout, const TableOptions& options);
  ~PieceRows();

  /// `piece` must live until its last row was read. Errors of Begin and Next: those of the format, with the path and,
  /// where known, the line.
  base::Result<void> Begin(const Piece& piece);
  /// As RowSource::Next, but that `max_rows` is about the number where reading exactly as many would be slower.
  base::Result<bool> Next(data::Decoded& rows, int64_t max_rows);

 private:
  std::string_view NextSlice(int64_t rows) const;
  base::Result<void> NextSeparated(data::Decoded& rows, int64_t max_rows);
  void NextRecords(data::Decoded& rows, int64_t max_rows);

  const TableHead& head_;
  const data::Layout& layout_;
  TableOptions options_;
  std::string_view text_;  ///< not yet decoded
  std::optional<data::CsvRowDecoder> cells_;
  std::optional<data::JsonRowDecoder> records_;
  std::unique_ptr<ParquetRows> parquet_;
};

}  // namespace slipway::tables
