#pragma once
// The file of a lookup step (`{as: …, lookup: column, file: rates.csv}`), read into the step's `table`.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/value.h"

namespace slipway::bundle {

/// CSV with the header `key,value` and one entry a line: a map from key (text, as written) to value. The values are
/// integers when all of them are, numbers when all of them are numbers, otherwise text; a quoted one makes all of them
/// text. Errors: "bundle.table" with `where` = "rates.csv:12"; "bundle.limit".
base::Result<base::Value> ParseLookupTable(std::string_view csv, const std::string& file, int64_t max_rows);

}  // namespace slipway::bundle
