#pragma once
// The types of columns: what a schema declares, what records are decoded to, what predictions are made of.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace slipway::data {

enum class ScalarType : uint8_t {
  kBoolean,    ///< one byte, 0 or 1
  kInteger,    ///< int64
  kNumber,     ///< IEEE double
  kString,     ///< UTF-8
  kTimestamp,  ///< int64 microseconds since 1970-01-01T00:00:00Z
};

/// "boolean", "integer", "number", "string", "timestamp".
std::string_view ScalarTypeName(ScalarType type);
base::Result<ScalarType> ParseScalarType(std::string_view name);

/// A scalar, or a tensor of scalars per row. A dimension of -1 varies from row to row.
struct DataType {
  ScalarType scalar = ScalarType::kNumber;
  std::vector<int64_t> shape;  ///< empty for a scalar column

  bool is_scalar() const { return shape.empty(); }
  bool is_variable() const;
  /// Elements a row holds; 1 for scalars. Precondition: !is_variable().
  int64_t elements() const;
  std::string ToString() const;  ///< "number", "number[4]", "integer[?,16]"
  friend bool operator==(const DataType&, const DataType&) = default;
};

/// A named column with what readers and writers must know of it.
struct Field {
  std::string name;
  DataType type;
  /// Values are exactly single precision: text writers use the shortest text of the float, Parquet writes FLOAT.
  bool single_precision = false;
  /// For a fixed vector: names of its elements; JSON writes an object, CSV and Parquet one column each (`name.label`).
  std::vector<std::string> labels;
  /// Offset from UTC of timestamps that carry none, in minutes.
  int zone_minutes = 0;
  /// Texts that mean null, e.g. "NA"; they count in every door that delivers text.
  std::vector<std::string> null_texts;
  /// A string column that takes any scalar as its text: columns carried along, whose type nobody declared.
  bool as_text = false;
  /// Of a tensor of numbers: a null among its elements is NaN, which JSON has no other way to say.
  bool null_elements_are_nan = false;
  /// The column carries personal data: its values never reach messages or logs.
  bool personal = false;
};

/// Memory that a row of these fields takes at least, in bytes; variable tensors count as one element. Readers bound the
/// rows of a table by it, since a row of nulls costs hardly any text.
int64_t RowBytes(const std::vector<Field>& fields);

}  // namespace slipway::data
