#include "tables/duckdb/vector_writer.h"

#include <duckdb.h>

#include <cstring>

namespace slipway::tables::duckdb {
namespace {

using data::ColumnView;
using data::ScalarType;

duckdb_type ScalarTypeOf(const OutputColumn& column) {
  switch (column.type.scalar) {
    case ScalarType::kBoolean:
      return DUCKDB_TYPE_BOOLEAN;
    case ScalarType::kInteger:
      return DUCKDB_TYPE_BIGINT;
    case ScalarType::kNumber:
      return column.single_precision ? DUCKDB_TYPE_FLOAT : DUCKDB_TYPE_DOUBLE;
    case ScalarType::kString:
      return DUCKDB_TYPE_VARCHAR;
    case ScalarType::kTimestamp:
      return DUCKDB_TYPE_TIMESTAMP_TZ;
  }
  return DUCKDB_TYPE_VARCHAR;
}

/// One column on its way.
class ColumnWriter {
 public:
  ColumnWriter(const Library& library, const OutputColumn& output, const data::Column& column)
      : library_(library), output_(output), view_(column.view()) {}

  void WriteRow(int64_t row, int64_t target, duckdb_vector vector) {
    if (!view_.IsValid(row)) {
      SLIPWAY_DUCKDB(library_, duckdb_vector_ensure_validity_writable)(vector);
      SLIPWAY_DUCKDB(library_, duckdb_vector_get_validity)(vector)[target >> 6] &= ~(uint64_t{1} << (target & 63));
      if (!output_.type.is_scalar()) EmptyList(target, vector);
      return;
    }
    int64_t element = view_.row_offsets ? view_.row_offsets[row] : row * view_.width;
    if (output_.type.is_scalar()) {
      element += output_.label > 0 ? output_.label : 0;
      Copy(element, 1, target, vector);
      return;
    }
    const size_t rank = output_.type.shape.size();
    const int64_t* shape =
        view_.row_shapes ? view_.row_shapes + row * static_cast<int64_t>(rank) : output_.type.shape.data();
    WriteList(shape, rank, element, target, vector);
  }

  /// Elements that stand one behind the other in both.
  void Copy(int64_t from, int64_t count, int64_t to, duckdb_vector vector) {
    void* data = SLIPWAY_DUCKDB(library_, duckdb_vector_get_data)(vector);
    const auto bytes = static_cast<size_t>(count);
    switch (view_.type) {
      case ScalarType::kBoolean:
        std::memcpy(static_cast<uint8_t*>(data) + to, view_.booleans() + from, bytes);
        break;
      case ScalarType::kInteger:
      case ScalarType::kTimestamp:
        std::memcpy(static_cast<int64_t*>(data) + to, view_.integers() + from, bytes * sizeof(int64_t));
        break;
      case ScalarType::kNumber:
        if (output_.single_precision) {
          auto* floats = static_cast<float*>(data) + to;
          for (int64_t i = 0; i < count; ++i) floats[i] = static_cast<float>(view_.numbers()[from + i]);
        } else {
          std::memcpy(static_cast<double*>(data) + to, view_.numbers() + from, bytes * sizeof(double));
        }
        break;
      case ScalarType::kString:
        for (int64_t i = 0; i < count; ++i) {
          const auto text = view_.string(from + i);
          SLIPWAY_DUCKDB(library_, duckdb_vector_assign_string_element_len)
          (vector, static_cast<idx_t>(to + i), text.data(), text.size());
        }
        break;
    }
  }

 private:
  void EmptyList(int64_t target, duckdb_vector vector) {
    auto* entries = static_cast<duckdb_list_entry*>(SLIPWAY_DUCKDB(library_, duckdb_vector_get_data)(vector));
    entries[target] = {SLIPWAY_DUCKDB(library_, duckdb_list_vector_get_size)(vector), 0};
  }

  /// Appends one list of shape[0] members, each a list of the further dimensions; `element` moves on over what it
  /// takes.
  void WriteList(const int64_t* shape, size_t rank, int64_t& element, int64_t target, duckdb_vector vector) {
    const auto begin = static_cast<int64_t>(SLIPWAY_DUCKDB(library_, duckdb_list_vector_get_size)(vector));
    const int64_t count = shape[0];
    SLIPWAY_DUCKDB(library_, duckdb_list_vector_reserve)(vector, static_cast<idx_t>(begin + count));
    SLIPWAY_DUCKDB(library_, duckdb_list_vector_set_size)(vector, static_cast<idx_t>(begin + count));
    auto* entries = static_cast<duckdb_list_entry*>(SLIPWAY_DUCKDB(library_, duckdb_vector_get_data)(vector));
    entries[target] = {static_cast<uint64_t>(begin), static_cast<uint64_t>(count)};
    duckdb_vector child = SLIPWAY_DUCKDB(library_, duckdb_list_vector_get_child)(vector);
    if (rank == 1) {
      Copy(element, count, begin, child);
      element += count;
      return;
    }
    for (int64_t i = 0; i < count; ++i) WriteList(shape + 1, rank - 1, element, begin + i, child);
  }

  const Library& library_;
  const OutputColumn& output_;
  ColumnView view_;
};

}  // namespace

_duckdb_logical_type* StoredTypeOf(const Library& library, const OutputColumn& column) {
  duckdb_logical_type type = SLIPWAY_DUCKDB(library, duckdb_create_logical_type)(ScalarTypeOf(column));
  for (size_t i = 0; i < column.type.shape.size(); ++i) {
    duckdb_logical_type list = SLIPWAY_DUCKDB(library, duckdb_create_list_type)(type);
    SLIPWAY_DUCKDB(library, duckdb_destroy_logical_type)(&type);
    type = list;
  }
  return type;
}

void WriteRows(const Library& library, const OutputColumn& output, const data::Column& column, RowRange rows,
               int64_t begin, _duckdb_vector* vector) {
  ColumnWriter writer(library, output, column);
  if (column.type().is_scalar() && !column.has_nulls()) {
    writer.Copy(rows.first, rows.count, begin, vector);
    return;
  }
  for (int64_t i = 0; i < rows.count; ++i) writer.WriteRow(rows.first + i, begin + i, vector);
}

}  // namespace slipway::tables::duckdb
