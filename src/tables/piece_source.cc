#include "tables/piece_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/text.h"
#include "data/csv_boundaries.h"
#include "tables/csv_text.h"
#include "tables/json_file.h"
#include "tables/parquet_description.h"

namespace slipway::tables {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
/// A record longer than decoders take, so that they may be asked what is wrong with it.
constexpr size_t kTooLong = JsonRecordReader::kRecordBytes + (size_t{1} << 20);

double ShareOf(const InputFile& file) {
  return file.total() > 0 ? static_cast<double>(file.done()) / static_cast<double>(file.total()) : 0;
}

/// The header's record, read from the file's beginning; what was read behind it is left in `rest`.
base::Result<void> ReadPreamble(InputFile& file, TableHead& head) {
  std::string text;
  data::CsvBoundaries boundaries(DelimiterOf(head.format), false);
  const data::Layout none;
  data::CsvRowDecoder decoder(none, DelimiterOf(head.format));
  data::Decoded rows(none);
  size_t mark = 0;
  for (bool last = false, found = false; !found;) {
    SLIPWAY_ASSIGN(const std::string_view block, file.ReadBlock());
    if (text.empty()) {
      SLIPWAY_TRY(CheckEncoding(block, file.path()));
      mark = block.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
    }
    last = block.empty();
    text += block;
    found = boundaries.Scan(std::string_view(text).substr(std::min(mark, text.size())), last, 1, text.max_size());
    if (!found && text.size() > kTooLong) break;
  }
  const size_t end = mark + boundaries.cut().end;
  auto fed = decoder.Feed(std::string_view(text).substr(0, end == mark ? text.size() : end), rows);
  if (fed && decoder.header().empty()) fed = decoder.Finish(rows);
  if (!fed) return std::unexpected(InFile(fed.error(), file.path()));
  head.preamble = text.substr(0, end);
  if (head.path == "-") head.rest = text.substr(end);
  head.header_lines = boundaries.cut().lines;
  for (const auto& name : decoder.header()) head.columns.push_back({.name = name, .type = {}, .stored_type = {}});
  return {};
}

/// Text of separated cells.
class SeparatedPieces final : public PieceSource {
 public:
  SeparatedPieces(InputFile file, const TableHead& head)
      : file_(std::move(file)),
        place_{.offset = static_cast<int64_t>(head.preamble.size()), .row = 0, .line = 1 + head.header_lines},
        boundaries_(DelimiterOf(head.format), head.columns.size() == 1),
        rest_(head.rest),
        begun_(head.stream != nullptr) {}

  base::Result<void> MoveTo(const PiecePlace& place) override {
    place_ = place;
    return {};
  }

  base::Result<bool> Next(const PieceBounds& bounds, Piece& piece) override {
    if (!begun_) SLIPWAY_TRY(file_.Skip(place_.offset));
    begun_ = true;
    const auto bytes = static_cast<size_t>(bounds.bytes);
    // Growing step by step would copy the text several times over; memory that is not written costs nothing.
    piece.text.reserve(bytes + 2 * InputFile::kBlockBytes);
    piece.text.assign(rest_);
    boundaries_.Restart();
    while (!boundaries_.Scan(piece.text, ended_, bounds.rows, bytes)) {
      if (piece.text.size() - boundaries_.cut().end > kTooLong) return GiveUp(piece);
      SLIPWAY_ASSIGN(const size_t read, file_.AppendBlock(piece.text));
      ended_ = read == 0;
    }
    const auto& cut = boundaries_.cut();
    rest_.assign(piece.text, cut.end);
    piece.text.resize(cut.end);
    SetPlace(piece, cut.rows, cut.lines);
    return piece.rows() > 0;  // blank lines alone can only be the last
  }

  double share() const override { return ShareOf(file_); }

 private:
  void SetPlace(Piece& piece, int64_t rows, int64_t lines) {
    piece.begin = place_;
    place_.offset += static_cast<int64_t>(piece.text.size());
    place_.row += rows;
    place_.line += lines;
    piece.end = place_;
  }

