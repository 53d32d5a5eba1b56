#include <cstring>

#include "base/text.h"
#include "tables/csv_text.h"
#include "tables/json_file.h"
#include "tables/parquet_rows.h"
#include "tables/piece_source.h"

namespace slipway::tables {

PieceRows::PieceRows(const TableHead& head, const data::Layout& layout, const TableOptions& options)
    : head_(head), layout_(layout), options_(options) {}
PieceRows::~PieceRows() = default;

base::Result<void> PieceRows::Begin(const Piece& piece) {
  text_ = piece.text;
  if (head_.format == Format::kParquet) {
    if (!parquet_) parquet_ = std::make_unique<ParquetRows>(head_, layout_, options_);
    return parquet_->Select(piece.begin.row, piece.end.row);
  }
  if (!IsSeparated(head_.format)) {
    if (!records_) {
      records_.emplace(layout_, data::JsonRowLimits{.bytes = static_cast<int64_t>(JsonRecordReader::kRecordBytes)});
    }
    return {};
  }
  if (!cells_) {
    cells_.emplace(layout_, DelimiterOf(head_.format));
    data::Decoded none(layout_);
    if (auto fed = cells_->Feed(head_.preamble, none); !fed) return std::unexpected(InFile(fed.error(), head_.path));
  }
  cells_->ContinueAt(piece.begin.line);
  return {};
}

/// A slice of about this size is decoded at once, whatever the rows in it; of tables so wide that as many rows as could
/// stand in it would be too large, as many lines as asked for.
std::string_view PieceRows::NextSlice(int64_t rows) const {
  constexpr size_t kSliceBytes = size_t{256} << 10;
  constexpr auto kMostRows = static_cast<int64_t>(kSliceBytes / 2);  // a character and a line break each
  if (RowsOfBatch(layout_, kMostRows) < kMostRows) return FirstLines(text_, rows);
  if (text_.size() <= kSliceBytes) return text_;
  const void* found = memrchr(text_.data(), '\n', kSliceBytes);
  return text_.substr(0, found ? static_cast<size_t>(static_cast<const char*>(found) - text_.data()) + 1 : kSliceBytes);
}

base::Result<void> PieceRows::NextSeparated(data::Decoded& rows, int64_t max_rows) {
  const int64_t most = RowsOfBatch(layout_, max_rows);
  int64_t bytes = 0;
  while (rows.table.rows < most && !text_.empty() && bytes < kBatchBytes) {
    const std::string_view text = NextSlice(most - rows.table.rows);
    text_.remove_prefix(text.size());
    auto fed = cells_->Feed(text, rows);
    if (fed && text_.empty()) fed = cells_->Finish(rows);
    if (!fed) return std::unexpected(InFile(fed.error(), head_.path));
    bytes += static_cast<int64_t>(text.size());
    if (rows.table.rows >= most / 2) break;  // the next slice may hold as many again
  }
  return {};
}

void PieceRows::NextRecords(data::Decoded& rows, int64_t max_rows) {
  const int64_t most = RowsOfBatch(layout_, max_rows);
  int64_t bytes = 0;
  while (rows.table.rows < most && !text_.empty() && bytes < kBatchBytes) {
    const void* found = std::memchr(text_.data(), '\n', text_.size());
    const size_t end = found ? static_cast<size_t>(static_cast<const char*>(found) - text_.data()) : text_.size();
    const std::string_view line = JsonLineOf(text_.substr(0, end));
    text_.remove_prefix(std::min(end + 1, text_.size()));
    if (line.empty()) continue;
    records_->DecodeLine(line, rows);
    bytes += static_cast<int64_t>(line.size());
  }
}

base::Result<bool> PieceRows::Next(data::Decoded& rows, int64_t max_rows) {
  if (head_.format == Format::kParquet) return parquet_->Next(rows, max_rows);
  rows.Clear();
  if (IsSeparated(head_.format)) {
    SLIPWAY_TRY(NextSeparated(rows, max_rows));
  } else {
    NextRecords(rows, max_rows);
  }
  return rows.table.rows > 0;
}

}  // namespace slipway::tables
