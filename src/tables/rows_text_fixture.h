#pragma once
// Rows as text that differs when anything of them does.

#include <algorithm>
#include <bit>
#include <string>

#include "data/decoded.h"

namespace slipway::tables {

/// Numbers by their bits, so that -0 and NaN count.
inline void AppendCell(const data::Column& column, int64_t row, std::string& out) {
  if (!column.IsValid(row)) {
    out += "null ";
    return;
  }
  const auto view = column.view();
  switch (view.type) {
    case data::ScalarType::kBoolean:
      out += std::to_string(view.booleans()[row]);
      break;
    case data::ScalarType::kInteger:
    case data::ScalarType::kTimestamp:
      out += std::to_string(view.integers()[row]);
      break;
    case data::ScalarType::kNumber:
      out += std::to_string(std::bit_cast<uint64_t>(view.numbers()[row]));
      break;
    case data::ScalarType::kString:
      out += '"' + std::string(view.string(row)) + '"';
      break;
  }
  out += ' ';
}

inline std::string TextOf(const data::Decoded& rows) {
  std::string out;
  for (int64_t row = 0; row < rows.table.rows; ++row) {
    for (size_t i = 0; i < rows.table.columns.size(); ++i) {
      AppendCell(rows.table.columns[i], row, out);
      if (rows.IsAbsent(static_cast<int>(i), row)) out += "absent ";
    }
    out += '\n';
  }
  return out;
}

/// The first lines that differ; empty when none does.
inline std::string Difference(const std::string& found, const std::string& expected) {
  if (found == expected) return {};
  const auto differ = std::ranges::mismatch(found, expected);
  const auto line = [](const std::string& text, auto at) {
    const auto offset = static_cast<size_t>(at - text.begin());
    const size_t begin = offset == 0 ? 0 : text.rfind('\n', offset - 1) + 1;
    return text.substr(begin, text.find('\n', offset) - begin);
  };
  return "found    " + line(found, differ.in1) + "\nexpected " + line(expected, differ.in2);
}

}  // namespace slipway::tables
