#include "tables/parquet/flat_sink.h"

#include <algorithm>
#include <utility>

#include "tables/parquet/file_index.h"

namespace slipway::tables::parquet {
namespace {

using Member = ThriftValue::Member;

constexpr std::string_view kCreatedBy = "slipway version 1";  // of this writer
constexpr int64_t kVectorRows = 2048;
constexpr int64_t kMaxGroupRows = 60 * kVectorRows;  // DuckDB's own default

}  // namespace

int64_t GroupRows(const std::vector<data::Field>& fields, const TableOptions& options) {
  if (options.row_group_rows) return std::max(kVectorRows, *options.row_group_rows / kVectorRows * kVectorRows);
  const int64_t row_bytes = std::max<int64_t>(1, data::RowBytes(fields));
  return std::clamp(options.memory.count / 8 / row_bytes / kVectorRows * kVectorRows, kVectorRows, kMaxGroupRows);
}

bool FlatSink::CanWrite(const std::vector<data::Field>& fields) {
  return std::ranges::all_of(data::OutputColumnsOf(fields), ColumnWriter::CanWrite);
}

FlatSink::FlatSink(OutputFile file, const std::vector<data::Field>& fields, const TableOptions& options)
    : file_(std::move(file)),
      constants_(options.constants),
      group_rows_(GroupRows(fields, options)),
      most_bytes_(options.memory.count / 4) {
  for (const auto& column : data::OutputColumnsOf(fields)) {
    const auto constant = std::ranges::find(constants_, column.field, &ConstantField::field);
    columns_.push_back({column.field, constant == constants_.end() ? nullptr : &*constant, ColumnWriter(column)});
  }
  schema_.push_back(
      ThriftValue::Struct({{4, ThriftValue::Text("slipway")}, {5, ThriftValue::I32(std::ssize(columns_))}}));
  for (const auto& column : columns_) schema_.push_back(column.writer.SchemaElement());
}

base::Result<std::unique_ptr<FlatSink>> FlatSink::Open(std::string_view path, const std::vector<data::Field>& fields,
                                                       const TableOptions& options) {
  SLIPWAY_ASSIGN(auto file, OutputFile::Create(path));
  std::unique_ptr<FlatSink> sink(new FlatSink(std::move(file), fields, options));
  SLIPWAY_TRY(sink->Append(kMagic));
  return sink;
}

base::Result<void> FlatSink::Append(std::string_view bytes) {
  at_ += std::ssize(bytes);
  return file_.Append(bytes);
}

// In steps that are the same however the rows are brought.
base::Result<void> FlatSink::Write(const data::Table& rows) {
  for (int64_t row = 0; row < rows.rows;) {
    const int64_t step = std::min(rows.rows - row, kVectorRows - rows_of_group_ % kVectorRows);
    int64_t held = 0;
    for (auto& column : columns_) {
      if (column.constant != nullptr) {
        column.writer.AppendText(column.constant->text, step);
      } else {
        column.writer.Append(rows.columns[column.field], {row, step});
      }
      held += column.writer.held_bytes();
    }
    row += step;
    rows_of_group_ += step;
    if (rows_of_group_ % kVectorRows != 0) continue;
    for (auto& column : columns_) column.writer.EndStep();
    if (rows_of_group_ >= group_rows_ || held > most_bytes_) SLIPWAY_TRY(EndGroup());
  }
  return {};
}

base::Result<void> FlatSink::EndGroup() {
  if (rows_of_group_ == 0) return {};
  const int64_t begin = at_;
  int64_t unpacked = 0;
  std::vector<ThriftValue> chunks;
  for (auto& column : columns_) {
    WrittenChunk chunk = column.writer.Finish(at_);
    unpacked += chunk.unpacked_bytes;
    chunks.push_back(ThriftValue::Struct({{2, ThriftValue::I64(0)}, {3, std::move(chunk.meta_data)}}));
    SLIPWAY_TRY(Append(chunk.bytes));
  }
  groups_.push_back(ThriftValue::Struct({{1, ThriftValue::List(ThriftType::kStruct, std::move(chunks))},
                                         {2, ThriftValue::I64(unpacked)},
                                         {3, ThriftValue::I64(rows_of_group_)},
                                         {5, ThriftValue::I64(begin)},
                                         {6, ThriftValue::I64(at_ - begin)}}));
  rows_ += std::exchange(rows_of_group_, 0);
  return {};
}

base::Result<void> FlatSink::Finish() {
  SLIPWAY_TRY(EndGroup());
  // Bounds are ordered as their types are.
  const auto by_type = ThriftValue::Struct({{1, ThriftValue::Struct({})}});
  std::vector<ThriftValue> orders(columns_.size(), by_type);
  const auto index = ThriftValue::Struct({{1, ThriftValue::I32(1)},
                                          {2, ThriftValue::List(ThriftType::kStruct, std::move(schema_))},
                                          {3, ThriftValue::I64(rows_)},
                                          {4, ThriftValue::List(ThriftType::kStruct, std::move(groups_))},
                                          {6, ThriftValue::Text(kCreatedBy)},
                                          {7, ThriftValue::List(ThriftType::kStruct, std::move(orders))}});
  SLIPWAY_TRY(Append(IndexText(index)));
  return file_.Finish();
}

}  // namespace slipway::tables::parquet
