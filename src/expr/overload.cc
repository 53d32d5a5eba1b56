#include "expr/overload.h"

#include <fmt/core.h>

#include <algorithm>
#include <vector>

namespace slipway::expr {
namespace {

using data::ScalarType;

struct Signature {
  std::string_view parameters;
  bool repeats = false;
  char result = 'n';

  explicit Signature(std::string_view text) {
    const size_t colon = text.find(':');
    parameters = text.substr(0, colon);
    result = text[colon + 1];
    if (parameters.ends_with('+')) {
      repeats = true;
      parameters.remove_suffix(1);
    }
  }
  bool Takes(size_t count) const { return repeats ? count >= parameters.size() : count == parameters.size(); }
  char Letter(size_t index) const { return parameters[std::min(index, parameters.size() - 1)]; }
};

bool WantsConstant(char letter) {
  return letter >= 'A' && letter <= 'Z';
}

ScalarType TypeOf(char letter) {
  switch (letter | 0x20) {
    case 'b':
      return ScalarType::kBoolean;
    case 'i':
      return ScalarType::kInteger;
    case 's':
      return ScalarType::kString;
    case 't':
      return ScalarType::kTimestamp;
    default:
      return ScalarType::kNumber;
  }
}

constexpr int kNoFit = -1;

// 0: as it is; 1: after promotion.
int Cost(char letter, const ValueType& type) {
  if (WantsConstant(letter) && !type.constant) return kNoFit;
  if (type.untyped || type.scalar == TypeOf(letter)) return 0;
  return TypeOf(letter) == ScalarType::kNumber && type.scalar == ScalarType::kInteger ? 1 : kNoFit;
}

int Cost(const Signature& signature, std::span<const ValueType> args) {
  int sum = 0;
  for (size_t i = 0; i < args.size(); ++i) {
    const int cost = Cost(signature.Letter(i), args[i]);
    if (cost == kNoFit) return kNoFit;
    sum += cost;
  }
  return sum;
}

bool IsOperator(const Function& function) {
  const char first = function.name.front();
  return !(first >= 'a' && first <= 'z') || function.name.starts_with("unary") || function.name == "and" ||
         function.name == "or" || function.name == "not";
}

std::string ShownName(const Function& function) {
  if (function.name.starts_with("unary ")) return fmt::format("\"{}\"", function.name.substr(6));
  return IsOperator(function) ? fmt::format("\"{}\"", function.name) : std::string(function.name);
}

std::string Listed(const std::vector<std::string>& items) {
  std::string out;
  for (size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out += i + 1 == items.size() ? " or " : ", ";
    out += items[i];
  }
  return out;
}

std::string Shown(const Signature& signature) {
  std::string out = "(";
  for (size_t i = 0; i < signature.parameters.size(); ++i) {
    if (i > 0) out += ", ";
    if (WantsConstant(signature.parameters[i])) out += "constant ";
    out += data::ScalarTypeName(TypeOf(signature.parameters[i]));
  }
  return out + (signature.repeats ? ", …)" : ")");
}

std::string Shown(std::span<const ValueType> args) {
  std::string out = "(";
  for (size_t i = 0; i < args.size(); ++i) {
    if (i > 0) out += ", ";
    out += TypeName(args[i]);
  }
  return out + ")";
}

Choice WrongCount(const Function& function, size_t given) {
  std::vector<std::string> counts;
  bool plural = true;
  for (const Overload& overload : function.overloads) {
    const Signature signature(overload.signature);
    const size_t count = signature.parameters.size();
    std::string shown = signature.repeats ? fmt::format("at least {}", count) : fmt::format("{}", count);
    if (std::find(counts.begin(), counts.end(), shown) == counts.end()) counts.push_back(std::move(shown));
    plural = count != 1;
  }
  return {nullptr,
          fmt::format("{} takes {} argument{}, not {}", ShownName(function), Listed(counts), plural ? "s" : "", given),
          -1};
}

std::string Hint(const Function& function, std::span<const ValueType> args) {
  const auto any = [&](ScalarType type) {
    return std::any_of(args.begin(), args.end(),
                       [&](const ValueType& arg) { return !arg.untyped && arg.scalar == type; });
  };
  const std::string_view name = function.name;
  const bool numeric = any(ScalarType::kNumber) || any(ScalarType::kInteger);
  const auto is = [&](auto... names) { return ((name == names) || ...); };
  if (is("and", "or", "not")) return "; compare first, e.g. x != 0";
  if (is("if", "coalesce", "min", "max")) {
    if (name == "if" && args.size() == 3 && args[0].scalar != ScalarType::kBoolean && !args[0].untyped) {
      return "; the condition must be boolean: compare first, e.g. x != 0";
    }
    return "; all choices must have one type: convert with to_number, to_integer or to_string";
  }
  if (any(ScalarType::kTimestamp) && any(ScalarType::kString)) {
    return "; write timestamp(\"2013-07-04T08:15:00Z\") for a point in time";
  }
  if (is("+", "-") && any(ScalarType::kTimestamp)) {
    return "; add_seconds, add_minutes, add_hours and add_days move a timestamp";
  }
  if (any(ScalarType::kBoolean) && (numeric || is("+", "-", "*", "/", "//", "%", "**", "unary -", "unary +"))) {
    return "; to_integer makes 0 or 1 of a boolean";
  }
  if (name == "+" && any(ScalarType::kString)) return "; to_string makes text of a value, to_number a number of text";
  if (IsOperator(function) && any(ScalarType::kString) && numeric) return "; to_number reads a number from text";
  return "";
}

}  // namespace

std::string_view TypeName(const ValueType& type) {
  return type.untyped ? "null" : data::ScalarTypeName(type.scalar);
}

Choice Resolve(const Function& function, std::span<const ValueType> args) {
  const Overload* best = nullptr;
  int best_cost = 0;
  int ties = 0;
  std::vector<const Overload*> right_count;
  for (const Overload& overload : function.overloads) {
    const Signature signature(overload.signature);
    if (!signature.Takes(args.size())) continue;
    right_count.push_back(&overload);
    const int cost = Cost(signature, args);
    if (cost == kNoFit) continue;
    if (best == nullptr || cost < best_cost) {
      best = &overload;
      best_cost = cost;
      ties = 0;
    } else if (cost == best_cost) {
      ++ties;
    }
  }
  if (best != nullptr && ties == 0) return {best, {}, -1};
  if (best != nullptr) {  // only nulls leave a choice
    return {nullptr, fmt::format("null has no type of its own, so {} cannot tell what is meant", ShownName(function)),
            -1};
  }
  if (right_count.empty()) return WrongCount(function, args.size());

  int argument = -1;
  if (right_count.size() == 1 && !IsOperator(function)) {
    const Signature signature(right_count.front()->signature);
    for (size_t i = args.size(); i-- > 0;) {
      if (Cost(signature.Letter(i), args[i]) == kNoFit) argument = static_cast<int>(i);
    }
    const char letter = signature.Letter(static_cast<size_t>(argument));
    const ValueType& found = args[static_cast<size_t>(argument)];
    if (WantsConstant(letter) && !found.untyped && found.scalar == TypeOf(letter)) {
      return {nullptr, fmt::format("argument {} of {} must be a constant", argument + 1, function.name), argument};
    }
  }
  std::vector<std::string> shown;
  for (const Overload* overload : right_count) shown.push_back(Shown(Signature(overload->signature)));
  return {nullptr,
          fmt::format("{} takes {}, not {}{}", ShownName(function), Listed(shown), Shown(args), Hint(function, args)),
          argument};
}

ScalarType ParameterType(const Overload& overload, size_t index) {
  return TypeOf(Signature(overload.signature).Letter(index));
}

ScalarType ResultType(const Overload& overload) {
  return TypeOf(Signature(overload.signature).result);
}

}  // namespace slipway::expr
