#pragma once
// RowSink is the seam to tables that are written.

#include <cstdint>

#include "base/error.h"
#include "data/column.h"

namespace slipway::tables {

struct RowRange {
  int64_t first = 0, count = 0;
};

/// Takes rows in order; memory does not grow with the table. A file appears under its name at Finish(), complete; a
/// sink that goes without Finish() leaves nothing behind. Thread-safety: one thread at a time.
class RowSink {
 public:
  virtual ~RowSink() = default;

  /// Appends every row of `rows`, whose columns are the fields the sink was opened with. After an error the sink is
  /// done for: unavailable "tables.write" with the system's word (disk full, no permission).
  virtual base::Result<void> Write(const data::Table& rows) = 0;

  /// Completes the table. Nothing may be written afterwards.
  virtual base::Result<void> Finish() = 0;
};

}  // namespace slipway::tables
