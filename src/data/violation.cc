#include "data/violation.h"

#include <array>

namespace slipway::data {

std::string_view ViolationCodeName(ViolationCode code) {
  constexpr std::array<std::string_view, 13> kNames = {
      "schema.missing",    "schema.null",          "schema.wrong_type", "schema.out_of_range",
      "schema.not_in_set", "schema.pattern",       "schema.length",     "schema.not_finite",
      "schema.rule",       "schema.unknown_field", "schema.shape",      "schema.duplicate_field",
      "schema.malformed"};
  return kNames[static_cast<size_t>(code)];
}

base::Value ToValue(const Violation& violation) {
  base::Value map = base::Value::Map();
  map.Set("field", violation.path);
  map.Set("code", ViolationCodeName(violation.code));
  if (!violation.value.is_null()) map.Set("value", violation.value);
  if (!violation.rule.empty()) map.Set("rule", violation.rule);
  map.Set("message", violation.message);
  return map;
}

}  // namespace slipway::data
