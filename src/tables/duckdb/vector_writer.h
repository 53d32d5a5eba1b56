#pragma once
// VectorWriter copies rows of our columns into DuckDB's vectors.

#include <cstdint>

#include "data/column.h"
#include "data/output_column.h"
#include "tables/duckdb/library.h"
#include "tables/row_sink.h"

struct _duckdb_logical_type;
struct _duckdb_vector;

namespace slipway::tables::duckdb {

using data::OutputColumn;
using data::OutputColumnsOf;

/// BOOLEAN, BIGINT, DOUBLE or FLOAT, VARCHAR, TIMESTAMP WITH TIME ZONE; a LIST of them for each dimension of a tensor.
/// The caller destroys it.
_duckdb_logical_type* StoredTypeOf(const Library& library, const OutputColumn& column);

/// Copies rows of `column` behind the `begin` rows that `vector` holds.
void WriteRows(const Library& library, const OutputColumn& output, const data::Column& column, RowRange rows,
               int64_t begin, _duckdb_vector* vector);

}  // namespace slipway::tables::duckdb
