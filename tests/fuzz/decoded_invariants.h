#pragma once
// What must hold of decoded rows whatever bytes they came from.

#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/value.h"
#include "data/decoded.h"
#include "data/json_rows.h"

namespace slipway::data {

inline void Require(bool holds) {
  if (!holds) abort();
}

/// A column of each kind: scalars of every type, a fixed tensor, a variable one.
inline Layout FuzzLayout() {
  std::vector<Field> fields(7);
  const ScalarType types[] = {ScalarType::kBoolean,   ScalarType::kInteger, ScalarType::kNumber, ScalarType::kString,
                              ScalarType::kTimestamp, ScalarType::kNumber,  ScalarType::kString};
  const char* names[] = {"b", "i", "n", "s", "t", "g", "v"};
  for (size_t i = 0; i < fields.size(); ++i) {
    fields[i].name = names[i];
    fields[i].type.scalar = types[i];
  }
  fields[3].null_texts = {"NA"};
  fields[5].type.shape = {2, 2};
  fields[6].type.shape = {-1, -1};
  return Layout(fields);
}

/// Columns as long as the table, offsets ascending, validity bits inside, violations sorted and inside.
inline void RequireEven(const Decoded& decoded) {
  const int64_t rows = decoded.table.rows;
  for (size_t i = 0; i < decoded.table.columns.size(); ++i) {
    const Column& column = decoded.table.columns[i];
    const ColumnView view = column.view();
    Require(column.rows() == rows && view.rows == rows && column.pending() == 0);
    int64_t elements = rows * view.width;
    if (view.width < 0) {
      elements = view.row_offsets[rows];
      for (int64_t row = 0; row < rows; ++row) {
        const int64_t* shape = view.row_shapes + row * static_cast<int64_t>(column.type().shape.size());
        int64_t count = 1;
        for (size_t d = 0; d < column.type().shape.size(); ++d) count *= shape[d];
        Require(view.row_offsets[row + 1] - view.row_offsets[row] == count);
        Require(view.IsValid(row) || count == 0);
      }
    }
    for (int64_t e = 0; view.offsets != nullptr && e < elements; ++e) Require(view.offsets[e] <= view.offsets[e + 1]);
    for (int64_t row = 0; row < rows; ++row) {
      Require(!decoded.IsAbsent(static_cast<int>(i), row) || !view.IsValid(row));
    }
  }
  int64_t row = 0;
  for (const Violation& violation : decoded.violations) {
    Require(violation.row >= row && violation.row < rows);
    Require(violation.field >= -1 && violation.field < static_cast<int>(decoded.table.columns.size()));
    Require(!violation.message.empty());
    row = violation.row;
  }
}

inline std::string Print(const Decoded& decoded, const Layout& layout) {
  const JsonRowEncoder encoder(layout.fields());
  std::string text;
  for (int64_t row = 0; row < decoded.table.rows; ++row) {
    encoder.AppendRow(decoded.table, row, text);
    text += '\n';
  }
  for (const Violation& violation : decoded.violations) {
    text += std::to_string(violation.row) + base::ToJson(ToValue(violation)) + '\n';
  }
  return text;
}

}  // namespace slipway::data
