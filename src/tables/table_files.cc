#include "tables/table_files.h"

#include <utility>

#include "storage/object_store.h"
#include "tables/csv_file.h"
#include "tables/csv_text.h"
#include "tables/duckdb/parquet_sink.h"
#include "tables/duckdb/parquet_source.h"
#include "tables/duckdb/session.h"
#include "tables/json_file.h"
#include "tables/npy_file.h"
#include "tables/parquet/flat_sink.h"
#include "tables/parquet_description.h"

namespace slipway::tables {
namespace {

base::Result<Format> FormatFor(std::string_view path, const TableOptions& options) {
  SLIPWAY_ASSIGN(const Format format, options.format ? base::Result<Format>(*options.format) : FormatOf(path));
  if (format != Format::kParquet || !storage::IsObjectUrl(path)) return format;
  return base::Fail(
      base::Code::kInvalidArgument, "tables.unfit",
      "an object of Parquet is read and written by `slipway batch` only, since its index stands at its end; "
      "copy it, or use csv or jsonl",
      std::string(path));
}

JsonRecordReader::Form FormOf(Format format) {
  return format == Format::kJson ? JsonRecordReader::Form::kDocument : JsonRecordReader::Form::kLines;
}

std::unexpected<base::Error> WrittenOnly() {
  return base::Fail(base::Code::kInvalidArgument, "tables.unfit",
                    ".npy files are written, not read, since they name no columns; use csv, jsonl or parquet");
}

std::vector<StoredColumn> Untyped(std::vector<std::string> names) {
  std::vector<StoredColumn> columns;
  for (auto& name : names) columns.push_back({.name = std::move(name)});
  return columns;
}

}  // namespace

base::Result<std::unique_ptr<RowSource>> OpenSource(std::string_view path, const data::Layout& layout,
                                                    const TableOptions& options) {
  SLIPWAY_ASSIGN(const Format format, FormatFor(path, options));
  switch (format) {
    case Format::kCsv:
    case Format::kTsv:
    case Format::kSsv:
      return CsvFileSource::Open(path, layout, DelimiterOf(format));
    case Format::kJsonLines:
    case Format::kJson:
      return JsonFileSource::Open(path, layout, FormOf(format));
    case Format::kParquet:
      return duckdb::ParquetSource::Open(path, layout, options);
    case Format::kNpy:
      break;
  }
  return WrittenOnly();
}

base::Result<std::unique_ptr<RowSink>> OpenSink(std::string_view path, const std::vector<data::Field>& fields,
                                                const TableOptions& options) {
  SLIPWAY_ASSIGN(const Format format, FormatFor(path, options));
  if (IsPackedName(path)) {
    return base::Fail(base::Code::kInvalidArgument, "tables.unfit",
                      "tables are read from .gz and .zst, but not written to them; leave the ending out, and pack the "
                      "file afterwards, or write Parquet, which packs itself");
  }
  switch (format) {
    case Format::kCsv:
    case Format::kTsv:
    case Format::kSsv:
      return CsvFileSink::Open(path, fields, DelimiterOf(format));
    case Format::kJsonLines:
      return JsonLinesFileSink::Open(path, fields);
    case Format::kParquet:
      if (path != "-" && !NeedsEngine(fields)) return parquet::FlatSink::Open(path, fields, options);
      return duckdb::ParquetSink::Open(path, fields, options);
    case Format::kNpy:
      return NpyFileSink::Open(path, fields);
    case Format::kJson:
      break;
  }
  return base::Fail(base::Code::kInvalidArgument, "tables.unfit",
                    "records are written as JSON lines, not as one JSON document; use .jsonl");
}

bool NeedsEngine(const std::vector<data::Field>& fields) {
  return fields.empty() || !parquet::FlatSink::CanWrite(fields);
}

base::Result<std::shared_ptr<duckdb::Session>> StartEngine(const std::string& folder, base::Bytes memory) {
  duckdb::SessionOptions options;
  options.memory = memory;
  options.folder = folder;
  SLIPWAY_ASSIGN(auto session, duckdb::Session::Open(options));
  return std::shared_ptr<duckdb::Session>(std::move(session));
}

base::Result<std::vector<StoredColumn>> ReadColumns(std::string_view path, const TableOptions& options,
                                                    int64_t records) {
  SLIPWAY_ASSIGN(const Format format, FormatFor(path, options));
  switch (format) {
    case Format::kCsv:
    case Format::kTsv:
    case Format::kSsv: {
      SLIPWAY_ASSIGN(auto names, ReadCsvHeader(path, DelimiterOf(format)));
      return Untyped(std::move(names));
    }
    case Format::kJsonLines:
    case Format::kJson: {
      SLIPWAY_ASSIGN(auto names, ReadJsonKeys(path, FormOf(format), records));
      return Untyped(std::move(names));
    }
    case Format::kParquet: {
      SLIPWAY_ASSIGN(auto described, DescribeParquet(path, options));
      return std::move(described.columns);
    }
    case Format::kNpy:
      break;
  }
  return WrittenOnly();
}

}  // namespace slipway::tables
