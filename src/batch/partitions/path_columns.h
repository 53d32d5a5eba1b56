#pragma once
// PathColumns gives the rows of a file the values that its folders say (partition_path.h).

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "batch/partitions/partition_path.h"
#include "data/column.h"
#include "data/decoded.h"
#include "data/layout.h"

namespace slipway::batch {

/// A cell's value as it is written in CSV; nothing for null. Of scalar columns.
std::optional<std::string> CellText(const data::Column& column, int64_t row);

/// Those of one file. Immutable; const access from any thread.
class PathColumns {
 public:
  PathColumns() = default;

  /// Values become what cells of CSV would in the fields of `layout` that have their names; others are left out.
  /// `path`: for messages. Errors: invalid_argument "batch.partition_value" for one that is not of its field's type,
  /// "batch.partitions" for a name that stands twice in the path.
  static base::Result<PathColumns> Create(const std::vector<PartitionValue>& partitions, const data::Layout& layout,
                                          const std::string& path);

  bool empty() const { return columns_.empty(); }
  /// What the path says of the field of that name, as it says it; nothing when it says nothing.
  const PartitionValue* Find(std::string_view name) const;

  /// Fills in the values in rows that have none of their own. A row that has another one is a violation
  /// (schema.duplicate_field): which of the two is right cannot be told.
  void Fill(data::Decoded& rows) const;

 private:
  struct PathColumn {
    int field;
    PartitionValue partition;
    data::Column value;               ///< of one row
    std::optional<std::string> text;  ///< of the value; none: missing
    bool personal;
  };
  static bool IsSame(const PathColumn& column, const data::Column& own, int64_t row);
  static data::Violation Conflict(const PathColumn& column, const data::Column& own, int64_t row);

  std::vector<PathColumn> columns_;
};

}  // namespace slipway::batch
