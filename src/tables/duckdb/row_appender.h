#pragma once
// RowAppender hands rows of DuckDB's vectors on as rows of a layout.

#include <cstdint>
#include <string>
#include <vector>

#include "data/decoded.h"
#include "data/layout.h"
#include "tables/duckdb/vector_reader.h"

namespace slipway::tables::duckdb {

/// Thread-safety: one thread at a time.
class RowAppender {
 public:
  /// `layout` must outlive this.
  explicit RowAppender(const data::Layout& layout) : layout_(layout) {}

  /// A column of that type that fills the field `target`; -1: none.
  void AddColumn(const Library& library, _duckdb_logical_type* type, int target);
  size_t columns() const { return readers_.size(); }

  /// Points a column at its vector.
  void Attach(size_t column, _duckdb_vector* vector) { readers_[column].Attach(vector); }
  /// Rows [begin, end) of the vectors. `unknown` are names of columns outside the layout, told to the builder in each
  /// row.
  void Append(int64_t begin, int64_t end, const std::vector<std::string>& unknown, data::Decoded& out);

 private:
  const data::Layout& layout_;
  std::vector<VectorReader> readers_;
  std::vector<int> targets_;
  std::vector<size_t> slow_;  ///< readers of the columns delivered value by value
};

}  // namespace slipway::tables::duckdb
