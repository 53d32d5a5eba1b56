#include "data/json_tables.h"

namespace slipway::data {

JsonTableEncoder::JsonTableEncoder(const std::vector<Field>& fields, std::vector<int> list_ranks)
    : cells_(fields), list_ranks_(std::move(list_ranks)) {
  list_ranks_.resize(fields.size());
  for (const Field& field : fields) is_bytes_.push_back(field.name.ends_with("_bytes"));
}

void JsonTableEncoder::AppendCell(const Table& table, size_t field, int64_t row, const Style& style,
                                  std::string& out) const {
  const auto lists = static_cast<size_t>(list_ranks_[field]);
  out.append(lists, '[');
  const bool base64 = style.bytes_suffix && is_bytes_[field];
  cells_.AppendCell(table, field, row, out, {.non_finite_tokens = style.non_finite_tokens, .base64 = base64},
                    style.labels);
  out.append(lists, ']');
}

void JsonTableEncoder::AppendRow(const Table& table, int64_t row, const Style& style, std::string& out) const {
  if (table.columns.size() == 1) return AppendCell(table, 0, row, style, out);
  for (size_t field = 0; field < table.columns.size(); ++field) {
    out += field == 0 ? '{' : ',';
    out += cells_.Key(field);
    AppendCell(table, field, row, style, out);
  }
  out += '}';
}

void JsonTableEncoder::AppendRows(const Table& table, const Style& style, std::string& out) const {
  out += '[';
  for (int64_t row = 0; row < table.rows; ++row) {
    if (row != 0) out += ',';
    AppendRow(table, row, style, out);
  }
  out += ']';
}

void JsonTableEncoder::AppendColumn(const Table& table, size_t field, const Style& style, std::string& out) const {
  out += '[';
  for (int64_t row = 0; row < table.rows; ++row) {
    if (row != 0) out += ',';
    AppendCell(table, field, row, style, out);
  }
  out += ']';
}

void JsonTableEncoder::AppendColumns(const Table& table, const Style& style, std::string& out) const {
  if (table.columns.size() == 1) return AppendColumn(table, 0, style, out);
  for (size_t field = 0; field < table.columns.size(); ++field) {
    out += field == 0 ? '{' : ',';
    out += cells_.Key(field);
    AppendColumn(table, field, style, out);
  }
  out += '}';
}

}  // namespace slipway::data
