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

/// What the values of a plain column are: one, or null, in each row.
enum class ValueKind : uint8_t {
  kOther,  ///< nested, or of a type that is left to DuckDB
  kBoolean,
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kUint8,
  kUint16,
  kUint32,
  kUint64,
  kFloat,
  kDouble,
  kText,
  kDate,    ///< days since 1970, without zone
  kMillis,  ///< since 1970, without zone
  kMicros,
  kMillisUtc,  ///< since 1970 at UTC
  kMicrosUtc,
};

/// A column at the top of the schema.
struct IndexedColumn {
  std::string name;
  ValueKind kind = ValueKind::kOther;
  std::string_view stored_type;  ///< DuckDB's word for the type; empty for kOther
  // The rest is of plain columns, but for the leaves.
  PhysicalType type = PhysicalType::kInt96;
  bool is_optional = false;
  int first_leaf = 0, leaves = 1;  ///< columns of stored values
};

/// The list of schema elements at hand; at most `most` columns, otherwise `in` fails.
std::vector<IndexedColumn> ReadSchema(ThriftReader& in, size_t most);

}  // namespace slipway::tables::parquet
