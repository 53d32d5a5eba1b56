// Text of CSV, cut where the input says: the pieces are the text, each ends at an end of a record, and they have the
// rows that the reader finds who splits cells.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "data/csv_pieces_test.h"

namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace slipway::data;
  if (size < 2) return 0;
  const size_t step = 1 + bytes[0];
  const int64_t rows_each = 1 + bytes[1] % 16;
  const std::string_view text(reinterpret_cast<const char*>(bytes + 2), size - 2);
  const auto whole = ReadCsv(text);
  size_t at = 0;
  int64_t rows = 0;
  for (const auto& piece : CutCsv(text, step, {.rows = rows_each, .bytes = 1 << 20})) {
    Require(!piece.text.empty() && piece.text.data() == text.data() + at && piece.rows >= 0 && piece.rows <= rows_each);
    if (whole) {
      const auto alone = ReadCsv(piece.text);
      Require(alone && alone->rows == piece.rows);
    }
    at += piece.text.size();
    rows += piece.rows;
  }
  Require(at == text.size() && (!whole || rows == whole->rows));
  return 0;
}
