#include "tables/parquet_description.h"

#include <set>
#include <string>
#include <utility>

#include "tables/duckdb/parquet_source.h"
#include "tables/duckdb/stored_type.h"
#include "tables/parquet/file_index.h"

namespace slipway::tables {
namespace {

/// Error: there are columns that DuckDB has to find words for.
base::Result<ParquetDescription> DescribePlain(const std::string& path) {
  SLIPWAY_ASSIGN(const auto file, parquet::RandomFile::Open(path));
  SLIPWAY_ASSIGN(const auto index, parquet::ReadFileIndex(file));
  ParquetDescription description;
  std::set<std::string> names;
  for (const auto& column : index.columns) {
    // DuckDB gives columns whose names differ in case alone others.
    if (column.kind == parquet::ValueKind::kOther || !names.insert(Lowered(column.name)).second) {
      return parquet::Unread("a column is not plain");
    }
    const std::string stored(column.stored_type);
    description.columns.push_back({column.name, duckdb::TypeOf(stored), stored});
  }
  if (description.columns.empty()) return parquet::Unread("there are no columns");
  for (const auto& group : index.groups) description.group_ends.push_back(group.end_row);
  if (!index.groups.empty()) description.rows = index.groups.back().end_row;
  if (index.groups.size() < 2) description.group_ends.clear();
  return description;
}

}  // namespace

base::Result<ParquetDescription> DescribeParquet(std::string_view path, const TableOptions& options) {
  auto plain = DescribePlain(std::string(path));
  return plain ? std::move(plain) : duckdb::DescribeParquet(path, options);
}

}  // namespace slipway::tables
