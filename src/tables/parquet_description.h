#pragma once
// What the end of a Parquet file tells.

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "tables/table_files.h"

namespace slipway::tables {

struct ParquetDescription {
  std::vector<StoredColumn> columns;
  int64_t rows = 0;
  std::vector<int64_t> group_ends;  ///< the rows behind each row group; empty where there is one, or very many
};

/// Of a file of plain types without an engine, which would take longer to start than to score some thousand rows.
/// Errors: those of OpenSource.
base::Result<ParquetDescription> DescribeParquet(std::string_view path, const TableOptions& options);

}  // namespace slipway::tables
