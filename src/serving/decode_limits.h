#pragma once
// Bounds on what one body may hold, whatever protocol it came by. Each has an option of `slipway serve` and a row in
// docs/operations/limits.md.

#include <cstddef>
#include <cstdint>

#include "data/csv_rows.h"
#include "data/json_cursor.h"
#include "data/json_rows.h"

namespace slipway::serving {

struct DecodeLimits {
  data::JsonBounds json{.depth = 32, .string_bytes = int64_t{16} << 20};
  int64_t line_bytes = int64_t{16} << 20;  ///< of JSON lines answered as they arrive
  data::CsvLimits csv;

  /// The size of a document is the HTTP server's business.
  data::JsonRowLimits JsonRows(int64_t rows) const { return {.bytes = INT64_MAX, .rows = rows, .nested = json}; }
};

}  // namespace slipway::serving
