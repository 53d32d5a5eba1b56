#pragma once
// CSV cut into pieces by CsvBoundaries, and what the reader that splits cells finds in it, for tests.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "data/csv_boundaries.h"
#include "data/csv_rows.h"

namespace slipway::data {

struct CsvPieceBounds {
  int64_t rows = 1;
  size_t bytes = size_t{1} << 30;
  bool blank_rows = false;
};

struct CsvPiece {
  std::string_view text;
  int64_t rows = 0, lines = 0;
};

/// All of the text, fed `step` bytes at a time. A piece without text is the last, and a fault.
inline std::vector<CsvPiece> CutCsv(std::string_view text, size_t step, const CsvPieceBounds& bounds) {
  std::vector<CsvPiece> pieces;
  CsvBoundaries boundaries(',', bounds.blank_rows);
  while (!text.empty()) {
    boundaries.Restart();
    size_t given = 0;
    do {
      given = std::min(given + step, text.size());
    } while (!boundaries.Scan(text.substr(0, given), given == text.size(), bounds.rows, bounds.bytes));
    const auto& cut = boundaries.cut();
    pieces.push_back({text.substr(0, cut.end), cut.rows, cut.lines});
    if (cut.end == 0) break;
    text.remove_prefix(cut.end);
  }
  return pieces;
}

/// Rows and lines as the reader that splits cells sees them; nullopt: the text is no CSV.
inline std::optional<CsvPiece> ReadCsv(std::string_view text) {
  CsvPiece whole{.text = text};
  CsvReader reader;
  const auto count = [&](const std::vector<CsvReader::Cell>& cells, int64_t line) {
    whole.rows += cells.size() > 1 || cells[0].quoted || !cells[0].text.empty();
    whole.lines = line;
  };
  if (!reader.Feed(text, count) || !reader.Finish(count)) return std::nullopt;
  return whole;
}

}  // namespace slipway::data
