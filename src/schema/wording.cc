#include "schema/wording.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace slipway::schema {
namespace {

constexpr size_t kShownValues = 10;
constexpr size_t kComparedValues =
    128;  // Larger sets get no "did you mean": the search would cost more than the record.
constexpr size_t kShownText = 64;

std::string MemberText(const base::Value& value) {
  if (value.is_string()) return base::Shorten(value.string(), kShownText);
  return ValueText(value);
}

std::string SetText(const ColumnRules& rules) {
  std::string text;
  const size_t shown = std::min(rules.values.size(), kShownValues);
  for (size_t i = 0; i < shown; ++i) text += (i ? ", " : "") + MemberText(rules.values[i]);
  if (shown < rules.values.size()) text += fmt::format(", … ({} values)", rules.values.size());
  return text;
}

std::string Suggestion(const ColumnRules& rules, const base::Value& value) {
  if (!value.is_string() || value.string().size() > kShownText || rules.values.size() > kComparedValues) return {};
  std::vector<std::string> candidates;
  for (const auto& member : rules.values) candidates.push_back(member.is_string() ? member.string() : std::string());
  return base::DidYouMean(value.string(), candidates);
}

std::string BoundText(const ColumnRules& rules, bool lower) {
  const auto& number = lower ? rules.min : rules.max;
  const auto& integer = lower ? rules.min_integer : rules.max_integer;
  if (number) return NumberText(*number);
  if (!integer) return {};
  return rules.field.type.scalar == data::ScalarType::kTimestamp ? TimestampText(*integer) : std::to_string(*integer);
}

/// "from 10 to 6000", "10 or more", "6000 or less".
std::string RangeText(const ColumnRules& rules) {
  const std::string min = BoundText(rules, true);
  const std::string max = BoundText(rules, false);
  if (!min.empty() && !max.empty()) return fmt::format("from {} to {}", min, max);
  return min.empty() ? max + " or less" : min + " or more";
}

std::string LengthText(const ColumnRules& rules) {
  if (!rules.max_length) return fmt::format("{} or more", *rules.min_length);
  if (!rules.min_length) return fmt::format("at most {}", *rules.max_length);
  if (rules.min_length == rules.max_length) return std::to_string(*rules.min_length);
  return fmt::format("{} to {}", *rules.min_length, *rules.max_length);
}

std::string LengthRule(const ColumnRules& rules) {
  if (!rules.max_length) return fmt::format("min_length {}", *rules.min_length);
  if (!rules.min_length) return fmt::format("max_length {}", *rules.max_length);
  if (rules.min_length == rules.max_length) return fmt::format("length {}", *rules.min_length);
  return fmt::format("length {}..{}", *rules.min_length, *rules.max_length);
}

std::string WithUnit(const std::string& text, const ColumnRules& rules) {
  return rules.unit.empty() ? text : text + ' ' + rules.unit;
}

/// "a number in mi", "an integer", "a timestamp like …": what to send.
std::string WantedText(const ColumnRules& rules) {
  const std::string type = rules.field.type.ToString();
  const std::string article = type.starts_with('i') ? "an " : "a ";
  if (!rules.values.empty()) return "one of " + SetText(rules);
  if (rules.field.type.scalar == data::ScalarType::kTimestamp) return article + type + " like 2013-07-04T08:15:00Z";
  return article + type + (rules.unit.empty() ? "" : " in " + rules.unit);
}

struct Words {
  std::string rule;
  std::string fault;   ///< continues "distance is -5"
  std::string advice;  ///< "send …"
};

Words WordsOf(const ColumnRules& rules, Fault fault, const base::Value& value) {
  const bool length_fault = fault == kTooShort || fault == kTooLong;
  switch (fault) {
    case kBelow:
      return {"min " + BoundText(rules, true), "below the minimum " + WithUnit(BoundText(rules, true), rules),
              "send a value " + RangeText(rules)};
    case kAbove:
      return {"max " + BoundText(rules, false), "above the maximum " + WithUnit(BoundText(rules, false), rules),
              "send a value " + RangeText(rules)};
    case kOutside:
      return {"one of " + SetText(rules), "not an allowed value" + Suggestion(rules, value),
              "send one of " + SetText(rules)};
    case kUnmatched:
      return {"pattern " + base::Shorten(rules.pattern, 128), "not of the form " + base::Shorten(rules.pattern, 128),
              "send a text that matches the whole pattern"};
    case kNotFinite:
      return {"finite", "not finite",
              rules.missing == Missing::kReject ? "send a finite number" : "send a finite number, or null"};
    default:
      break;
  }
  if (!length_fault) return {};
  return {LengthRule(rules), fault == kTooShort ? "too short" : "too long",
          fmt::format("send {} characters", LengthText(rules))};
}

}  // namespace

