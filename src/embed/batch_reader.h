#pragma once
// BatchReader makes rows of a scorer's layout out of a record batch.

#include "slipway/slipway.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "data/decoded.h"
#include "embed/column_reader.h"
#include "schema/schema.h"

namespace slipway::embed {

/// What is to become of columns that are no inputs.
struct ColumnPolicy {
  std::vector<std::string> known;  ///< are somebody else's
  bool ignore_unknown = false;     ///< leaves out all others; otherwise one is an error
};

/// A struct array, read where it lies. Thread-safety: const access, as long as schema and array live.
class BatchReader {
 public:
  /// `schema` and `layout` must outlive this. Errors: invalid_argument "arrow.missing_column", "arrow.unknown_column",
  /// "arrow.duplicate_column", "arrow.known", "arrow.malformed", those of ColumnReader::Create.
  static base::Result<BatchReader> Create(const ArrowSchema& arrow_schema, const ArrowArray& batch,
                                          const schema::Schema& schema, const data::Layout& layout,
                                          const ColumnPolicy& policy);

  int64_t rows() const { return rows_; }
  /// How many of the rows from `first` on to take at once: `most`, or fewer where they are wide.
  int64_t BlockRows(int64_t first, int64_t most) const;
  /// Clears `out` and fills it.
  void Read(int64_t first, int64_t count, data::Decoded& out) const;

 private:
  explicit BatchReader(const data::Layout& layout) : layout_(layout) {}

  struct Input {
    int field;
    ColumnReader column;
  };

  const data::Layout& layout_;
  std::vector<Input> inputs_;
  int64_t rows_ = 0;
  int64_t offset_ = 0;  ///< of the struct; its children count it in
};

/// Whether a table of these columns can be scored at all. Errors: as BatchReader::Create.
base::Result<void> CheckColumns(const std::vector<std::string>& names, const schema::Schema& schema,
                                const data::Layout& layout, const ColumnPolicy& policy);

}  // namespace slipway::embed
