#pragma once
// Cells as text, shared by the writers of JSON and CSV rows.

#include <cstdint>
#include <string>

#include "data/column.h"

namespace slipway::data {

/// What a protocol wants otherwise than plain JSON has it.
struct JsonCellStyle {
  bool non_finite_tokens = false;  ///< NaN, Infinity and -Infinity in place of null
  bool base64 = false;             ///< texts as {"b64":"…"}
};

/// Appends one element of a valid row as JSON.
void AppendJsonElement(const Field& field, const ColumnView& column, int64_t element, std::string& out,
                       JsonCellStyle style = {});

/// Appends a valid row's cell as JSON: a scalar, or lists nested by the shape of the row.
void AppendJsonCell(const Field& field, const ColumnView& column, int64_t row, std::string& out,
                    JsonCellStyle style = {});

}  // namespace slipway::data