  bool GiveUp(Piece& piece) {
    SetPlace(piece, boundaries_.cut().rows + 1, boundaries_.cut().lines + 1);
    return true;
  }

  InputFile file_;
  PiecePlace place_;
  data::CsvBoundaries boundaries_;
  std::string rest_;  ///< read, and part of the next piece
  bool begun_;
  bool ended_ = false;
};

/// JSON lines.
class LinePieces final : public PieceSource {
 public:
  explicit LinePieces(InputFile file) : file_(std::move(file)) {}

  base::Result<void> MoveTo(const PiecePlace& place) override {
    place_ = place;
    return file_.Skip(place.offset);
  }

  base::Result<bool> Next(const PieceBounds& bounds, Piece& piece) override {
    piece.text.clear();
    piece.begin = place_;
    while (place_.row - piece.begin.row < bounds.rows && place_.offset - piece.begin.offset < bounds.bytes) {
      SLIPWAY_ASSIGN(const bool more, TakeLine(piece.text));
      if (!more) break;
    }
    piece.end = place_;
    return piece.rows() > 0;
  }

  double share() const override { return ShareOf(file_); }

 private:
  /// Appends the next line with its line break, of an overlong one the beginning. False at the end.
  base::Result<bool> TakeLine(std::string& text) {
    const size_t begin = text.size();
    for (bool complete = false; !complete;) {
      if (block_.empty()) {
        SLIPWAY_ASSIGN(block_, file_.ReadBlock());
        if (block_.empty()) break;
      }
      const void* found = std::memchr(block_.data(), '\n', block_.size());
      const size_t end = found ? static_cast<size_t>(static_cast<const char*>(found) - block_.data()) : block_.size();
      const size_t kept = std::min(text.size() - begin, JsonRecordReader::kRecordBytes + 1);
      text.append(block_.substr(0, std::min(end, JsonRecordReader::kRecordBytes + 1 - kept)));
      complete = found != nullptr;
      place_.offset += static_cast<int64_t>(end + (complete ? 1 : 0));
      block_.remove_prefix(end + (complete ? 1 : 0));
      if (complete) text += '\n';
    }
    if (text.size() == begin) return false;
    const std::string_view line = JsonLineOf(std::string_view(text).substr(begin));
    place_.row += !line.empty();
    ++place_.line;
    return true;
  }

  InputFile file_;
  PiecePlace place_;
  std::string_view block_;
};

/// A JSON document's records, each made a line.
class DocumentPieces final : public PieceSource {
 public:
  explicit DocumentPieces(InputFile file) : reader_(std::move(file), JsonRecordReader::Form::kDocument) {}

  base::Result<void> MoveTo(const PiecePlace& place) override {
    for (; place_.row < place.row; ++place_.row) SLIPWAY_TRY(reader_.Next());
    place_ = place;
    return {};
  }

  base::Result<bool> Next(const PieceBounds& bounds, Piece& piece) override {
    piece.text.clear();
    piece.begin = place_;
    while (place_.row - piece.begin.row < bounds.rows && static_cast<int64_t>(piece.text.size()) < bounds.bytes) {
      SLIPWAY_ASSIGN(const std::string_view record, reader_.Next());
      if (record.empty()) break;
      const size_t begin = piece.text.size();
      piece.text += record;
      // Between tokens a space says the same; within a text a line break is no JSON, and no better as a space.
      std::replace(piece.text.begin() + static_cast<std::ptrdiff_t>(begin), piece.text.end(), '\n', ' ');
      piece.text += '\n';
      place_ = {.offset = place_.row + 1, .row = place_.row + 1, .line = 1};
    }
    piece.end = place_;
    return piece.rows() > 0;
  }

  double share() const override { return ShareOf(reader_.file()); }

