#include "data/row_text.h"

#include <charconv>

#include "base/value.h"
#include "data/timestamp.h"

namespace slipway::data {
namespace {

void AppendInteger(int64_t value, std::string& out) {
  char text[24];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  out.append(text, end);
}

// Lists from dimension `level` on, starting at `element`; returns the element after them.
int64_t AppendLists(const Field& field, const ColumnView& column, const int64_t* shape, size_t level, int64_t element,
                    std::string& out) {
  out += '[';
  for (int64_t i = 0; i < shape[level]; ++i) {
    if (i != 0) out += ',';
    if (level + 1 < field.type.shape.size()) {
      element = AppendLists(field, column, shape, level + 1, element, out);
    } else {
      AppendJsonElement(field, column, element++, out);
    }
  }
  out += ']';
  return element;
}

}  // namespace

void AppendJsonElement(const Field& field, const ColumnView& column, int64_t element, std::string& out) {
  switch (column.type) {
    case ScalarType::kBoolean:
      out += column.booleans()[element] != 0 ? "true" : "false";
      break;
    case ScalarType::kInteger:
      AppendInteger(column.integers()[element], out);
      break;
    case ScalarType::kNumber:
      if (field.single_precision) {
        base::AppendJsonFloat(out, static_cast<float>(column.numbers()[element]));
      } else {
        base::AppendJsonNumber(out, column.numbers()[element]);
      }
      break;
    case ScalarType::kString:
      base::AppendJsonString(out, column.string(element));
      break;
    case ScalarType::kTimestamp:
      out += '"';
      AppendTimestamp(out, column.integers()[element]);
      out += '"';
      break;
  }
}

void AppendJsonCell(const Field& field, const ColumnView& column, int64_t row, std::string& out) {
  if (field.type.is_scalar()) {
    AppendJsonElement(field, column, row, out);
  } else if (column.width < 0) {
    const int64_t* shape = column.row_shapes + row * static_cast<int64_t>(field.type.shape.size());
    AppendLists(field, column, shape, 0, column.row_offsets[row], out);
  } else {
    AppendLists(field, column, field.type.shape.data(), 0, row * column.width, out);
  }
}

}  // namespace slipway::data
