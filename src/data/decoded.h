#pragma once
// Decoded: rows as a door delivered them, and RowBuilder, the one place where a cell from any door becomes a typed
// value. Because JSON, CSV, Parquet and tensors all go through RowBuilder, rows that mean the same get the same answer.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/cell.h"
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
    const auto word = static_cast<size_t>(row >> 6);
    return word < bits.size() && (bits[word] >> (row & 63) & 1);
  }
  /// Drops the rows of which `kept` is 0, one for each row, with their violations.
  void Keep(std::span<const uint8_t> kept);
  /// Drops the rows from `rows` on, finished or not, with their violations.
  void Truncate(int64_t rows);
};

/// Fills a Decoded row by row, field by field, in any order of fields.
///
/// Conversions (target type <- what the door delivers):
///   boolean   <- boolean; integer or number equal to 0 or 1; lexeme true/false (any case) or such a number
///   integer   <- integer; number that is whole and below 2^53 in magnitude; lexeme of either. Past 64 bits:
///                schema.wrong_type
///   number    <- number, integer (nearest double); lexeme in decimal or exponent form, nan, inf, infinity
///   string    <- string that is valid UTF-8; any lexeme that is
///   timestamp <- timestamp; string or lexeme in ISO 8601 (date, or date and time, with optional fraction and offset)
/// Everything else is schema.wrong_type: typed text is never parsed as a number, booleans are never numbers, numbers
/// never text or time (their unit would be a guess). NaN and infinities are delivered; schema::Validator judges them.
/// A text listed in Field::null_texts is null. Calling twice for one field of a row is schema.duplicate_field.
/// Blanks around lexemes of other types than string, and around timestamps, do not count.
///
/// "lexeme" is untyped text (a CSV cell). An empty one is null but for a string, since writers quote every cell, or the
/// only one of a row, and mean null. A CSV cell for a tensor field holds a JSON array; the CSV decoder takes it apart
/// and uses Begin/EndTensor.
///
/// Per row, violations are ordered by field, those of no field first. At most 64 unknown or repeated fields of a row
/// and 16 elements of a tensor are reported, so that hostile records stay cheap.
///
/// Allocates nothing in steady state for rows without violations.
class RowBuilder {
 public:
  RowBuilder(const Layout& layout, Decoded& out);

  void BeginRow();
  void SetNull(int field);
  void SetBoolean(int field, bool value);
  void SetInteger(int field, int64_t value) {
    if (Column* column = Take(field, ScalarType::kNumber)) {
      column->AppendNumber(static_cast<double>(value));
    } else if (column = Take(field, ScalarType::kInteger); column != nullptr) {
      column->AppendInteger(value);
    } else {
      SetCell(field, Cell::Integer(value));
    }
  }
  void SetUnsigned(int field, uint64_t value);
  void SetNumber(int field, double value) {
    if (Column* column = Take(field, ScalarType::kNumber)) {
      column->AppendNumber(value);
    } else {
      SetCell(field, Cell::Number(value));
    }
  }
  void SetString(int field, std::string_view value);
  void SetLexeme(int field, std::string_view value);
  void SetTimestamp(int field, int64_t microseconds);
  /// The cell exists but is of no usable kind (a JSON object, say); `found` names it: "an object".
  void SetWrong(int field, std::string_view found, std::string_view text = {});
  /// Whether the row at hand has a cell for the field already.
  bool Has(int field) const { return out_.table.columns[static_cast<size_t>(field)].rows() > row_; }
  /// A cell that a builder of the same layout has made; the caller bounds how much text it repeats.
  void SetFrom(int field, const Column& column, int64_t row);
  void Unknown(std::string_view name);  ///< a field outside the layout; ignored or a violation as the layout says
  /// The row cannot be read at all. Every field is null and no other violation is kept for it.
  void Malformed(std::string message);
  void EndRow();

  /// Column by column instead, for doors that deliver whole columns: MoveTo(row) before each cell of a field, rows
  /// ascending from 0, and EndColumns once in the end, instead of BeginRow and EndRow. A column may also be filled by
  /// Column::Resize…. Fields of which no row came are absent. Precondition: `out` was empty.
  void MoveTo(int64_t row) {
    row_ = row;
    unknown_ = 0;
  }
  void EndColumns(int64_t rows);

  /// A tensor cell, nested lists flattened by the caller: Begin, Element… in row-major order, End with the shape found.
  /// An element of a wrong type is reported with its index path. `ragged`: the lists were uneven (schema.shape).
  void BeginTensor(int field);
  void ElementNull();
  void ElementBoolean(bool value);
  void ElementInteger(int64_t value);
  void ElementUnsigned(uint64_t value);
  void ElementNumber(double value);
  void ElementString(std::string_view value);
  void ElementTimestamp(int64_t microseconds);
  void ElementWrong(std::string_view found);
  void EndTensor(std::span<const int64_t> shape, bool ragged);
  /// Gives up an open tensor cell whose text turned out to be broken: as SetWrong.
  void AbandonTensor(std::string_view found, std::string_view text = {});

 private:
  struct ElementFault {
    size_t violation;
    int64_t element;
  };

  Column* Take(int field, ScalarType type) {
    Column& column = out_.table.columns[static_cast<size_t>(field)];
    return column.rows() == row_ && column.IsScalarOf(type) ? &column : nullptr;
  }
  const Field& field(int index) const { return layout_.fields()[static_cast<size_t>(index)]; }
  bool Admit(int field, const Cell* cell);
  void SetCell(int field, Cell cell);
  void SetElement(Cell cell);
  void ReportElement(Violation violation);
  void Report(int field, Violation violation);
  void Refuse(int field, Violation violation);
  void SortRow();

  const Layout& layout_;
  Decoded& out_;
  int64_t row_ = 0;
  size_t row_violations_ = 0;  ///< index of this row's first violation
  int unknown_ = 0;            ///< unknown and repeated fields reported in this row
  bool malformed_ = false;
  int tensor_field_ = -1;
  Column* tensor_ = nullptr;  ///< where elements go; nullptr when the cell is refused or none is open
  int64_t tensor_elements_ = 0;
  int64_t tensor_limit_ = 0;  ///< elements a row can hold
  std::vector<ElementFault> element_faults_;
};

}  // namespace slipway::data
