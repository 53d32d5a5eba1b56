#include "features/step_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/text.h"

namespace slipway::features {
namespace {

using base::Code;
using base::Value;

std::string ShortJson(const Value& value) {
  return base::Shorten(base::ToJson(value), 48);
}

}  // namespace

std::string PlaceOf(const Value& value, std::string_view fallback) {
  const base::Position at = value.position();
  return at.line > 0 ? fmt::format("{}:{}", at.line, at.column) : std::string(fallback);
}

StepReader::StepReader(const Value& written, std::string_view kind, std::string where)
    : written_(written), kind_(kind), where_(std::move(where)), subject_(written.Find(kind)) {
  known_ = {"as", "hidden", kind_};
}

const Value* StepReader::Ask(std::string_view key) {
  if (std::ranges::find(known_, key) == known_.end()) known_.emplace_back(key);
  const Value* value = written_.Find(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

void StepReader::Reject(std::string_view key, std::string message) {
  if (error_) return;
  const Value* value = written_.Find(key);
  error_ = base::Error{Code::kInvalidArgument, "features.bad_parameter", std::move(message),
                       value == nullptr ? where_ : PlaceOf(*value, where_)};
}

void StepReader::RejectKind(std::string_view key, const Value& value, std::string_view wanted) {
  Reject(key, fmt::format("{}: `{}` is {}; write {}", kind_, key, ShortJson(value), wanted));
}

std::vector<std::string> StepReader::Inputs(size_t at_least, size_t at_most) {
  std::vector<std::string> names;
  const Value& subject = *subject_;
  if (subject.is_string()) {
    names.push_back(subject.string());
  } else if (subject.is_list()) {
    for (const Value& item : subject.list()) {
      if (!item.is_string()) {
        RejectKind(kind_, item, "the name of a column or of an earlier feature");
        return names;
      }
      names.push_back(item.string());
    }
  } else {
    RejectKind(kind_, subject, "the name of a column or of an earlier feature, or a list of names");
    return names;
  }
  if (names.size() < at_least || names.size() > at_most) {
    const std::string wanted = at_least == at_most ? fmt::format("{}", at_least)
                               : at_most >= 4096   ? fmt::format("{} or more", at_least)
                                                   : fmt::format("{} to {}", at_least, at_most);
    Reject(kind_, fmt::format("{}: {} inputs are given; this step takes {}", kind_, names.size(), wanted));
    names.resize(at_least);
  }
  return names;
}

double StepReader::Number(std::string_view key, double fallback) {
  return OptionalNumber(key).value_or(fallback);
}

std::optional<double> StepReader::OptionalNumber(std::string_view key) {
  const Value* value = Ask(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number() || !std::isfinite(value->number())) {
    RejectKind(key, *value, "a number");
    return std::nullopt;
  }
  return value->number();
}

double StepReader::NumberOrNan(std::string_view key, double fallback) {
  const Value* value = Ask(key);
  return value != nullptr && value->is_number() && std::isnan(value->number()) ? value->number()
                                                                               : Number(key, fallback);
}

double StepReader::NumberIn(std::string_view key, double fallback, double low, double high) {
  const double number = Number(key, fallback);
  if (!(number >= low && number <= high)) {
    Reject(key, fmt::format("{}: `{}` is {}; it must be between {} and {}", kind_, key, number, low, high));
    return fallback;
  }
  return number;
}

int64_t StepReader::Integer(std::string_view key, int64_t fallback, int64_t low, int64_t high) {
  const Value* value = Ask(key);
  if (value == nullptr) return fallback;
  if (!value->is_integer()) {
    RejectKind(key, *value, "a whole number");
    return fallback;
  }
  if (value->integer() < low || value->integer() > high) {
    Reject(key, fmt::format("{}: `{}` is {}; it must be between {} and {}", kind_, key, value->integer(), low, high));
    return fallback;
  }
  return value->integer();
}

bool StepReader::Boolean(std::string_view key, bool fallback) {
  const Value* value = Ask(key);
  if (value == nullptr) return fallback;
  if (!value->is_boolean()) {
    RejectKind(key, *value, "true or false");
    return fallback;
  }
  return value->boolean();
}

std::string StepReader::Text(std::string_view key, std::string_view fallback) {
  const Value* value = Ask(key);
  if (value == nullptr) return std::string(fallback);
  if (!value->is_string()) {
    RejectKind(key, *value, "a text");
    return std::string(fallback);
  }
  return value->string();
}

std::string StepReader::Choice(std::string_view key, std::initializer_list<std::string_view> choices) {
  const Value* value = Ask(key);
  std::string fallback(*choices.begin());
  if (value == nullptr) return fallback;
  if (value->is_string() && std::ranges::find(choices, std::string_view(value->string())) != choices.end()) {
    return value->string();
  }
  RejectKind(key, *value, fmt::format("one of {}", fmt::join(choices, ", ")));
  return fallback;
}

std::optional<std::vector<double>> StepReader::Numbers(std::string_view key) {
  const Value* value = Ask(key);
  if (value == nullptr) return std::nullopt;
  std::vector<double> numbers;
  if (value->is_list()) {
    for (const Value& item : value->list()) {
      if (item.is_number() && std::isfinite(item.number())) numbers.push_back(item.number());
    }
  }
  if (!value->is_list() || numbers.size() != value->list().size()) {
    RejectKind(key, *value, "a list of numbers");
    return std::nullopt;
  }
  return numbers;
}

std::optional<std::vector<std::string>> StepReader::Texts(std::string_view key) {
  const Value* value = Ask(key);
  if (value == nullptr) return std::nullopt;
  std::vector<std::string> texts;
  if (value->is_list()) {
    for (const Value& item : value->list()) {
      if (item.is_string()) texts.push_back(item.string());
    }
  }
  if (!value->is_list() || texts.size() != value->list().size()) {
    RejectKind(key, *value, "a list of texts");
    return std::nullopt;
  }
  return texts;
}

const Value* StepReader::Find(std::string_view key) {
  return Ask(key);
}

base::Result<void> StepReader::Finish() {
  if (!error_) {
    for (const auto& [key, value] : written_.map()) {
      if (std::ranges::find(known_, key) != known_.end()) continue;
      return base::Fail(
          Code::kInvalidArgument, "features.unknown_parameter",
          fmt::format("{} has no parameter `{}`{}", kind_, base::Shorten(key), base::DidYouMean(key, known_)),
          PlaceOf(value, where_));
    }
    return {};
  }
  return std::unexpected(*error_);
}

// ---- fitted.json
// -----------------------------------------------------------------------------------------------------

std::optional<double> LearnedNumber(const Value& value) {
  if (value.is_number()) return value.number();
  if (!value.is_string()) return std::nullopt;
  if (value.string() == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (value.string() == "Infinity") return std::numeric_limits<double>::infinity();
  if (value.string() == "-Infinity") return -std::numeric_limits<double>::infinity();
  return std::nullopt;
}

Value LearnedList(const std::vector<double>& values) {
  Value list = Value::List();
  for (const double value : values) list.Add(value);
  return list;
}

const Value* LearnedReader::Ask(std::string_view key) {
  const Value* value = entry_.Find(key);
  if (value == nullptr) Reject(key, "is missing");
  return value;
}

void LearnedReader::Reject(std::string_view key, std::string_view problem) {
  if (error_) return;
  error_ = base::Error{
      Code::kInvalidArgument, "features.bad_fit",
      fmt::format("what was fitted for `{}` cannot be used: `{}` {}; run slipway fit again", as_, key, problem),
      fmt::format("fitted.{}.{}", as_, key)};
}

double LearnedReader::Number(std::string_view key) {
  const Value* value = Ask(key);
  if (value == nullptr) return 0;
  const std::optional<double> number = LearnedNumber(*value);
  if (!number) Reject(key, "is not a number");
  return number.value_or(0);
}

int64_t LearnedReader::Integer(std::string_view key, int64_t low, int64_t high) {
  const Value* value = Ask(key);
  if (value == nullptr) return low;
  if (!value->is_integer() || value->integer() < low || value->integer() > high) {
    Reject(key, fmt::format("is not a whole number from {} to {}", low, high));
    return low;
  }
  return value->integer();
}

bool LearnedReader::Boolean(std::string_view key) {
  const Value* value = Ask(key);
  if (value == nullptr) return false;
  if (!value->is_boolean()) Reject(key, "is neither true nor false");
  return value->is_boolean() && value->boolean();
}

const base::ValueList& LearnedReader::List(std::string_view key, int64_t count) {
  static const base::ValueList kNone;
  const Value* value = Ask(key);
  if (value == nullptr) return kNone;
  if (!value->is_list() || (count >= 0 && static_cast<int64_t>(value->list().size()) != count)) {
    Reject(key, count >= 0 ? fmt::format("is not a list of {}", count) : "is not a list");
    return kNone;
  }
  return value->list();
}

std::vector<double> LearnedReader::Numbers(std::string_view key, int64_t count) {
  std::vector<double> numbers;
  for (const Value& item : List(key, count)) {
    const std::optional<double> number = LearnedNumber(item);
    if (!number) Reject(key, "holds something that is not a number");
    numbers.push_back(number.value_or(0));
  }
  if (count >= 0) numbers.resize(static_cast<size_t>(count));
  return numbers;
}

std::vector<std::vector<double>> LearnedReader::AscendingLists(std::string_view key, int64_t count) {
  std::vector<std::vector<double>> lists;
  for (const Value& entry : List(key, count)) {
    std::vector<double>& list = lists.emplace_back();
    if (!entry.is_list()) Reject(key, "holds something that is not a list");
    for (const Value& item : entry.is_list() ? entry.list() : base::ValueList()) {
      const std::optional<double> number = LearnedNumber(item);
      if (!number || std::isnan(*number)) Reject(key, "holds something that is not a number");
      list.push_back(number.value_or(0));
    }
    if (!std::ranges::is_sorted(list)) Reject(key, "does not ascend");
  }
  lists.resize(static_cast<size_t>(count));
  return lists;
}

std::vector<int64_t> LearnedReader::Integers(std::string_view key, int64_t count) {
  std::vector<int64_t> integers;
  for (const Value& item : List(key, count)) {
    if (!item.is_integer()) Reject(key, "holds something that is not a whole number");
    integers.push_back(item.is_integer() ? item.integer() : 0);
  }
  if (count >= 0) integers.resize(static_cast<size_t>(count));
  return integers;
}

base::Result<void> LearnedReader::Finish() const {
  if (error_) return std::unexpected(*error_);
  return {};
}

}  // namespace slipway::features
