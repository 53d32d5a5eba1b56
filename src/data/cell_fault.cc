// The words of the violations of form: what came, what the field takes, and the way out.

#include <algorithm>

#include "base/text.h"
#include "data/cell.h"
#include "data/number_text.h"
#include "data/timestamp.h"

namespace slipway::data {
namespace {

constexpr size_t kShown = 64;
constexpr size_t kNamesShown = 8;

std::string_view RuleOf(ScalarType type) {
  switch (type) {
    case ScalarType::kBoolean:
      return "boolean";
    case ScalarType::kInteger:
      return "integer within 64 bits";
    case ScalarType::kNumber:
      return "number";
    case ScalarType::kString:
      return "string in UTF-8";
    case ScalarType::kTimestamp:
      return "timestamp in ISO 8601";
  }
  return "";
}

std::string_view Takes(ScalarType type) {
  switch (type) {
    case ScalarType::kBoolean:
      return "true or false";
    case ScalarType::kInteger:
      return "an integer within 64 bits";
    case ScalarType::kNumber:
      return "a number";
    case ScalarType::kString:
      return "a string in UTF-8";
    case ScalarType::kTimestamp:
      return "a timestamp in ISO 8601";
  }
  return "";
}

// Shortened, with control characters and bytes that are no UTF-8 made visible.
std::string Visible(std::string_view text) {
  if (base::IsValidUtf8(text)) return base::Shorten(text, kShown);
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      out += c;
    } else {
      out += "\\x";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
    if (out.size() > kShown + 4) break;
  }
  return base::Shorten(out, kShown);
}

base::Value ValueOf(const Cell& cell) {
  switch (cell.kind) {
    case Cell::Kind::kBoolean:
      return cell.boolean;
    case Cell::Kind::kInteger:
      return cell.integer;
    case Cell::Kind::kUnsigned:
      return static_cast<double>(cell.unsigned_integer);
    case Cell::Kind::kNumber:
      return cell.number;
    case Cell::Kind::kText:
    case Cell::Kind::kLexeme:
      return Visible(cell.text);
    case Cell::Kind::kTimestamp: {
      std::string text;
      AppendTimestamp(text, cell.integer);
      return text;
    }
    case Cell::Kind::kOther:
      break;
  }
  return {};
}

// What came: the value itself, or only its kind when it is personal.
std::string Found(const Cell& cell, bool personal) {
  switch (cell.kind) {
    case Cell::Kind::kBoolean:
      return personal ? "a boolean" : cell.boolean ? "the boolean true" : "the boolean false";
    case Cell::Kind::kInteger:
      return personal ? "this integer" : "the integer " + std::to_string(cell.integer);
    case Cell::Kind::kUnsigned:
      return personal ? "this integer" : "the integer " + std::to_string(cell.unsigned_integer);
    case Cell::Kind::kNumber:
      return personal ? "this number" : "the number " + base::ToJson(cell.number);
    case Cell::Kind::kText:
    case Cell::Kind::kLexeme:
      if (personal) return "this text";
      return cell.text.empty() ? "an empty text" : "the text \"" + Visible(cell.text) + "\"";
    case Cell::Kind::kTimestamp:
      return personal ? "a timestamp" : "the timestamp " + ValueOf(cell).string();
    case Cell::Kind::kOther:
      break;
  }
  return std::string(cell.text);
}

bool LooksLikeNull(std::string_view text) {
  constexpr std::string_view kWords[] = {"na", "n/a", "#n/a", "null", "none", "nil", "nan", "-", "?", "missing", "\\n"};
  return std::any_of(std::begin(kWords), std::end(kWords),
                     [&](std::string_view word) { return EqualsAnyCase(text, word); });
}

bool HasOnly(std::string_view text, std::string_view allowed) {
  return !text.empty() && text.find_first_not_of(allowed) == std::string_view::npos;
}

// The way out for a text where a number is expected. Depends on the text's looks, not on what it says.
std::string_view NumberTextHint(std::string_view raw) {
  const std::string_view text = TrimBlanks(raw);
  if (text.empty()) return "send null, in CSV an empty cell, for a missing value";
  if (LooksLikeNull(text)) return "send null for a missing value, or declare this text to mean null";
  if (ReadNumberText(text).kind != NumberText::Kind::kNone) return "send it without quotes";
  if (HasOnly(text, "+-0123456789,.")) {
    const size_t comma = text.find(',');
    const size_t point = text.find('.');
    if (comma != std::string_view::npos && point == std::string_view::npos && text.find(',', comma + 1) == point) {
      return "write the decimal sign as a point, not a comma";
    }
    if (comma != std::string_view::npos)
      return "leave out the grouping of digits and write the decimal sign as a point";
  }
  if (text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) return "write it in decimal digits";
  if (text.back() == '%') return "send the bare number without the percent sign";
  return "send digits such as 12.5, or null when the value is unknown";
}

std::string_view TimestampTextHint(std::string_view text) {
  text = TrimBlanks(text);
  if (text.size() >= 10 && HasOnly(text.substr(0, 10), "-0123456789") && text[4] == '-' && text[7] == '-') {
    return "check that this day and time exist and are written as in 2013-07-04T08:15:00Z";
  }
  if (text.empty() || LooksLikeNull(text)) return "send null for a missing value";
  return "write it as in 2013-07-04T08:15:00Z or 2013-07-04";
}

std::string_view IntegerHint(const Cell& cell) {
  if (cell.kind == Cell::Kind::kNumber && cell.number == cell.number) {
    return "send a whole number, beyond 2^53 without point or exponent, or declare the field a number";
  }
  return "declare the field a number, or a string when it is an identifier";
}

std::string_view Hint(const Field& field, const Cell& cell) {
  const bool is_text = cell.kind == Cell::Kind::kText || cell.kind == Cell::Kind::kLexeme;
  const bool is_number =
      cell.kind == Cell::Kind::kInteger || cell.kind == Cell::Kind::kUnsigned || cell.kind == Cell::Kind::kNumber;
  switch (field.type.scalar) {
    case ScalarType::kBoolean:
      if (is_text && (EqualsAnyCase(cell.text, "true") || EqualsAnyCase(cell.text, "false"))) {
        return "send it without quotes";
      }
      return "send true or false, or 1 or 0";
    case ScalarType::kInteger:
      if (is_text) return NumberTextHint(cell.text);
      if (is_number) return IntegerHint(cell);
      break;
    case ScalarType::kNumber:
      if (is_text) return NumberTextHint(cell.text);
      break;
    case ScalarType::kString:
      if (is_text) return "encode the text in UTF-8";
      return "send it in quotes";
    case ScalarType::kTimestamp:
      if (is_text) return TimestampTextHint(cell.text);
      if (is_number) return "write it as in 2013-07-04T08:15:00Z, since a bare number leaves its unit open";
      return "write it as in 2013-07-04T08:15:00Z";
  }
  return cell.kind == Cell::Kind::kBoolean ? "send a number, 1 or 0 if that is meant, or declare the field a boolean"
                                           : "send a number";
}

std::string ShapeText(std::span<const int64_t> shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) {
    if (i != 0) text += ',';
    text += std::to_string(shape[i]);
  }
  return text + "]";
}

