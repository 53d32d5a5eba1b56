#pragma once
// What commands that read or write tables share.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "cli/console.h"
#include "data/decoded.h"
#include "tables/table_files.h"

namespace slipway::cli {

/// Rows of one batch of a table.
inline constexpr int64_t kBatchRows = 4096;

/// The format `named` if given, else by the path's extension; `standard` for "-".
base::Result<tables::TableOptions> TableFormat(const std::string& path, const std::string& named,
                                               tables::Format standard);

/// What --format and --output-format take.
std::vector<std::string> InputFormats();
std::vector<std::string> OutputFormats();

/// Reads the rest of a source batch by batch with a progress bar.
base::Result<void> ForEachBatch(tables::RowSource& source, const data::Layout& layout, const Console& console,
                                const std::string& label,
                                const std::function<base::Result<void>(data::Decoded&)>& visit);

/// 80789 -> "80,789".
std::string Grouped(int64_t count);
/// "1 row", "80,789 rows".
std::string Counted(int64_t count, std::string_view noun);

}  // namespace slipway::cli
