#pragma once
// ColumnPlan: one column's rules, compiled. It judges single values; going over rows and applying policies is the
// Validator's part.

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/value.h"
#include "data/violation.h"
#include "schema/literal.h"
#include "schema/schema.h"
#include "schema/text_pattern.h"
#include "schema/text_set.h"

namespace slipway::schema {

/// What is wrong with one value; several may be.
enum Fault : uint8_t {
  kBelow = 1,
  kAbove = 2,
  kOutside = 4,  ///< not in the set
  kUnmatched = 8,
  kTooShort = 16,
  kTooLong = 32,
  kNotFinite = 64,
};
using Faults = uint8_t;

/// How the fast pass looks at a column; everything but kNothing is then judged value by value where that pass fails.
enum class Content : uint8_t { kNothing, kBooleans, kIntegers, kNumbers, kTexts };

/// Immutable.
class ColumnPlan {
 public:
  /// Where a key of the column was written; nothing for an unknown key.
  using PositionOf = std::function<base::Position(std::string_view key)>;

  /// Checks that the rules make sense together and compiles them. `learned`: the value fit learned, or nullptr.
  /// Errors as ParseSchema's.
  static base::Result<ColumnPlan> Compile(const ColumnRules& rules, const PositionOf& position_of,
                                          const base::Value* learned);

  const ColumnRules& rules() const { return rules_; }
  Content content() const { return content_; }
  bool has_replacement() const { return has_replacement_; }
  const Literal& replacement() const { return replacement_; }  ///< for imputing

  /// Whether nulls and absent fields need no look at all.
  bool nulls_are_fine() const { return rules_.missing == Missing::kNull && rules_.may_be_absent(); }

  /// True when every value is fine; null rows hold zeros, which may make it false.
  bool AllFine(const double* values, int64_t count) const;
  bool AllFine(const int64_t* values, int64_t count) const;

  Faults Judge(bool value) const;
  Faults Judge(int64_t value) const;
  Faults Judge(double value) const;
  Faults Judge(std::string_view value) const;
  Faults Judge(const Literal& literal) const;

 private:
  base::Result<void> CompileValues(const PositionOf& position_of);
  base::Result<void> CompileReplacement(const PositionOf& position_of, const base::Value* learned);
  Content ChooseContent() const;

  ColumnRules rules_;
  Content content_ = Content::kNothing;
  bool has_set_ = false;
  double min_ = -std::numeric_limits<double>::max();
  double max_ = std::numeric_limits<double>::max();
  int64_t min_integer_ = std::numeric_limits<int64_t>::min();
  int64_t max_integer_ = std::numeric_limits<int64_t>::max();
  int64_t min_length_ = 0;
  int64_t max_length_ = std::numeric_limits<int64_t>::max();
  std::vector<int64_t> integers_;  ///< the allowed set, sorted
  std::vector<double> numbers_;
  Faults booleans_ = 0;  ///< bit 0: false is allowed, bit 1: true is
  TextSet texts_;
  std::optional<TextPattern> pattern_;
  bool has_replacement_ = false;
  Literal replacement_;
};

/// Number of code points of valid UTF-8.
int64_t CodePoints(std::string_view text);

}  // namespace slipway::schema
