#include "scoring/constant_answer.h"

#include <algorithm>
#include <optional>

#include "data/decoded.h"
#include "data/json_rows.h"
#include "data/layout.h"
#include "data/violation.h"
#include "schema/schema.h"

namespace slipway::scoring {

base::Result<data::Table> MakeConstantAnswer(const std::vector<data::Field>& fields, const base::Value& constant) {
  const data::Layout layout(fields);
  data::Decoded rows(layout);
  data::JsonRowDecoder(layout).DecodeLine(base::ToJson(constant), rows);
  if (rows.violations.empty()) return std::move(rows.table);
  const data::Violation& fault = rows.violations.front();
  return base::Fail(base::Code::kInvalidArgument, "manifest.fallback",
                    "the fallback's constant is no prediction of this model: " + fault.path + ": " + fault.message,
                    schema::Where(constant.position()));
}

namespace {

/// nullopt: of a value that is not plain.
std::optional<data::ScalarType> ScalarOf(const base::Value& value) {
  if (value.is_boolean()) return data::ScalarType::kBoolean;
  if (value.is_number() || value.is_null()) return data::ScalarType::kNumber;
  if (value.is_string()) return data::ScalarType::kString;
  return std::nullopt;
}

/// Adds those that are not there yet.
base::Result<void> AddFieldsOf(const base::Value& constant, std::vector<data::Field>& fields) {
  for (const auto& [name, value] : constant.map()) {
    if (std::ranges::find(fields, name, &data::Field::name) != fields.end()) continue;
    const auto scalar = ScalarOf(value);
    if (!scalar) {
      return base::Fail(base::Code::kNotFound, "manifest.fallback",
                        "the type of a field of the fallback's constant is known to the model only: " + name);
    }
    fields.push_back({.name = name, .type = {.scalar = *scalar, .shape = {}}, .labels = {}, .null_texts = {}});
  }
  return {};
}

}  // namespace

base::Result<std::vector<data::Field>> FieldsOfConstants(const bundle::Manifest& manifest) {
  if (!manifest.has_inputs) {
    return base::Fail(base::Code::kNotFound, "manifest.fallback",
                      "without `inputs:` only the model knows what it is asked");
  }
  std::vector<data::Field> fields;
  for (const auto& step : manifest.fallback) {
    if (step.kind == bundle::FallbackStep::Kind::kConstant) SLIPWAY_TRY(AddFieldsOf(step.constant, fields));
  }
  if (!fields.empty()) return fields;
  return base::Fail(base::Code::kNotFound, "manifest.fallback", "the fallback has no constant");
}

}  // namespace slipway::scoring
