#include "data/json_rows.h"

namespace slipway::data {

JsonRowEncoder::JsonRowEncoder(const std::vector<Field>& fields) : fields_(fields) {
  for (const Field& field : fields_) {
    std::string key;
    base::AppendJsonString(key, field.name);
    keys_.push_back(std::move(key += ':'));
    std::vector<std::string> labels;
    for (const std::string& label : field.labels) {
      std::string text;
      base::AppendJsonString(text, label);
      labels.push_back(std::move(text += ':'));
    }
    labels_.push_back(std::move(labels));
  }
}

void JsonRowEncoder::AppendRow(const Table& table, int64_t row, std::string& out) const {
  out += '{';
  AppendMembers(table, row, out);
  out += '}';
}

void JsonRowEncoder::AppendRow(const Table& table, std::span<const size_t> fields, int64_t row,
                               std::string& out) const {
  out += '{';
  for (size_t i = 0; i < fields.size(); ++i) {
    if (i != 0) out += ',';
    out += keys_[fields[i]];
    AppendCell(table, fields[i], row, out);
  }
  out += '}';
}

void JsonRowEncoder::AppendMembers(const Table& table, int64_t row, std::string& out) const {
  for (size_t i = 0; i < fields_.size(); ++i) {
    if (i != 0) out += ',';
    out += keys_[i];
    AppendCell(table, i, row, out);
  }
}

void JsonRowEncoder::AppendCell(const Table& table, size_t field, int64_t row, std::string& out, JsonCellStyle style,
                                bool labels) const {
  const ColumnView column = table.columns[field].view();
  const auto& keys = labels_[field];
  if (!column.IsValid(row)) {
    out += "null";
  } else if (labels && !keys.empty() && column.width == static_cast<int64_t>(keys.size())) {
    for (int64_t j = 0; j < column.width; ++j) {
      out += j == 0 ? '{' : ',';
      out += keys[static_cast<size_t>(j)];
      AppendJsonElement(fields_[field], column, row * column.width + j, out, style);
    }
    out += '}';
  } else {
    AppendJsonCell(fields_[field], column, row, out, style);
  }
}

}  // namespace slipway::data
