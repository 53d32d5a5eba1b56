#include "schema/schema.h"

#include <fmt/format.h>

#include "schema/literal.h"

namespace slipway::schema {
namespace {

std::string_view PolicyName(Policy policy) {
  switch (policy) {
    case Policy::kReject:
      return "reject";
    case Policy::kClamp:
      return "clamp";
    case Policy::kImpute:
      return "impute";
    case Policy::kNull:
      return "null";
    case Policy::kWarn:
      return "warn";
  }
  return "reject";
}

std::string_view MissingName(Missing missing) {
  return missing == Missing::kNull ? "null" : missing == Missing::kImpute ? "impute" : "reject";
}

base::Value PersonalValue(Personal personal) {
  if (personal == Personal::kPseudonymize) return "pseudonymize";
  if (personal == Personal::kDrop) return "drop";
  return personal == Personal::kPersonal;
}

std::string ZoneText(int minutes) {
  const int distance = minutes < 0 ? -minutes : minutes;
  return fmt::format("{}{:02}:{:02}", minutes < 0 ? '-' : '+', distance / 60, distance % 60);
}

void SetPresence(const ColumnRules& column, base::Value& map) {
  const bool lenient = column.missing != Missing::kReject;
  if (lenient) map.Set("missing", MissingName(column.missing));
  if (!lenient && column.optional) map.Set("optional", true).Set("missing", "reject");
  if (lenient && column.must_be_present) map.Set("optional", false);
}

void SetBounds(const ColumnRules& column, base::Value& map) {
  const bool timestamp = column.field.type.scalar == data::ScalarType::kTimestamp;
  const auto set_integer = [&](const char* key, const std::optional<int64_t>& bound) {
    if (bound) map.Set(key, timestamp ? base::Value(TimestampText(*bound)) : base::Value(*bound));
  };
  if (column.min) map.Set("min", *column.min);
  set_integer("min", column.min_integer);
  if (column.max) map.Set("max", *column.max);
  set_integer("max", column.max_integer);
}

base::Value ColumnValue(const ColumnRules& column) {
  base::Value map = base::Value::Map();
  map.Set("type", column.field.type.ToString());
  if (!column.description.empty()) map.Set("description", column.description);
  if (!column.unit.empty()) map.Set("unit", column.unit);
  SetPresence(column, map);
  if (column.default_value) map.Set("default", *column.default_value);
  if (column.on_violation != Policy::kReject) map.Set("on_violation", PolicyName(column.on_violation));
  SetBounds(column, map);
  if (!column.values.empty()) map.Set("values", base::ValueList(column.values));
  if (column.unknown != UnknownValue::kViolation) {
    map.Set("unknown", column.unknown == UnknownValue::kOther ? "other" : "null");
  }
  if (!column.pattern.empty()) map.Set("pattern", column.pattern);
  if (column.min_length && column.min_length == column.max_length) {
    map.Set("length", *column.min_length);
  } else {
    if (column.min_length) map.Set("min_length", *column.min_length);
    if (column.max_length) map.Set("max_length", *column.max_length);
  }
  if (column.allow_non_finite) map.Set("allow_non_finite", true);
  if (column.personal != Personal::kNo) map.Set("personal", PersonalValue(column.personal));
  if (column.field.zone_minutes != 0) map.Set("zone", ZoneText(column.field.zone_minutes));
  if (!column.field.null_texts.empty()) {
    base::Value texts = base::Value::List();
    for (const auto& text : column.field.null_texts) texts.Add(text);
    map.Set("null_values", std::move(texts));
  }
  return map;
}

}  // namespace

std::string Where(const base::Position& position) {
  return position.line > 0 ? fmt::format("{}:{}", position.line, position.column) : std::string();
}

data::Layout Schema::MakeLayout() const {
  std::vector<data::Field> fields;
  fields.reserve(columns.size());
  for (const auto& column : columns) fields.push_back(column.field);
  return data::Layout(std::move(fields), unknown_fields);
}

base::Value ToValue(const Schema& schema) {
  base::ValueMap inputs;
  inputs.reserve(schema.columns.size());
  for (const auto& column : schema.columns) inputs.emplace_back(column.field.name, ColumnValue(column));
  base::Value map = base::Value::Map();
  map.Set("inputs", std::move(inputs));
  if (!schema.rules.empty()) {
    base::Value rules = base::Value::List();
    for (const auto& rule : schema.rules) {
      base::Value entry = base::Value::Map();
      entry.Set("check", rule.check);
      if (!rule.message.empty()) entry.Set("message", rule.message);
      rules.Add(std::move(entry));
    }
    map.Set("rules", std::move(rules));
  }
  if (schema.unknown_fields == data::UnknownFields::kIgnore) map.Set("unknown_fields", "ignore");
  return map;
}

Schema WithoutImputing(Schema schema) {
  for (auto& column : schema.columns) {
    if (column.missing == Missing::kImpute) column.missing = Missing::kNull;
    if (column.on_violation == Policy::kImpute) column.on_violation = Policy::kNull;
    column.default_value.reset();
  }
  return schema;
}

std::vector<int> ColumnsToLearn(const Schema& schema) {
  std::vector<int> columns;
  for (size_t i = 0; i < schema.columns.size(); ++i) {
    const auto& column = schema.columns[i];
    const bool imputes = column.missing == Missing::kImpute || column.on_violation == Policy::kImpute;
    if (imputes && !column.default_value) columns.push_back(static_cast<int>(i));
  }
  return columns;
}

}  // namespace slipway::schema