Violation Make(const Field& field, ViolationCode code, std::string rule, std::string message) {
  Violation violation;
  violation.code = code;
  violation.path = field.name;
  violation.rule = std::move(rule);
  violation.message = field.name + " " + std::move(message);
  return violation;
}

}  // namespace

Violation WrongType(const Field& field, const Cell& cell) {
  std::string message = "takes ";
  message.append(Takes(field.type.scalar)).append(", not ").append(Found(cell, field.personal)).append("; ");
  message.append(Hint(field, cell));
  Violation violation =
      Make(field, ViolationCode::kWrongType, std::string(RuleOf(field.type.scalar)), std::move(message));
  if (!field.personal) violation.value = ValueOf(cell);
  return violation;
}

Violation WrongKind(const Field& field, std::string_view found, std::string_view text) {
  const bool scalar = field.type.is_scalar();
  std::string message = "takes ";
  if (scalar) {
    message.append(Takes(field.type.scalar));
  } else {
    message.append("a list of shape ").append(field.type.ToString());
  }
  message.append(", not ").append(found);
  if (!text.empty() && !field.personal) message.append(" \"").append(Visible(text)).append("\"");
  message.append(scalar ? "; send a single value" : "; send its elements as a JSON list, nested by dimension");
  Violation violation =
      Make(field, ViolationCode::kWrongType, scalar ? std::string(RuleOf(field.type.scalar)) : field.type.ToString(),
           std::move(message));
  if (!text.empty() && !field.personal) violation.value = Visible(text);
  return violation;
}

