#include "tables/duckdb/server_columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "base/text.h"
#include "tables/duckdb/session.h"

namespace slipway::tables::duckdb {
namespace {

/// The widest that MySQL has. What is wider than DuckDB's own widest (38) comes as text, and then as the nearest
/// double.
constexpr int64_t kWidestDecimal = 65;

/// One digit more than there are, since DuckDB subtracts room for a sign and a dot whether or not it was given.
std::string WideEnough(std::string_view name, std::string_view precision, std::string_view scale) {
  const int64_t digits = std::min(base::ParseInt64(precision).value_or(kWidestDecimal) + 1, kWidestDecimal);
  return fmt::format("CAST({} AS DECIMAL({}, {}))", name, digits, scale);
}

}  // namespace

AskedColumns ColumnsOfPostgres(const std::vector<StoredColumn>& columns) {
  AskedColumns asked;
  for (const auto& column : columns) {
    if (!column.stored_type.starts_with("DOUBLE")) continue;
    const bool list = column.stored_type.ends_with(']');
    asked[column.name].there = fmt::format("{}::float8{}", QuotedName(column.name), list ? "[]" : "");
  }
  return asked;
}

base::Result<AskedColumns> ColumnsOfMysql(AttachedDatabase& database) {
  const auto& address = database.address();
  SLIPWAY_ASSIGN(const auto rows,
                 database.Ask(fmt::format("SELECT COLUMN_NAME, lower(DATA_TYPE) AS type, CHARACTER_SET_NAME, "
                                          "NUMERIC_PRECISION, NUMERIC_SCALE FROM information_schema.COLUMNS WHERE "
                                          "TABLE_SCHEMA = {} AND TABLE_NAME = {}",
                                          database.TextThere(address.schema), database.TextThere(address.table)),
                              5));
  AskedColumns asked;
  for (const auto& row : rows) {
    const std::string name = database.NameThere(row[0]);
    if (row[1] == "decimal") {
      asked[row[0]].there = WideEnough(name, row[3], row[4]);
    } else if (row[1] == "timestamp") {
      asked[row[0]].here = fmt::format("timezone('UTC', {})", QuotedName(row[0]));
    } else if (!row[2].empty()) {
      asked[row[0]].there = fmt::format("CONVERT({} USING utf8mb4)", name);
    }
  }
  return asked;
}

}  // namespace slipway::tables::duckdb
