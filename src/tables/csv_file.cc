#include "tables/csv_file.h"

#include <utility>

#include "tables/csv_text.h"

namespace slipway::tables {
namespace {

constexpr size_t kTextBytes = size_t{1} << 16;

}  // namespace

CsvFileSource::CsvFileSource(InputFile file, const data::Layout& layout, char delimiter)
    : file_(std::move(file)), layout_(layout), delimiter_(delimiter) {
  decoder_.emplace(layout_, delimiter_);
}

base::Result<std::unique_ptr<CsvFileSource>> CsvFileSource::Open(std::string_view path, const data::Layout& layout,
                                                                 char delimiter) {
  SLIPWAY_ASSIGN(auto file, InputFile::Open(path));
  std::unique_ptr<CsvFileSource> source(new CsvFileSource(std::move(file), layout, delimiter));
  SLIPWAY_TRY(source->ReadHeader());
  return source;
}

base::Result<void> CsvFileSource::ReadHeader() {
  data::Decoded none(layout_);
  while (decoder_->header().empty() && !ended_) {
    if (block_.empty()) {
      SLIPWAY_ASSIGN(block_, file_.ReadBlock());
      ended_ = block_.empty();
      SLIPWAY_TRY(CheckEncoding(block_, file_.path()));
    }
    const std::string_view line = FirstLines(block_, 1);
    block_.remove_prefix(line.size());
    if (ended_) {
      if (auto finished = decoder_->Finish(none); !finished)
        return std::unexpected(InFile(finished.error(), file_.path()));
    } else {
      SLIPWAY_TRY(Decode(line, none));
    }
  }
  return {};
}

base::Result<void> CsvFileSource::Decode(std::string_view text, data::Decoded& rows) {
  if (auto fed = decoder_->Feed(text, rows); !fed) return std::unexpected(InFile(fed.error(), file_.path()));
  return {};
}

base::Result<bool> CsvFileSource::Next(data::Decoded& rows, int64_t max_rows) {
  rows.Clear();
  max_rows = RowsOfBatch(layout_, max_rows);
  int64_t bytes = 0;
  while (rows.table.rows < max_rows && !ended_ && bytes < kBatchBytes) {
    if (block_.empty()) {
      if (rows.table.rows > 0 && !file_.IsReady()) break;  // somebody may wait for the answers to these
      SLIPWAY_ASSIGN(block_, file_.ReadBlock());
      ended_ = block_.empty();
      if (ended_) {
        if (auto finished = decoder_->Finish(rows); !finished)
          return std::unexpected(InFile(finished.error(), file_.path()));
        break;
      }
    }
    const std::string_view text = FirstLines(block_, max_rows - rows.table.rows);
    block_.remove_prefix(text.size());
    SLIPWAY_TRY(Decode(text, rows));
    if (rows.table.rows > 0) bytes += static_cast<int64_t>(text.size());
  }
  return rows.table.rows > 0;
}

base::Result<void> CsvFileSource::Rewind() {
  SLIPWAY_TRY(file_.Rewind());
  decoder_.emplace(layout_, delimiter_);
  block_ = {};
  ended_ = false;
  return ReadHeader();
}

Progress CsvFileSource::progress() const {
  const auto held = file_.is_packed() ? 0 : static_cast<int64_t>(block_.size());
  return {.done = file_.done() - held, .total = file_.total()};
}

CsvFileSink::CsvFileSink(OutputFile file, const std::vector<data::Field>& fields, char delimiter)
    : file_(std::move(file)), encoder_(fields, delimiter) {}

base::Result<std::unique_ptr<CsvFileSink>> CsvFileSink::Open(std::string_view path,
                                                             const std::vector<data::Field>& fields, char delimiter) {
  SLIPWAY_ASSIGN(auto file, OutputFile::Create(path));
  std::unique_ptr<CsvFileSink> sink(new CsvFileSink(std::move(file), fields, delimiter));
  sink->encoder_.AppendHeader(sink->text_);
  SLIPWAY_TRY(sink->file_.Append(sink->text_));
  return sink;
}

base::Result<void> CsvFileSink::Write(const data::Table& rows) {
  text_.clear();
  for (int64_t row = 0; row < rows.rows; ++row) {
    encoder_.AppendLine(rows, row, text_);
    if (text_.size() < kTextBytes) continue;
    SLIPWAY_TRY(file_.Append(text_));
    text_.clear();
  }
  SLIPWAY_TRY(file_.Append(text_));
  return file_.is_stream() ? file_.Flush() : base::Result<void>();
}

base::Result<void> CsvFileSink::Finish() {
  return file_.Finish();
}

base::Result<std::vector<std::string>> ReadCsvHeader(std::string_view path, char delimiter) {
  const data::Layout none({}, data::UnknownFields::kIgnore);
  SLIPWAY_ASSIGN(auto source, CsvFileSource::Open(path, none, delimiter));
  return source->header();
}

}  // namespace slipway::tables
