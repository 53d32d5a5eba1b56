#include "tables/duckdb/parquet_source.h"

#include <fmt/format.h>

#include <map>
#include <utility>
#include <vector>

#include "base/machine.h"
#include "base/text.h"
#include "tables/duckdb/stored_type.h"
#include "tables/input_file.h"

namespace slipway::tables::duckdb {
namespace {

constexpr std::string_view kRowNumber = "file_row_number";

std::string ScanOf(std::string_view path, std::string_view more = {}) {
  return fmt::format("read_parquet({}, hive_partitioning = false, union_by_name = false, filename = false{})",
                     QuotedPath(path), more);
}

/// Past this the list of row groups, which DuckDB makes with a row for each column of each, takes longer than it saves.
constexpr int64_t kMostChunks = 200'000;

struct Extent {
  int64_t rows = 0, groups = 0;
};

base::Result<Extent> ReadExtent(Session& session, std::string_view path) {
  SLIPWAY_ASSIGN(const auto rows,
                 session.QueryTexts(
                     fmt::format("SELECT num_rows, num_row_groups FROM parquet_file_metadata({})", QuotedPath(path))));
  if (rows.empty()) return Extent{};
  return Extent{base::ParseInt64(rows[0][0]).value_or(0), base::ParseInt64(rows[0][1]).value_or(0)};
}

base::Result<std::vector<int64_t>> ReadGroupEnds(Session& session, std::string_view path) {
  SLIPWAY_ASSIGN(const auto groups,
                 session.QueryTexts(fmt::format("SELECT row_group_num_rows, row_group_id FROM parquet_metadata({}) "
                                                "WHERE column_id = 0 ORDER BY row_group_id",
                                                QuotedPath(path))));
  std::vector<int64_t> ends;
  for (const auto& group : groups) {
    ends.push_back((ends.empty() ? 0 : ends.back()) + base::ParseInt64(group[0]).value_or(0));
  }
  return ends;
}

base::Result<std::unique_ptr<Session>> OpenSession(std::string_view path, const TableOptions& options) {
  if (path == "-") {
    return base::Fail(base::Code::kInvalidArgument, "tables.unfit",
                      "a Parquet file is read from its end and cannot come from standard input; name a file");
  }
  SLIPWAY_TRY(InputFile::Open(path));  // says what is wrong with the path better than DuckDB does
  SessionOptions session;
  session.threads = options.threads > 0 ? options.threads : base::CpuBudget();
  session.memory = options.memory;
  session.path = std::string(path);
  session.preparations = {
      "SET parquet_metadata_cache = true"};  // a wide file's index is long, and asked for each piece
  return Session::Open(session);
}

/// Adds where, and the way out for files that are something else.
base::Error At(base::Error error, std::string_view path) {
  error.where = base::Shorten(path, 512);
  if (error.message.find("magic bytes") != std::string::npos || error.message.find("too small") != std::string::npos) {
    error.message = "this is no Parquet file; name the format it has";
  }
  return error;
}

/// Decimals that are wider than DuckDB's own, which it reads as doubles: most of them as others than they are.
base::Result<std::map<std::string, std::string>> WideDecimals(Session& session, std::string_view path) {
  SLIPWAY_ASSIGN(const auto rows, session.QueryTexts(fmt::format(
                                      "SELECT name, precision || ', ' || coalesce(\"scale\", 0) FROM "
                                      "parquet_schema({}) WHERE converted_type = 'DECIMAL' AND precision > 38",
                                      QuotedPath(path))));
  std::map<std::string, std::string> digits;
  for (const auto& row : rows) digits[row[0]] = row[1];
  return digits;
}

base::Result<std::vector<StoredColumn>> Describe(Session& session, std::string_view path) {
  const auto rows =
      session.QueryTexts(fmt::format("SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM {})", ScanOf(path)));
  if (!rows) return std::unexpected(At(rows.error(), path));
  std::vector<StoredColumn> columns;
  bool may_be_wide = false;
  for (const auto& row : *rows) {
    columns.push_back({.name = row[0], .type = TypeOf(row[1]), .stored_type = row[1]});
    may_be_wide = may_be_wide || row[1] == "DOUBLE";
  }
  if (!may_be_wide) return columns;
  const auto wide = WideDecimals(session, path);
  if (!wide) return std::unexpected(At(wide.error(), path));
  for (auto& column : columns) {
    const auto digits = column.stored_type == "DOUBLE" ? wide->find(column.name) : wide->end();
    if (digits == wide->end()) continue;
    column.stored_type = fmt::format("DECIMAL({})", digits->second);
    column.unreadable = fmt::format(
        "the column {:?} is a {}, and only up to 38 digits are read; write it as a double or with fewer digits",
        column.name, column.stored_type);
  }
  return columns;
}

}  // namespace

base::Result<std::unique_ptr<ParquetSource>> ParquetSource::Open(std::string_view path, const data::Layout& layout,
                                                                 const TableOptions& options) {
  std::unique_ptr<ParquetSource> source(new ParquetSource(std::string(path), layout));
  SLIPWAY_ASSIGN(source->session_, OpenSession(path, options));
  SLIPWAY_TRY(source->ReadMetadata());
  SLIPWAY_TRY(source->Rewind());
  return source;
}

base::Result<void> ParquetSource::ReadMetadata() {
  SLIPWAY_ASSIGN(const auto columns, Describe(*session_, path_));
  std::string names;
  for (const auto& column : columns) {
    header_.push_back(column.name);
    const int field = layout_.Find(column.name);
    if (field < 0) {
      unknown_.push_back(column.name);
      continue;
    }
    if (!column.unreadable.empty()) {
      return base::Fail(base::Code::kInvalidArgument, "tables.unreadable", column.unreadable, path_);
    }
    const bool cast = layout_.fields()[static_cast<size_t>(field)].as_text && !HasOurText(column.stored_type);
    names += fmt::format("{}{}{}", names.empty() ? "" : ", ", QuotedName(column.name), cast ? "::VARCHAR" : "");
    targets_.push_back(field);
  }
  if (names.empty()) {  // no column is wanted, but the rows count
    names = "NULL";
    targets_.push_back(-1);
  }
  if (layout_.unknown_fields() == data::UnknownFields::kIgnore) unknown_.clear();
  names_ = names;
  SLIPWAY_ASSIGN(const Extent extent, ReadExtent(*session_, path_));
  total_ = extent.rows;
  return {};
}

base::Result<void> ParquetSource::Rewind() {
  return Start(fmt::format("SELECT {} FROM {}", names_, ScanOf(path_)));
}

base::Result<void> ParquetSource::Select(int64_t first, int64_t end) {
  return Start(fmt::format("SELECT {} FROM {} WHERE {} >= {} AND {} < {}", names_,
                           ScanOf(path_, ", file_row_number = true"), kRowNumber, first, kRowNumber, end));
}

base::Result<void> ParquetSource::Start(const std::string& sql) {
  stream_.reset();
  done_ = 0;
  auto stream = session_->Query(sql, layout_, targets_);
  if (!stream) return std::unexpected(At(stream.error(), path_));
  stream_ = std::move(*stream);
  return {};
}

base::Result<bool> ParquetSource::Next(data::Decoded& rows, int64_t max_rows) {
  rows.Clear();
  const auto appended = stream_->Append(RowsOfBatch(layout_, max_rows), unknown_, rows);
  if (!appended) return std::unexpected(At(appended.error(), path_));
  done_ += *appended;
  return *appended > 0;
}

base::Result<ParquetDescription> DescribeParquet(std::string_view path, const TableOptions& options) {
  SLIPWAY_ASSIGN(auto session, OpenSession(path, options));
  SLIPWAY_ASSIGN(const auto described, Describe(*session, path));
  ParquetDescription description;
  description.columns = described;
  const auto extent = ReadExtent(*session, path);
  if (!extent) return std::unexpected(At(extent.error(), path));
  description.rows = extent->rows;
  if (extent->groups < 2 || extent->groups * std::ssize(described) > kMostChunks) return description;
  auto ends = ReadGroupEnds(*session, path);
  if (!ends) return std::unexpected(At(ends.error(), path));
  description.group_ends = std::move(*ends);
  return description;
}

}  // namespace slipway::tables::duckdb
