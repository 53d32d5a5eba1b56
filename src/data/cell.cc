#include "data/cell.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "base/value.h"
#include "data/number_text.h"
#include "data/timestamp.h"

namespace slipway::data {
namespace {

constexpr double kExactIntegers = 9007199254740992.0;  // 2^53: from here on a double no longer names one integer

// What an untyped text is when it is not a text: the kind of JSON value it looks like. Leaves other texts alone.
void Recognize(Cell& cell) {
  const std::string_view text = TrimBlanks(cell.text);
  if (EqualsAnyCase(text, "true") || EqualsAnyCase(text, "false")) {
    cell = Cell::Boolean(text.size() == 4);
    return;
  }
  const NumberText number = ReadNumberText(text);
  switch (number.kind) {
    case NumberText::Kind::kInteger:
      cell = Cell::Integer(number.integer);
      break;
    case NumberText::Kind::kUnsigned:
      cell = Cell::Unsigned(number.unsigned_integer);
      break;
    case NumberText::Kind::kNumber:
      cell = Cell::Number(number.number);
      break;
    case NumberText::Kind::kNone:
      cell.kind = Cell::Kind::kText;
      break;
  }
}

bool ToBoolean(Cell& cell) {
  switch (cell.kind) {
    case Cell::Kind::kBoolean:
      return true;
    case Cell::Kind::kInteger:
      if (cell.integer != 0 && cell.integer != 1) return false;
      cell = Cell::Boolean(cell.integer == 1);
      return true;
    case Cell::Kind::kNumber:
      if (cell.number != 0 && cell.number != 1) return false;
      cell = Cell::Boolean(cell.number == 1);
      return true;
    default:
      return false;
  }
}

bool ToInteger(Cell& cell) {
  if (cell.kind == Cell::Kind::kInteger) return true;
  if (cell.kind != Cell::Kind::kNumber) return false;
  if (!(std::abs(cell.number) < kExactIntegers) || cell.number != std::trunc(cell.number)) return false;
  cell = Cell::Integer(static_cast<int64_t>(cell.number));
  return true;
}

bool ToNumber(Cell& cell) {
  switch (cell.kind) {
    case Cell::Kind::kNumber:
      return true;
    case Cell::Kind::kInteger:
      cell = Cell::Number(static_cast<double>(cell.integer));
      return true;
    case Cell::Kind::kUnsigned:
      cell = Cell::Number(static_cast<double>(cell.unsigned_integer));
      return true;
    default:
      return false;
  }
}

bool ToTimestamp(const Field& field, Cell& cell) {
  if (cell.kind == Cell::Kind::kTimestamp) return true;
  if (cell.kind != Cell::Kind::kText && cell.kind != Cell::Kind::kLexeme) return false;
  if (const auto parsed = ParseTimestamp(TrimBlanks(cell.text), field.zone_minutes)) {
    cell = Cell::Timestamp(*parsed);
    return true;
  }
  if (cell.kind == Cell::Kind::kLexeme) Recognize(cell);
  return false;
}

/// The cell as text, for columns of no declared type. The text lives until this thread converts the next cell.
void WriteAsText(Cell& cell) {
  thread_local std::string text;
  text.clear();
  switch (cell.kind) {
    case Cell::Kind::kBoolean:
      text = cell.boolean ? "true" : "false";
      break;
    case Cell::Kind::kInteger:
      text = std::to_string(cell.integer);
      break;
    case Cell::Kind::kUnsigned:
      text = std::to_string(cell.unsigned_integer);
      break;
    case Cell::Kind::kNumber:
      if (std::isfinite(cell.number)) {
        base::AppendJsonNumber(text, cell.number);
      } else {
        text = std::isnan(cell.number) ? "nan" : cell.number > 0 ? "inf" : "-inf";
      }
      break;
    case Cell::Kind::kTimestamp:
      AppendTimestamp(text, cell.integer);
      break;
    default:
      return;
  }
  cell = Cell::Text(text);
}

}  // namespace

Cell Cell::Boolean(bool value) {
  Cell cell;
  cell.kind = Kind::kBoolean;
  cell.boolean = value;
  return cell;
}

Cell Cell::Integer(int64_t value) {
  Cell cell;
  cell.kind = Kind::kInteger;
  cell.integer = value;
  return cell;
}

Cell Cell::Unsigned(uint64_t value) {
  Cell cell;
  cell.kind = Kind::kUnsigned;
  cell.unsigned_integer = value;
  return cell;
}

Cell Cell::Number(double value) {
  Cell cell;
  cell.kind = Kind::kNumber;
  cell.number = value;
  return cell;
}

Cell Cell::Text(std::string_view value) {
  Cell cell;
  cell.kind = Kind::kText;
  cell.text = value;
  return cell;
}

Cell Cell::Lexeme(std::string_view value) {
  Cell cell;
  cell.kind = Kind::kLexeme;
  cell.text = value;
  return cell;
}

Cell Cell::Timestamp(int64_t microseconds) {
  Cell cell;
  cell.kind = Kind::kTimestamp;
  cell.integer = microseconds;
  return cell;
}

Cell Cell::Other(std::string_view found) {
  Cell cell;
  cell.text = found;
  return cell;
}

bool Convert(const Field& field, Cell& cell) {
  const ScalarType target = field.type.scalar;
  if (target == ScalarType::kTimestamp) return ToTimestamp(field, cell);
  if (target == ScalarType::kString) {
    if (field.as_text) WriteAsText(cell);
    if (cell.kind == Cell::Kind::kLexeme) cell.kind = Cell::Kind::kText;
    return cell.kind == Cell::Kind::kText && base::IsValidUtf8(cell.text);
  }
  if (cell.kind == Cell::Kind::kLexeme) Recognize(cell);
  if (target == ScalarType::kNumber) return ToNumber(cell);
  return target == ScalarType::kInteger ? ToInteger(cell) : ToBoolean(cell);
}

bool IsNullText(const Field& field, std::string_view text) {
  return std::find(field.null_texts.begin(), field.null_texts.end(), text) != field.null_texts.end();
}

}  // namespace slipway::data
