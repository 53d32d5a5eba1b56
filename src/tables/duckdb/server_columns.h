#pragma once
// How columns of a server's table are asked for, so that DuckDB gets their values whole and as what they are.

#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "tables/duckdb/attached_database.h"
#include "tables/table_files.h"

namespace slipway::tables::duckdb {

/// Expressions over a column, in the server's SQL and over its answer in DuckDB's. Empty: the column itself.
struct AskedColumn {
  std::string there, here;
};

/// By name; columns that need nothing are left out.
using AskedColumns = std::map<std::string, AskedColumn, std::less<>>;

/// PostgreSQL's numeric without bounds comes as a double that is not always the nearest; the server's own cast is.
AskedColumns ColumnsOfPostgres(const std::vector<StoredColumn>& columns);

/// Of the table of the address: texts that MySQL's answers call bytes since their capitals count, moments, which look
/// like times of no place, and decimals, whose width DuckDB takes for less than it is.
base::Result<AskedColumns> ColumnsOfMysql(AttachedDatabase& database);

}  // namespace slipway::tables::duckdb