Violation WrongShape(const Field& field, std::span<const int64_t> shape, bool ragged) {
  const std::string expected = field.type.ToString();
  const std::string found = ragged ? "uneven lists" : "shape " + ShapeText(shape);
  Violation violation =
      Make(field, ViolationCode::kShape, expected,
           "takes the shape " + expected + ", not " + found + "; send lists of even length, nested by dimension");
  if (!ragged) violation.value = ShapeText(shape);
  return violation;
}

Violation NullElement(const Field& field) {
  std::string message = "is null, and elements of a list cannot be; send a value, or null in place of the whole list";
  if (field.type.scalar == ScalarType::kNumber) {
    message += " (a model that takes NaN for a missing value can have it: docs/onnx.md, \"missing: nan\")";
  }
  return Make(field, ViolationCode::kNull, field.type.ToString(), std::move(message));
}

Violation WrongElement(const Field& field, std::string_view found) {
  std::string message = "takes ";
  message.append(Takes(field.type.scalar)).append(", not ").append(found).append("; send a single value");
  return Make(field, ViolationCode::kWrongType, std::string(RuleOf(field.type.scalar)), std::move(message));
}

Violation TooMuchText(const Field& field) {
  return Make(field, ViolationCode::kLength, "2 GiB of text in a column",
              "has no room left, since a column holds 2 GiB of text at once; send fewer rows at a time");
}

Violation Duplicate(const Field& field, const Cell* cell) {
  Violation violation = Make(field, ViolationCode::kDuplicateField, "one value in a record",
                             "came more than once in this record and only its first value was kept; send it once");
  if (cell != nullptr && !field.personal) violation.value = ValueOf(*cell);
  return violation;
}

Violation UnknownName(std::string_view name, std::span<const std::string> known) {
  Violation violation;
  violation.code = ViolationCode::kUnknownField;
  violation.path = Visible(name);
  violation.rule = "known fields only";
  if (name.empty()) {
    violation.message = "a field without a name is none of this model's fields";
  } else {
    violation.message = violation.path + " is none of this model's fields";
  }
  std::string near = base::DidYouMean(violation.path, known);
  if (near.empty() && !known.empty()) {
    near = ", which are ";
    for (size_t i = 0; i < std::min(known.size(), kNamesShown); ++i) near += (i == 0 ? "" : ", ") + known[i];
    if (known.size() > kNamesShown) near += ", …";
  }
  violation.message += near + "; rename it or leave it out";
  return violation;
}

void SetElement(Violation& violation, const Field& field, std::span<const int64_t> shape, int64_t element) {
  int64_t block = 1;
  for (const int64_t dimension : shape) block *= std::max<int64_t>(dimension, 1);
  std::string path = field.name;
  for (const int64_t dimension : shape) {
    block /= std::max<int64_t>(dimension, 1);
    path += "[" + std::to_string(element / block) + "]";
    element %= block;
  }
  violation.message.replace(0, field.name.size(), path);
  violation.path = std::move(path);
}

}  // namespace slipway::data
