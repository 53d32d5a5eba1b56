#include "serving/openapi/json_schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <span>
#include <string>
#include <string_view>

#include "schema/literal.h"

namespace slipway::serving::openapi {
namespace {

using base::Value;
using data::ScalarType;
using schema::ColumnRules;
using schema::Policy;

Value TypeOnly(std::string_view type) {
  return Value::Map().Set("type", type);
}

Value AnyOf(Value first, Value second) {
  return Value::Map().Set("anyOf", Value::List().Add(std::move(first)).Add(std::move(second)));
}

/// Whether RE2's expression means the same in ECMAScript, which JSON Schema speaks.
bool IsCommonPattern(std::string_view pattern) {
  for (size_t at = pattern.find("(?"); at != std::string_view::npos; at = pattern.find("(?", at + 1)) {
    if (!pattern.substr(at).starts_with("(?:")) return false;
  }
  constexpr std::array<std::string_view, 6> kOnlyRe2 = {"[[:", "\\A", "\\z", "\\Q", "\\p", "\\P"};
  for (const std::string_view part : kOnlyRe2) {
    if (pattern.find(part) != std::string_view::npos) return false;
  }
  return true;
}

void SetBounds(const ColumnRules& column, Value& value) {
  if (column.min) value.Set("minimum", *column.min);
  if (column.max) value.Set("maximum", *column.max);
  if (column.field.type.scalar != ScalarType::kInteger) return;
  value.Set("minimum", column.min_integer.value_or(std::numeric_limits<int64_t>::min()));
  value.Set("maximum", column.max_integer.value_or(std::numeric_limits<int64_t>::max()));
}

Value StringSchema(const ColumnRules& column) {
  Value value = TypeOnly("string");
  if (column.min_length) value.Set("minLength", *column.min_length);
  if (column.max_length) value.Set("maxLength", *column.max_length);
  if (!column.pattern.empty() && IsCommonPattern(column.pattern)) {
    value.Set("pattern", fmt::format("^(?:{})$", column.pattern));
  }
  return value;
}

/// One value, or one element of a tensor.
Value ScalarSchema(const ColumnRules& column, bool bounded) {
  switch (column.field.type.scalar) {
    case ScalarType::kBoolean:  // 0 and 1 mean false and true in every door
      return AnyOf(TypeOnly("boolean"), Value::Map().Set("enum", Value::List().Add(0).Add(1)));
    case ScalarType::kInteger:
    case ScalarType::kNumber: {
      const bool integer = column.field.type.scalar == ScalarType::kInteger;
      Value value = TypeOnly(integer ? "integer" : "number");
      value.Set("format", integer ? "int64" : "double");
      if (bounded) SetBounds(column, value);
      return value;
    }
    case ScalarType::kString:
      return StringSchema(column);
    case ScalarType::kTimestamp:
      return TypeOnly("string").Set("format", "date-time");
  }
  return Value::Map();
}

Value Nested(std::span<const int64_t> shape, Value element) {
  for (size_t i = shape.size(); i-- > 0;) {
    Value list = TypeOnly("array");
    list.Set("items", std::move(element));
    if (shape[i] >= 0) list.Set("minItems", shape[i]).Set("maxItems", shape[i]);
    element = std::move(list);
  }
  return element;
}

Value Texts(const std::vector<std::string>& texts) {
  Value list = Value::List();
  for (const auto& text : texts) list.Add(text);
  return list;
}

/// What a value of the column's own kind may be.
Value AllowedSchema(const ColumnRules& column) {
  const bool closed = !column.values.empty() && column.unknown == schema::UnknownValue::kViolation;
  if (closed && column.on_violation != Policy::kClamp) return Value::Map().Set("enum", base::ValueList(column.values));
  Value element = ScalarSchema(column, column.on_violation != Policy::kClamp);
  if (column.field.null_elements_are_nan) element = AnyOf(std::move(element), TypeOnly("null"));
  Value value = Nested(column.field.type.shape, std::move(element));
  if (!column.field.null_texts.empty()) {
    Value meaning_null = Value::Map().Set("enum", Texts(column.field.null_texts));
    if (column.missing != schema::Missing::kReject) return AnyOf(std::move(value), std::move(meaning_null));
    value.Set("not", std::move(meaning_null));
  }
  return value;
}

/// Whether lists of an open dimension stand side by side.
bool HasUnevenForms(std::span<const int64_t> shape) {
  return shape.size() > 1 && std::ranges::any_of(shape.subspan(1), [](int64_t size) { return size < 0; });
}

std::string KnownValues(const std::vector<Value>& values) {
  constexpr size_t kShown = 20;
  std::string text;
  for (size_t i = 0; i < std::min(values.size(), kShown); ++i) {
    text += (i > 0 ? ", " : "") + base::ToJson(values[i]);
  }
  if (values.size() > kShown) text += fmt::format(" and {} more", values.size() - kShown);
  return text;
}

std::string Describe(const ColumnRules& column) {
  std::string text = column.description;
  const auto add = [&](const std::string& sentence) {
    if (!text.empty()) text += text.ends_with('.') ? " " : ". ";
    text += sentence;
  };
  if (!column.unit.empty()) add(fmt::format("In {}.", column.unit));
  if (column.field.type.scalar == ScalarType::kTimestamp) {
    const int minutes = column.field.zone_minutes;
    add(fmt::format("ISO 8601; without an offset it is in {}{:02}:{:02}.", minutes < 0 ? '-' : '+',
                    std::abs(minutes) / 60, std::abs(minutes) % 60));
    if (column.min_integer) add(fmt::format("Not before {}.", schema::TimestampText(*column.min_integer)));
    if (column.max_integer) add(fmt::format("Not after {}.", schema::TimestampText(*column.max_integer)));
  }
  if (HasUnevenForms(column.field.type.shape)) add("Lists at one depth have one length.");
  if (!column.values.empty() && column.unknown != schema::UnknownValue::kViolation) {
    add(fmt::format("Anything but {} counts as {}.", KnownValues(column.values),
                    column.unknown == schema::UnknownValue::kOther ? "\"other\"" : "null"));
  }
  if (!column.pattern.empty() && !IsCommonPattern(column.pattern)) {
    add(fmt::format("Matches the RE2 expression {}", column.pattern));
  }
  if (column.missing == schema::Missing::kImpute) add("Imputed when missing.");
  if (column.on_violation == Policy::kClamp) add("Clamped to its range.");
  if (column.on_violation == Policy::kWarn) add("A wrong value is scored with a warning.");
  return text;
}

/// Anything but null, in every way that the column has to say it.
Value AnythingGiven(const ColumnRules& column) {
  Value nulls = Texts(column.field.null_texts);
  return Value::Map().Set("not", Value::Map().Set("enum", nulls.Add(Value())));
}

Value ColumnSchema(const ColumnRules& column) {
  const bool may_be_null = column.missing != schema::Missing::kReject;
  const bool repairs = column.on_violation == Policy::kImpute || column.on_violation == Policy::kNull ||
                       column.on_violation == Policy::kWarn;
  Value value = !repairs ? AllowedSchema(column) : may_be_null ? Value::Map() : AnythingGiven(column);
  if (!repairs && may_be_null) value = AnyOf(std::move(value), TypeOnly("null"));
  if (column.default_value) value.Set("default", *column.default_value);
  if (auto text = Describe(column); !text.empty()) value.Set("description", std::move(text));
  return value;
}

Value OutputSchema(const data::Field& field) {
  ColumnRules column;
  column.field = field;
  Value element = field.type.scalar == ScalarType::kBoolean ? TypeOnly("boolean") : ScalarSchema(column, false);
  if (field.type.scalar == ScalarType::kNumber && !field.type.is_scalar()) {
    element = AnyOf(std::move(element), TypeOnly("null"));  // NaN; a field as a whole may be null anyway
  }
  if (field.labels.empty()) return Nested(field.type.shape, std::move(element));
  Value properties = Value::Map();
  for (const auto& label : field.labels) properties.Set(label, element);
  return TypeOnly("object").Set("properties", std::move(properties)).Set("required", Texts(field.labels));
}

}  // namespace

Value RecordSchema(const schema::Schema& schema) {
  Value properties = Value::Map();
  Value required = Value::List();
  for (const auto& column : schema.columns) {
    properties.Set(column.field.name, ColumnSchema(column));
    if (!column.may_be_absent()) required.Add(column.field.name);
  }
  Value record = TypeOnly("object").Set("properties", std::move(properties));
  if (!required.list().empty()) record.Set("required", std::move(required));
  record.Set("additionalProperties", schema.unknown_fields == data::UnknownFields::kIgnore);
  if (schema.rules.empty()) return record;
  std::string rules = "Also, where the columns are given:";
  for (const auto& rule : schema.rules) {
    rules += "\n- `" + rule.check + "`" + (rule.message.empty() ? "" : ": " + rule.message);
  }
  return record.Set("description", std::move(rules));
}

Value PredictionSchema(const std::vector<data::Field>& fields) {
  Value properties = Value::Map();
  Value required = Value::List();
  for (const auto& field : fields) {
    properties.Set(field.name, AnyOf(OutputSchema(field), TypeOnly("null")));
    required.Add(field.name);
  }
  return TypeOnly("object")
      .Set("properties", std::move(properties))
      .Set("required", std::move(required))
      .Set("additionalProperties", false);
}

}  // namespace slipway::serving::openapi