 private:
  JsonRecordReader reader_;
  PiecePlace place_;
};

/// Parquet, of which only the numbers of rows are needed.
class ParquetPieces final : public PieceSource {
 public:
  explicit ParquetPieces(const TableHead& head) : rows_(head.rows.value_or(0)), group_ends_(head.group_ends) {}

  base::Result<void> MoveTo(const PiecePlace& place) override {
    row_ = place.row;
    return {};
  }

  base::Result<bool> Next(const PieceBounds& bounds, Piece& piece) override {
    piece.text.clear();
    piece.begin = {.offset = row_, .row = row_, .line = 1};
    row_ = EndOf(bounds);
    piece.end = {.offset = row_, .row = row_, .line = 1};
    return piece.rows() > 0;
  }

  double share() const override { return rows_ > 0 ? static_cast<double>(row_) / static_cast<double>(rows_) : 0; }

 private:
  int64_t EndOf(const PieceBounds& bounds) const {
    constexpr int64_t kManyPieces = 8;  // with fewer, threads would wait for the last ones
    if (!bounds.by_groups || rows_ / kManyPieces < bounds.rows) return std::min(rows_, row_ + bounds.rows);
    const int64_t most = std::min(rows_, row_ + 2 * bounds.rows);
    const auto behind = std::ranges::upper_bound(group_ends_, most);
    const int64_t whole = behind == group_ends_.begin() ? 0 : *std::prev(behind);
    return whole > row_ ? whole : most;
  }

  int64_t rows_;
  const std::vector<int64_t>& group_ends_;
  int64_t row_ = 0;
};

/// Rows of a part are found by a column that the engine adds.
base::Result<void> CheckRowNumbers(const TableHead& head) {
  constexpr const char* kRowNumber = "file_row_number";
  for (const auto& column : head.columns) {
    if (strcasecmp(column.name.c_str(), kRowNumber) != 0) continue;
    return base::Fail(
        base::Code::kInvalidArgument, "tables.row_number",
        fmt::format("the column {:?} has the name by which DuckDB numbers the rows of a file; rename it, or "
                    "ask for others: --sql \"SELECT * EXCLUDE ({}) FROM '…'\"",
                    column.name, column.name),
        head.path);
  }
  return {};
}

}  // namespace

base::Result<TableHead> ReadHead(std::string_view path, const TableOptions& options) {
  TableHead head;
  head.path = path;
  SLIPWAY_ASSIGN(head.format, options.format ? base::Result<Format>(*options.format) : FormatOf(path));
  if (head.format == Format::kParquet) {
    SLIPWAY_ASSIGN(auto described, DescribeParquet(path, options));
    head.columns = std::move(described.columns);
    SLIPWAY_TRY(CheckRowNumbers(head));
    head.rows = described.rows;
    head.group_ends = std::move(described.group_ends);
    return head;
  }
  SLIPWAY_ASSIGN(auto file, InputFile::Open(path));
  if (IsSeparated(head.format)) {
    SLIPWAY_TRY(ReadPreamble(file, head));
  } else if (path != "-") {
    SLIPWAY_ASSIGN(const std::string_view block, file.ReadBlock());
    SLIPWAY_TRY(CheckEncoding(block, file.path()));
  }
  if (path == "-") head.stream = std::make_shared<InputFile>(std::move(file));
  return head;
}

base::Result<std::unique_ptr<PieceSource>> OpenPieces(const TableHead& head) {
  if (head.format == Format::kParquet) return std::make_unique<ParquetPieces>(head);
  if (head.format == Format::kNpy) {
    return base::Fail(base::Code::kInvalidArgument, "tables.unfit", ".npy files are written, not read");
  }
  SLIPWAY_ASSIGN(auto file,
                 head.stream ? base::Result<InputFile>(std::move(*head.stream)) : InputFile::Open(head.path));
  if (IsSeparated(head.format)) return std::make_unique<SeparatedPieces>(std::move(file), head);
  if (head.format == Format::kJson) return std::make_unique<DocumentPieces>(std::move(file));
  return std::make_unique<LinePieces>(std::move(file));
}

}  // namespace slipway::tables
