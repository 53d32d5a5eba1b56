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
  bool whole = true;  ///< false: the table has more rows than were looked at
};

base::Result<ProfiledTable> ProfileTable(const std::string& path, const tables::TableOptions& options, int64_t max_rows,
                                         const Console& console);

}  // namespace slipway::cli
