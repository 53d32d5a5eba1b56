#include "data/row_text.h"

#include <charconv>
#include <cmath>

#include "base/base64.h"
#include "base/value.h"
#include "data/timestamp.h"

namespace slipway::data {
namespace {

void AppendInteger(int64_t value, std::string& out) {
  char text[24];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  out.append(text, end);
}

/// A tensor of one cell as nested lists.
struct ListWriter {
  const Field& field;
  const ColumnView& column;
  const int64_t* shape;
  JsonCellStyle style;
  std::string& out;

  /// Lists from dimension `level` on, starting at `element`; returns the element after them.
  int64_t Append(size_t level, int64_t element) {
    out += '[';
    for (int64_t i = 0; i < shape[level]; ++i) {
      if (i != 0) out += ',';
      if (level + 1 < field.type.shape.size()) {
        element = Append(level + 1, element);
      } else {
        AppendJsonElement(field, column, element++, out, style);
      }
    }
    out += ']';
    return element;
  }
};

}  // namespace

void AppendJsonElement(const Field& field, const ColumnView& column, int64_t element, std::string& out,
                       JsonCellStyle style) {
  switch (column.type) {
    case ScalarType::kBoolean:
      out += column.booleans()[element] != 0 ? "true" : "false";
      break;
    case ScalarType::kInteger:
      AppendInteger(column.integers()[element], out);
      break;
    case ScalarType::kNumber:
      if (style.non_finite_tokens && !std::isfinite(column.numbers()[element])) {
        const double value = column.numbers()[element];
        out += std::isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
      } else if (field.single_precision) {
        base::AppendJsonFloat(out, static_cast<float>(column.numbers()[element]));
      } else {
        base::AppendJsonNumber(out, column.numbers()[element]);
      }
      break;
    case ScalarType::kString:
      if (style.base64) {
        out += "{\"b64\":\"";
        base::AppendBase64(out, column.string(element));
        out += "\"}";
      } else {
        base::AppendJsonString(out, column.string(element));
      }
      break;
    case ScalarType::kTimestamp:
      out += '"';
      AppendTimestamp(out, column.integers()[element]);
      out += '"';
      break;
  }
}

void AppendJsonCell(const Field& field, const ColumnView& column, int64_t row, std::string& out, JsonCellStyle style) {
  if (field.type.is_scalar()) {
    AppendJsonElement(field, column, row, out, style);
  } else if (column.width < 0) {
    const int64_t* shape = column.row_shapes + row * static_cast<int64_t>(field.type.shape.size());
    ListWriter{field, column, shape, style, out}.Append(0, column.row_offsets[row]);
  } else {
    ListWriter{field, column, field.type.shape.data(), style, out}.Append(0, row * column.width);
  }
}

}  // namespace slipway::data