data::ViolationCode CodeOf(Fault fault) {
  switch (fault) {
    case kBelow:
    case kAbove:
      return data::ViolationCode::kOutOfRange;
    case kOutside:
      return data::ViolationCode::kNotInSet;
    case kUnmatched:
      return data::ViolationCode::kPattern;
    case kNotFinite:
      return data::ViolationCode::kNotFinite;
    default:
      return data::ViolationCode::kLength;
  }
}

std::string_view OutcomeWords(Outcome outcome) {
  switch (outcome) {
    case Outcome::kRejected:
      return "";
    case Outcome::kKept:
      return "; kept as it is";
    case Outcome::kToMin:
      return "; raised to the minimum";
    case Outcome::kToMax:
      return "; lowered to the maximum";
    case Outcome::kImputed:
      return "; replaced by the column's default";
    case Outcome::kNull:
      return "; taken as null";
    case Outcome::kOther:
      return "; taken as \"other\"";
  }
  return "";
}

data::Violation DescribeFault(const ColumnPlan& column, Fault fault, std::string path, base::Value value,
                              Outcome outcome) {
  const ColumnRules& rules = column.rules();
  const bool personal = rules.field.personal;
  if (personal) value = {};
  Words words = WordsOf(rules, fault, outcome == Outcome::kRejected ? value : base::Value());
  if (!personal && (fault == kTooShort || fault == kTooLong)) {
    const int64_t length = CodePoints(value.string());
    words.fault = fmt::format("{} character{} long, {}", length, length == 1 ? "" : "s", words.fault);
  }
  if (value.is_string()) value = base::Shorten(value.string(), kShownText);
  std::string message = personal ? fmt::format("{} is {}", path, words.fault)
                                 : fmt::format("{} is {}, {}", path, ValueText(value), words.fault);
  if (outcome == Outcome::kRejected) {
    message += "; " + words.advice;
  } else {
    message += OutcomeWords(outcome);
  }
  data::Violation violation;
  violation.code = CodeOf(fault);
  violation.path = std::move(path);
  violation.value = std::move(value);
  violation.rule = std::move(words.rule);
  violation.message = std::move(message);
  return violation;
}

data::Violation DescribeMissing(const ColumnPlan& column, bool absent) {
  const ColumnRules& rules = column.rules();
  data::Violation violation;
  violation.code = absent ? data::ViolationCode::kMissing : data::ViolationCode::kNull;
  violation.path = rules.field.name;
  violation.rule = absent ? "required" : "not null";
  const bool null_would_do = absent && rules.missing != Missing::kReject;
  violation.message = fmt::format("{} is {}; send {}{}", rules.field.name, absent ? "missing" : "null",
                                  WantedText(rules), null_would_do ? ", or null" : "");
  return violation;
}

data::Violation DescribeRule(const CrossFieldRule& rule) {
  data::Violation violation;
  violation.code = data::ViolationCode::kRule;
  violation.rule = base::Shorten(rule.check, 256);
  violation.message = rule.message.empty()
                          ? fmt::format("the rule {} does not hold; correct the fields it names", violation.rule)
                          : rule.message;
  return violation;
}

}  // namespace slipway::schema
