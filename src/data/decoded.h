#pragma once
// Decoded: rows as a door delivered them, and RowBuilder, the one place where a cell from any door becomes a typed
// value. Because JSON, CSV, Parquet and tensors all go through RowBuilder, rows that mean the same get the same answer.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/column.h"
#include "data/layout.h"
#include "data/violation.h"

namespace slipway::data {

/// Rows plus what was wrong with their form. Reused: Clear() keeps memory.
struct Decoded {
  Table table;                                ///< one column per field of the layout
  std::vector<std::vector<uint64_t>> absent;  ///< per column: bit set when the row did not carry the field; empty: none
  std::vector<Violation> violations;          ///< sorted by row; a bad cell is null in the table

  explicit Decoded(const Layout& layout);
  void Clear();
  bool IsAbsent(int column, int64_t row) const {
    const auto& bits = absent[static_cast<size_t>(column)];
    return !bits.empty() && static_cast<size_t>(row >> 6) < bits.size() && (bits[static_cast<size_t>(row >> 6)] >> (row & 63) & 1);
  }
};

/// Fills a Decoded row by row, field by field, in any order of fields.
///
/// Conversions (target type <- what the door delivers):
///   boolean   <- boolean; integer or number exactly 0 or 1; lexeme true/false/0/1 (any case)
///   integer   <- integer; number that is whole and within +-2^53; lexeme of either. Past 64 bits: schema.wrong_type
///   number    <- number, integer (nearest double); lexeme in decimal or exponent form, nan, inf, infinity
///   string    <- string that is valid UTF-8; any lexeme
///   timestamp <- timestamp; string or lexeme in ISO 8601 (date, or date and time, with optional fraction and offset)
/// Everything else is schema.wrong_type: typed text is never parsed as a number, booleans are never numbers, numbers
/// never text or time (their unit would be a guess). NaN and infinities are delivered; schema::Validator judges them.
/// A text listed in Field::null_texts is null. Calling twice for one field of a row is schema.duplicate_field.
///
/// "lexeme" is untyped text (a CSV cell). A CSV cell for a tensor field holds a JSON array; the CSV decoder takes it
/// apart and uses Begin/EndTensor.
///
/// Allocates nothing in steady state for rows without violations.
class RowBuilder {
 public:
  RowBuilder(const Layout& layout, Decoded& out);

  void BeginRow();
  void SetNull(int field);
  void SetBoolean(int field, bool value);
  void SetInteger(int field, int64_t value);
  void SetUnsigned(int field, uint64_t value);
  void SetNumber(int field, double value);
  void SetString(int field, std::string_view value);
  void SetLexeme(int field, std::string_view value);
  void SetTimestamp(int field, int64_t microseconds);
  /// The cell exists but is of no usable kind (a JSON object, say); `found` names it: "an object".
  void SetWrong(int field, std::string_view found, std::string_view text = {});
  void Unknown(std::string_view name);  ///< a field outside the layout; ignored or a violation as the layout says
  /// The row cannot be read at all. Every field is null and no other violation is kept for it.
  void Malformed(std::string message);
  void EndRow();

  /// A tensor cell, nested lists flattened by the caller: Begin, Element… in row-major order, End with the shape found.
  /// An element of a wrong type is reported with its index path. `ragged`: the lists were uneven (schema.shape).
  void BeginTensor(int field);
  void ElementNull();
  void ElementBoolean(bool value);
  void ElementInteger(int64_t value);
  void ElementUnsigned(uint64_t value);
  void ElementNumber(double value);
  void ElementString(std::string_view value);
  void ElementWrong(std::string_view found);
  void EndTensor(std::span<const int64_t> shape, bool ragged);

 private:
  struct Cell;
  const Layout& layout_;
  Decoded& out_;
  // Implementation state: see decoded.cc.
  int64_t row_ = 0;
  size_t row_violations_ = 0;
  int seen_ = 0;
  int tensor_field_ = -1;
  int64_t tensor_elements_ = 0;
  bool tensor_bad_ = false;
  bool malformed_ = false;
};

}  // namespace slipway::data
