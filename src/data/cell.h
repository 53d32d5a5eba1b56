#pragma once
// Cell: a value as a door delivered it, and the rules by which it becomes a typed one. RowBuilder applies them; nothing
// else in the program converts.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "data/type.h"
#include "data/violation.h"

namespace slipway::data {

/// One delivered value. `text` is the text of kText and kLexeme, and names what came for kOther ("an object").
struct Cell {
  enum class Kind : uint8_t { kBoolean, kInteger, kUnsigned, kNumber, kText, kLexeme, kTimestamp, kOther };
  Kind kind = Kind::kOther;
  union {
    bool boolean;
    int64_t integer = 0;  ///< also timestamps
    uint64_t unsigned_integer;
    double number;
  };
  std::string_view text;

  static Cell Boolean(bool value);
  static Cell Integer(int64_t value);
  static Cell Unsigned(uint64_t value);
  static Cell Number(double value);
  static Cell Text(std::string_view value);
  static Cell Lexeme(std::string_view value);
  static Cell Timestamp(int64_t microseconds);
  static Cell Other(std::string_view found);
};

/// Makes `cell` a value of the field's scalar type: on success the cell is kBoolean, kInteger, kNumber, kText or
/// kTimestamp as the type asks. On failure it says what the cell is, a lexeme being taken as the JSON value it looks
/// like, so that every door describes the same fault in the same words.
bool Convert(const Field& field, Cell& cell);

/// Whether the text is one of Field::null_texts.
bool IsNullText(const Field& field, std::string_view text);

/// The violations of form. `path` is the field's name, or an element's `name[i][j]`.
Violation WrongType(const Field& field, const Cell& cell);
Violation WrongKind(const Field& field, std::string_view found, std::string_view text);
Violation WrongShape(const Field& field, std::span<const int64_t> shape, bool ragged);
Violation NullElement(const Field& field);
Violation WrongElement(const Field& field, std::string_view found);
Violation TooMuchText(const Field& field);
Violation Duplicate(const Field& field, const Cell* cell);
Violation UnknownName(std::string_view name, std::span<const std::string> known);

/// Points a violation at an element: sets the path and puts it into the message in place of the field's name.
void SetElement(Violation& violation, const Field& field, std::span<const int64_t> shape, int64_t element);

}  // namespace slipway::data
