#pragma once
// Violation: one reason why one row cannot be taken as it is. Decoders report those of form (wrong type, unknown
// field), schema::Validator those of content. The codes and their words are the same behind every door.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/value.h"

namespace slipway::data {

enum class ViolationCode : uint8_t {
  kMissing,         ///< schema.missing: the field is absent and not optional
  kNull,            ///< schema.null
  kWrongType,       ///< schema.wrong_type
  kOutOfRange,      ///< schema.out_of_range
  kNotInSet,        ///< schema.not_in_set
  kPattern,         ///< schema.pattern
  kLength,          ///< schema.length
  kNotFinite,       ///< schema.not_finite: NaN or an infinity
  kRule,            ///< schema.rule: a cross-field rule does not hold
  kUnknownField,    ///< schema.unknown_field
  kShape,           ///< schema.shape: a tensor of another shape
  kDuplicateField,  ///< schema.duplicate_field
  kMalformed,       ///< schema.malformed: the row itself cannot be read (broken JSON line, wrong number of CSV cells)
};

/// "schema.missing", …
std::string_view ViolationCodeName(ViolationCode code);

struct Violation {
  int64_t row = 0;  ///< row of the table
  int field = -1;   ///< index in the layout; -1 for the row as a whole or an unknown field
  ViolationCode code = ViolationCode::kMissing;
  std::string path;     ///< "distance", "pixels[3][7]", an unknown field's name; empty for the row
  base::Value value;    ///< the offending value, shortened; null when personal, absent or null
  std::string rule;     ///< the rule in the manifest's words: "min 10", "integer", "one of AA, AS, …"
  std::string message;  ///< one sentence with value, rule and a way out
};

/// {"field","code","value","rule","message"}, as every door shows it (value and rule left out when empty).
base::Value ToValue(const Violation& violation);

}  // namespace slipway::data
