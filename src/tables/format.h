#pragma once
// Format: how a table is stored. Chosen by the file's extension, or named.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace slipway::tables {

enum class Format : uint8_t {
  kCsv,        ///< .csv; `,` between cells
  kTsv,        ///< .tsv, .tab; the same with tabs
  kSsv,        ///< .ssv; the same with semicolons, as spreadsheets write where the decimal separator is a comma
  kJsonLines,  ///< .jsonl, .ndjson; a record a line
  kJson,       ///< .json; a list of records, {"records": […]}, or records one after another
  kParquet,    ///< .parquet
  kNpy,        ///< .npy; written only, a matrix of numbers
};

/// "csv", "tsv", "ssv", "jsonl", "json", "parquet", "npy".
std::string_view FormatName(Format format);

/// The format of that name ("ndjson" is jsonl). Error: invalid_argument "tables.format" with the known names.
base::Result<Format> ParseFormat(std::string_view name);

/// Whether the name ends in .gz or .zst.
bool IsPackedName(std::string_view path);

/// The format that the path's extension says, before .gz or .zst. Error: "tables.format" with the known extensions; for
/// "-" and paths without extension, the format has to be named.
base::Result<Format> FormatOf(std::string_view path);

/// With small letters for the capital ones of ASCII.
std::string Lowered(std::string_view text);

}  // namespace slipway::tables
