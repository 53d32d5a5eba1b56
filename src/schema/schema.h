#pragma once
// Schema: what a bundle accepts. Each column has a type and rules; a record that breaks one is rejected, repaired or
// only reported, as the column's policy says. docs/manifest.md describes every key.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/value.h"
#include "data/layout.h"
#include "data/type.h"

namespace slipway::schema {

/// What to do with a value that breaks a rule (`on_violation`).
enum class Policy : uint8_t {
  kReject,  ///< the record is refused
  kClamp,   ///< a number outside its range becomes the bound; other faults reject
  kImpute,  ///< the value becomes the column's default or, without one, what fit learned
  kNull,    ///< the value becomes null
  kWarn,    ///< the record is scored and carries a warning; where the value has no usable form it becomes null
};

/// What to do with an absent or null value (`missing`).
enum class Missing : uint8_t {
  kReject,
  kNull,    ///< stays null (`nullable: true`)
  kImpute,  ///< as Policy::kImpute
};

/// What to do with a value outside `values` (`unknown`).
enum class UnknownValue : uint8_t {
  kViolation,  ///< schema.not_in_set, then on_violation decides
  kOther,      ///< becomes the text "other"
  kNull,
};

enum class Personal : uint8_t { kNo, kPersonal, kPseudonymize, kDrop };

struct ColumnRules {
  data::Field field;  ///< name, type, null_texts, zone, personal flag
  std::string description;
  std::string unit;
  bool optional = false;  ///< may be absent; then null
  Missing missing = Missing::kReject;
  Policy on_violation = Policy::kReject;
  bool allow_non_finite = false;
  std::optional<double> min, max;                  ///< numbers and elements of number tensors, inclusive
  std::optional<int64_t> min_integer, max_integer; ///< integers, exact past 2^53; timestamps in microseconds
  std::vector<base::Value> values;                 ///< allowed set: strings, integers, numbers or booleans; empty: any
  UnknownValue unknown = UnknownValue::kViolation;
  std::string pattern;                             ///< RE2, must match the whole text; empty: none
  std::optional<int64_t> min_length, max_length;   ///< in code points
  std::optional<base::Value> default_value;        ///< for imputing; of the column's type
  Personal personal = Personal::kNo;
  base::Position position;                         ///< in slipway.yaml
};

struct CrossFieldRule {
  std::string check;    ///< a boolean expression over the columns; null counts as "holds"
  std::string message;  ///< shown when it does not hold
  base::Position position;
};

/// The declarations. Plain data.
struct Schema {
  std::vector<ColumnRules> columns;
  std::vector<CrossFieldRule> rules;
  data::UnknownFields unknown_fields = data::UnknownFields::kReject;

  data::Layout MakeLayout() const;
};

/// Reads `inputs`, `rules` and `unknown_fields` of a manifest. Unknown keys name the nearest known one. Errors carry
/// "line:column" as `where`; reasons "manifest.…".
base::Result<Schema> ParseSchema(const base::Value& manifest);
/// The manifest's words for it (`inputs`, `rules`, `unknown_fields` of the map), with defaults left out.
base::Value ToValue(const Schema& schema);

}  // namespace slipway::schema
