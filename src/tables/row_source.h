#pragma once
// RowSource is the seam to tables that are read: files, standard input, later databases and object stores.

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "data/decoded.h"

namespace slipway::tables {

/// How far a source has come.
struct Progress {
  int64_t done = 0;
  int64_t total = 0;  ///< 0 when unknown
  bool rows = false;  ///< counts rows, otherwise bytes
};

/// Bounds of one batch, so that neither wide rows nor long texts make it outgrow memory: a source that has read this
/// much text, or as many rows as a table of 1 GiB holds, hands over fewer rows than asked for.
inline constexpr int64_t kBatchBytes = int64_t{64} << 20;
inline int64_t RowsOfBatch(const data::Layout& layout, int64_t asked) {
  const int64_t most = (int64_t{1} << 30) / std::max<int64_t>(1, data::RowBytes(layout.fields()));
  return std::clamp<int64_t>(asked, 1, std::max<int64_t>(1, most));
}

/// Of all texts of a table.
int64_t TextBytes(const data::Table& table);

/// Rows in their stored order, in batches; memory does not grow with the table.
/// Lifecycle: Next() until false, then Rewind() for another pass. After an error only Rewind() or the end of its life.
/// Thread-safety: one thread at a time.
class RowSource {
 public:
  virtual ~RowSource() = default;

  /// Clears `rows` (made for the source's layout) and fills it with the next rows, at most `max_rows` (1 or more);
  /// fewer when a pipe has no more to offer at the moment. False at the end, with no rows. A row that cannot be read is
  /// a violation in `rows`; an error concerns the whole table.
  virtual base::Result<bool> Next(data::Decoded& rows, int64_t max_rows) = 0;

  /// Starts again at the first row. Error: failed_precondition "tables.not_seekable" for standard input.
  virtual base::Result<void> Rewind() = 0;

  /// Column names as stored, in order; known once the source is open. Empty for JSON, where every record has its own.
  virtual const std::vector<std::string>& header() const = 0;

  virtual Progress progress() const = 0;
};

}  // namespace slipway::tables
