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

/// Bounds on a schema; a manifest past one is refused ("manifest.limit").
inline constexpr int64_t kMaxColumns = 16384;
inline constexpr int64_t kMaxValues = 65536;  ///< in one column's `values`
inline constexpr int64_t kMaxRules = 1024;
inline constexpr int64_t kMaxNullValues = 256;  ///< in one column's `null_values`
inline constexpr int64_t kMaxRank = 8;
inline constexpr int64_t kMaxElements = 1 << 24;  ///< of one row of a tensor
inline constexpr size_t kMaxNameBytes = 256;
inline constexpr size_t kMaxPatternBytes = 4096;
inline constexpr size_t kMaxTextBytes = 65536;  ///< of a description, message, allowed value or default

/// What to do with a value that breaks a rule (`on_violation`). A field given twice is always refused.
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
  bool optional = false;         ///< may be absent even where `missing` rejects nulls; then null
  bool must_be_present = false;  ///< `optional: false` beside `missing: null` or `impute`: those concern nulls only
  Missing missing = Missing::kReject;
  Policy on_violation = Policy::kReject;
  bool allow_non_finite = false;                    ///< NaN passes the range, an infinity must still be inside it
  std::optional<double> min, max;                   ///< numbers and elements of number tensors, inclusive
  std::optional<int64_t> min_integer, max_integer;  ///< integers, exact past 2^53; timestamps in microseconds
  std::vector<base::Value> values;                  ///< allowed set: strings, integers, numbers or booleans; empty: any
  UnknownValue unknown = UnknownValue::kViolation;
  std::string pattern;                            ///< RE2, must match the whole text; empty: none
  std::optional<int64_t> min_length, max_length;  ///< in code points
  std::optional<base::Value> default_value;       ///< for imputing; of the column's type, a timestamp as ISO text
  Personal personal = Personal::kNo;
  base::Position position;  ///< in slipway.yaml

  /// Whether a record without the field can pass.
  bool may_be_absent() const { return optional || (missing != Missing::kReject && !must_be_present); }
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

/// Reads `inputs`, `rules` and `unknown_fields` of a manifest; other top-level keys are not looked at. What is not
/// written has the defaults of the structs above, except that `optional: true` alone means `missing: null`, and a
/// default with nothing else that uses it means `missing: impute`. Errors carry "line:column" as `where` and name the
/// nearest known key; reasons: "manifest.unknown_key", "manifest.missing_key", "manifest.type", "manifest.value",
/// "manifest.contradiction", "manifest.limit". Rules are compiled by Validator::Create.
base::Result<Schema> ParseSchema(const base::Value& manifest);

/// The manifest's words for it (`inputs`, `rules`, `unknown_fields` of the map), with defaults left out. ParseSchema
/// reads back the same schema, but for positions.
base::Value ToValue(const Schema& schema);

/// The schema by which fit reads training data: what a fitted bundle imputes stays null, so that it can be learned from
/// the other rows.
Schema WithoutImputing(Schema schema);

/// Columns whose imputing needs a value from fit, because they have no default.
std::vector<int> ColumnsToLearn(const Schema& schema);

/// "12:5", or nothing when the position is unknown.
std::string Where(const base::Position& position);

}  // namespace slipway::schema
