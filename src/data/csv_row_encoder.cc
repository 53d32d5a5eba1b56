#include <cmath>

#include "data/csv_rows.h"
#include "data/row_text.h"
#include "data/timestamp.h"

namespace slipway::data {
namespace {

bool IsLabelled(const Field& field, const ColumnView& column) {
  return !field.labels.empty() && column.width == static_cast<int64_t>(field.labels.size());
}

}  // namespace

CsvRowEncoder::CsvRowEncoder(std::vector<Field> fields, char delimiter)
    : fields_(std::move(fields)), delimiter_(delimiter) {}

void CsvRowEncoder::AppendHeader(std::string& out) const {
  bool first = true;
  const auto append = [&](std::string_view name) {
    if (!first) out += delimiter_;
    first = false;
    AppendCell(name, delimiter_, out);
  };
  for (const Field& field : fields_) {
    if (field.labels.empty()) {
      append(field.name);
    } else {
      for (const std::string& label : field.labels) append(field.name + "." + label);
    }
  }
  out += '\n';
}

void CsvRowEncoder::AppendRow(const Table& table, int64_t row, std::string& out) const {
  for (size_t i = 0; i < fields_.size(); ++i) {
    if (i != 0) out += delimiter_;
    AppendCells(fields_[i], table.columns[i].view(), row, out);
  }
}

void CsvRowEncoder::AppendRow(std::span<const ColumnView> columns, int64_t row, std::string& out) const {
  for (size_t i = 0; i < fields_.size(); ++i) {
    if (i != 0) out += delimiter_;
    AppendCells(fields_[i], columns[i], row, out);
  }
}

/// The cells of one field.
void CsvRowEncoder::AppendCells(const Field& field, const ColumnView& column, int64_t row, std::string& out) const {
  if (IsLabelled(field, column)) {
    for (int64_t j = 0; j < column.width; ++j) {
      if (j != 0) out += delimiter_;
      if (column.IsValid(row)) AppendElement(field, column, row * column.width + j, out);
    }
  } else if (!column.IsValid(row)) {
    return;
  } else if (field.type.is_scalar()) {
    AppendElement(field, column, row, out);
  } else {
    std::string list;
    AppendJsonCell(field, column, row, list);
    AppendCell(list, delimiter_, out);
  }
}

void CsvRowEncoder::EndLine(size_t begin, std::string& out) const {
  const bool blank = out.size() == begin && !fields_.empty();  // one column, and its value is null
  if (blank && fields_[0].type.scalar != ScalarType::kString) out += "\"\"";
  out += '\n';
}

void CsvRowEncoder::AppendLine(const Table& table, int64_t row, std::string& out) const {
  const size_t begin = out.size();
  AppendRow(table, row, out);
  EndLine(begin, out);
}

void CsvRowEncoder::AppendLine(std::span<const ColumnView> columns, int64_t row, std::string& out) const {
  const size_t begin = out.size();
  AppendRow(columns, row, out);
  EndLine(begin, out);
}

void CsvRowEncoder::AppendCell(std::string_view text, char delimiter, std::string& out) {
  const char special[] = {delimiter, '"', '\n', '\r'};
  const bool quoted =
      text.empty() || text.find_first_of(std::string_view(special, sizeof special)) != std::string_view::npos;
  if (!quoted) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

void CsvRowEncoder::AppendElement(const Field& field, const ColumnView& column, int64_t element,
                                  std::string& out) const {
  switch (column.type) {
    case ScalarType::kString:
      AppendCell(column.string(element), delimiter_, out);
      break;
    case ScalarType::kTimestamp: {
      std::string text;
      AppendTimestamp(text, column.integers()[element]);
      AppendCell(text, delimiter_, out);
      break;
    }
    case ScalarType::kNumber: {
      const double value = column.numbers()[element];
      if (std::isnan(value)) {
        out += "nan";
      } else if (std::isinf(value)) {
        out += value < 0 ? "-inf" : "inf";
      } else {
        AppendJsonElement(field, column, element, out);
      }
      break;
    }
    default:
      AppendJsonElement(field, column, element, out);
      break;
  }
}

}  // namespace slipway::data
