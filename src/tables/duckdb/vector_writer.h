#pragma once
// VectorWriter copies rows of our columns into DuckDB's vectors.

#include <cstdint>
#include <string>
#include <vector>

#include "data/column.h"
#include "tables/duckdb/library.h"

struct _duckdb_logical_type;
struct _duckdb_vector;

namespace slipway::tables::duckdb {

/// A column of the stored table: a field, or one label of a labelled vector.
struct OutputColumn {
  std::string name;
  size_t field = 0;
  int64_t label = -1;  ///< element of the vector; -1: the whole field
  data::DataType type;
  bool single_precision = false;
};

/// Columns in order; `name.label` for each label of a labelled vector.
std::vector<OutputColumn> OutputColumnsOf(const std::vector<data::Field>& fields);

/// BOOLEAN, BIGINT, DOUBLE or FLOAT, VARCHAR, TIMESTAMP WITH TIME ZONE; a LIST of them for each dimension of a tensor.
/// The caller destroys it.
_duckdb_logical_type* StoredTypeOf(const Library& library, const OutputColumn& column);

struct RowRange {
  int64_t first = 0, count = 0;
};

/// Copies rows of `column` behind the `begin` rows that `vector` holds.
void WriteRows(const Library& library, const OutputColumn& output, const data::Column& column, RowRange rows,
               int64_t begin, _duckdb_vector* vector);

}  // namespace slipway::tables::duckdb
