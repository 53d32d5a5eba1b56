#pragma once
// Feeds a table's cells to column profiles, for init.

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "cli/console.h"
#include "profile/column_profile.h"
#include "tables/table_files.h"

namespace slipway::cli {

struct ProfiledTable {
  std::vector<profile::ColumnProfile> columns;
  int64_t rows = 0;
  bool whole = true;      ///< false: the table has more rows than were looked at
  int64_t malformed = 0;  ///< rows that could not be read; they are in `rows`, and in no column
  std::string malformed_example;
};

/// As ProfileTable, for tables that may have no rows, or none that can be read.
base::Result<ProfiledTable> ProfileRows(const std::string& path, const tables::TableOptions& options, int64_t max_rows,
                                        const Console& console);

/// Not for standard input: a table is read twice. Errors: those of tables::OpenSource, "table.stream", "table.empty",
/// "table.malformed" when no row can be read, "csv.header" for another delimiter than expected.
base::Result<ProfiledTable> ProfileTable(const std::string& path, const tables::TableOptions& options, int64_t max_rows,
                                         const Console& console);

}  // namespace slipway::cli
