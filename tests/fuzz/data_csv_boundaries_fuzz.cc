// Text of CSV, cut where the input says: the pieces are the text, each ends at an end of a record, and they have the
// rows that the reader finds who splits cells.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "data/csv_boundaries.h"
#include "data/csv_rows.h"

namespace {

using slipway::data::CsvBoundaries;
using slipway::data::CsvReader;

void Require(bool holds) {
  if (!holds) std::abort();
}

/// Rows as the reader finds them; nullopt: the text is no CSV.
std::optional<int64_t> CountRows(std::string_view text) {
  int64_t rows = 0;
  CsvReader reader;
  const auto count = [&](const std::vector<CsvReader::Cell>& cells, int64_t) {
    rows += cells.size() > 1 || cells[0].quoted || !cells[0].text.empty();
  };
  if (!reader.Feed(text, count) || !reader.Finish(count)) return std::nullopt;
  return rows;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  if (size < 2) return 0;
  const size_t step = 1 + bytes[0];
  const int64_t rows_each = 1 + bytes[1] % 16;
  // Scan() may look at whole blocks: what stands behind the text must not matter.
  const std::string whole(reinterpret_cast<const char*>(bytes + 2), size - 2);
  const auto rows = CountRows(whole);
  std::string_view rest = whole;
  int64_t found = 0;
  CsvBoundaries boundaries(',', false);
  while (!rest.empty()) {
    boundaries.Restart();
    size_t given = 0;
    do {
      given = std::min(given + step, rest.size());
    } while (!boundaries.Scan(rest.substr(0, given), given == rest.size(), rows_each, 1 << 20));
    const auto& cut = boundaries.cut();
    Require(cut.end > 0 && cut.end <= rest.size() && cut.rows >= 0 && cut.rows <= rows_each);
    if (rows) Require(CountRows(rest.substr(0, cut.end)) == cut.rows);
    found += cut.rows;
    rest.remove_prefix(cut.end);
  }
  if (rows) Require(found == *rows);
  return 0;
}
