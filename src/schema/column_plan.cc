#include "schema/column_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include "schema/contradiction.h"

namespace slipway::schema {
namespace {

using data::ScalarType;

std::unexpected<base::Error> Contradiction(std::string message, const base::Position& position) {
  return base::Fail(base::Code::kInvalidArgument, "manifest.contradiction", std::move(message), Where(position));
}

/// The manifest's key for a fault.
std::string_view KeyOf(Faults faults) {
  if (faults & kBelow) return "min";
  if (faults & kAbove) return "max";
  if (faults & kOutside) return "values";
  if (faults & kUnmatched) return "pattern";
  if (faults & kTooShort) return "min_length";
  if (faults & kTooLong) return "max_length";
  return "allow_non_finite";
}

}  // namespace

int64_t CodePoints(std::string_view text) {
  int64_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return count;
}

base::Result<ColumnPlan> ColumnPlan::Compile(const ColumnRules& rules, const PositionOf& position_of,
                                             const base::Value* learned) {
  SLIPWAY_TRY(CheckContradictions(rules, position_of));
  ColumnPlan plan;
  plan.rules_ = rules;
  plan.rules_.field.personal = rules.personal != Personal::kNo || rules.field.personal;
  if (rules.allow_non_finite) {
    plan.min_ = -std::numeric_limits<double>::infinity();
    plan.max_ = std::numeric_limits<double>::infinity();
  }
  if (rules.min) plan.min_ = *rules.min;
  if (rules.max) plan.max_ = *rules.max;
  if (rules.min_integer) plan.min_integer_ = *rules.min_integer;
  if (rules.max_integer) plan.max_integer_ = *rules.max_integer;
  if (rules.min_length) plan.min_length_ = *rules.min_length;
  if (rules.max_length) plan.max_length_ = *rules.max_length;
  if (!rules.pattern.empty()) {
    auto pattern = TextPattern::Compile(rules.pattern);
    if (!pattern) {
      pattern.error().where = Where(position_of("pattern"));
      return std::unexpected(std::move(pattern).error());
    }
    plan.pattern_ = std::move(*pattern);
  }
  SLIPWAY_TRY(plan.CompileValues(position_of));
  plan.content_ = plan.ChooseContent();
  SLIPWAY_TRY(plan.CompileReplacement(position_of, learned));
  return plan;
}

base::Result<void> ColumnPlan::CompileValues(const PositionOf& position_of) {
  std::vector<std::string> texts;
  std::vector<Literal> literals;
  for (const auto& value : rules_.values) {
    SLIPWAY_ASSIGN(Literal literal,
                   ReadLiteral(value, rules_.field, fmt::format("an allowed value of {}", rules_.field.name)));
    if (const Faults faults = std::isnan(literal.number) ? Faults{kNotFinite} : Judge(literal)) {
      return Contradiction(fmt::format("the allowed value {} of {} breaks its own rule {}: remove one of them",
                                       ValueText(value), rules_.field.name, KeyOf(faults)),
                           value.position().line > 0 ? value.position() : position_of("values"));
    }
    literals.push_back(std::move(literal));
  }
  for (auto& literal : literals) {
    switch (rules_.field.type.scalar) {
      case ScalarType::kBoolean:
        booleans_ |= literal.boolean ? 2 : 1;
        break;
      case ScalarType::kNumber:
        numbers_.push_back(literal.number);
        break;
      case ScalarType::kString:
        texts.push_back(std::move(literal.text));
        break;
      default:
        integers_.push_back(literal.integer);
    }
  }
  has_set_ = !literals.empty();
  texts_ = TextSet(texts);
  std::ranges::sort(integers_);
  std::ranges::sort(numbers_);
  const auto repeated_text = [&] {
    std::ranges::sort(texts);
    return std::ranges::adjacent_find(texts) != texts.end();
  };
  const bool repeated_boolean = rules_.field.type.scalar == ScalarType::kBoolean &&
                                literals.size() != static_cast<size_t>(std::popcount(booleans_));
  if (repeated_boolean || repeated_text() || std::ranges::adjacent_find(integers_) != integers_.end() ||
      std::ranges::adjacent_find(numbers_) != numbers_.end()) {
    return Contradiction(fmt::format("values of {} lists a value twice: write each once", rules_.field.name),
                         position_of("values"));
  }
  return {};
}

base::Result<void> ColumnPlan::CompileReplacement(const PositionOf& position_of, const base::Value* learned) {
  const base::Value* value = rules_.default_value ? &*rules_.default_value : learned;
  if (!value) return {};
  const std::string what =
      fmt::format("the {} of {}", rules_.default_value ? "default" : "fitted value", rules_.field.name);
  SLIPWAY_ASSIGN(replacement_, ReadLiteral(*value, rules_.field, what));
  has_replacement_ = true;
  Faults faults = Judge(replacement_);
  if (rules_.unknown == UnknownValue::kOther && replacement_.text == "other") faults &= static_cast<Faults>(~kOutside);
  if (faults == 0) return {};
  return Contradiction(fmt::format("{} is {}, which breaks the column's own rule {}: change one of them", what,
                                   ValueText(*value), KeyOf(faults)),
                       position_of("default"));
}

Content ColumnPlan::ChooseContent() const {
  switch (rules_.field.type.scalar) {
    case ScalarType::kBoolean:
      return has_set_ ? Content::kBooleans : Content::kNothing;
    case ScalarType::kInteger:
    case ScalarType::kTimestamp:
      return has_set_ || rules_.min_integer || rules_.max_integer ? Content::kIntegers : Content::kNothing;
    case ScalarType::kNumber:
      return has_set_ || rules_.min || rules_.max || !rules_.allow_non_finite ? Content::kNumbers : Content::kNothing;
    case ScalarType::kString:
      return has_set_ || pattern_ || rules_.min_length || rules_.max_length ? Content::kTexts : Content::kNothing;
  }
  return Content::kNothing;
}

bool ColumnPlan::AllFine(const double* values, int64_t count) const {
  const double min = min_;
  const double max = max_;
  bool fine = !has_set_;
  if (rules_.allow_non_finite) {
    for (int64_t i = 0; i < count; ++i) fine &= !(values[i] < min) & !(values[i] > max);
  } else {
    for (int64_t i = 0; i < count; ++i) fine &= (values[i] >= min) & (values[i] <= max);
  }
  return fine;
}

bool ColumnPlan::AllFine(const int64_t* values, int64_t count) const {
  const int64_t min = min_integer_;
  const int64_t max = max_integer_;
  bool fine = !has_set_;
  for (int64_t i = 0; i < count; ++i) fine &= (values[i] >= min) & (values[i] <= max);
  return fine;
}

Faults ColumnPlan::Judge(bool value) const {
  return has_set_ && !(booleans_ & (value ? 2 : 1)) ? kOutside : 0;
}

Faults ColumnPlan::Judge(int64_t value) const {
  Faults faults = 0;
  if (value < min_integer_) faults |= kBelow;
  if (value > max_integer_) faults |= kAbove;
  if (has_set_ && !std::ranges::binary_search(integers_, value)) faults |= kOutside;
  return faults;
}

Faults ColumnPlan::Judge(double value) const {
  if (!std::isfinite(value) && !rules_.allow_non_finite) return kNotFinite;
  Faults faults = 0;
  if (value < min_) faults |= kBelow;
  if (value > max_) faults |= kAbove;
  if (has_set_ && (std::isnan(value) || !std::ranges::binary_search(numbers_, value))) faults |= kOutside;
  return faults;
}

Faults ColumnPlan::Judge(std::string_view value) const {
  Faults faults = 0;
  if (has_set_ && !texts_.Contains(value)) faults |= kOutside;
  // A text of n bytes has between n/4 and n code points; most need no counting.
  const auto bytes = static_cast<int64_t>(value.size());
  if (bytes > max_length_ || (bytes + 3) / 4 < min_length_) {
    const int64_t length = CodePoints(value);
    if (length < min_length_) faults |= kTooShort;
    if (length > max_length_) faults |= kTooLong;
  }
  if (pattern_ && !pattern_->Matches(value)) faults |= kUnmatched;
  return faults;
}

Faults ColumnPlan::Judge(const Literal& literal) const {
  switch (rules_.field.type.scalar) {
    case ScalarType::kBoolean:
      return Judge(literal.boolean);
    case ScalarType::kNumber:
      return Judge(literal.number);
    case ScalarType::kString:
      return Judge(std::string_view(literal.text));
    default:
      return Judge(literal.integer);
  }
}

}  // namespace slipway::schema
