#pragma once
// Cells as text, shared by the writers of JSON and CSV rows.

#include <cstdint>
#include <string>

#include "data/column.h"

namespace slipway::data {

/// Appends one element of a valid row as JSON.
void AppendJsonElement(const Field& field, const ColumnView& column, int64_t element, std::string& out);

/// Appends a valid row's cell as JSON: a scalar, or lists nested by the shape of the row.
void AppendJsonCell(const Field& field, const ColumnView& column, int64_t row, std::string& out);

}  // namespace slipway::data
