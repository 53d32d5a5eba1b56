#pragma once
// The columns of a Parquet file, as its index declares them (github.com/apache/parquet-format, parquet.thrift and
// LogicalTypes.md).

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tables/parquet/thrift_reader.h"

namespace slipway::tables::parquet {

// Numbers of parquet.thrift.
enum class PhysicalType : int8_t {
  kBoolean = 0,
  kInt32 = 1,
  kInt64 = 2,
  kInt96 = 3,
  kFloat = 4,
  kDouble = 5,
  kByteArray = 6,
  kFixedByteArray = 7,
};

/// A column at the top of the schema.
struct IndexedColumn {
  std::string name;
  bool is_flat = false;  ///< a value or null in each row; otherwise only the number of `leaves` counts
  bool is_optional = false;
  PhysicalType type = PhysicalType::kInt96;
  std::string_view stored_type;    ///< DuckDB's word for the type, where it is plain; otherwise empty
  int first_leaf = 0, leaves = 1;  ///< columns of stored values
};

/// The list of schema elements at hand; at most `most` columns, otherwise `in` fails.
std::vector<IndexedColumn> ReadSchema(ThriftReader& in, size_t most);

}  // namespace slipway::tables::parquet
