#include "scoring/near_predictions.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace slipway::scoring {
namespace {

using base::Value;

/// Sum of absolute values and count of the numbers inside a value.
struct Size {
  double sum = 0;
  int64_t count = 0;

  void Add(const Value& value) {
    if (value.is_list()) {
      for (const Value& item : value.list()) Add(item);
    } else if (value.is_map()) {
      for (const auto& [key, item] : value.map()) Add(item);
    } else if (value.kind() == Value::Kind::kNumber) {
      sum += std::abs(value.number());
      ++count;
    }
  }
};

/// Of a map or list.
size_t SizeOf(const Value& value) {
  return value.is_map() ? value.map().size() : value.list().size();
}

/// The member that each answer has at the place, leaving out those that have none.
template <typename Member>
std::vector<const Value*> Members(std::span<const Value* const> answers, const Member& member) {
  std::vector<const Value*> members;
  for (const Value* answer : answers) {
    if (const Value* found = member(*answer)) members.push_back(found);
  }
  return members;
}

}  // namespace

NearPredictions::NearPredictions(std::span<const bundle::GoldenRecord> records, double tolerance)
    : tolerance_(tolerance) {
  std::map<std::string, Size, std::less<>> sizes;
  for (const auto& record : records) {
    expected_.push_back(record.prediction);
    const auto prediction = base::ParseJson(record.prediction);
    if (!prediction || !prediction->is_map()) continue;
    for (const auto& [field, value] : prediction->map()) sizes[field].Add(value);
  }
  for (const auto& [field, size] : sizes) {
    usual_[field] = size.count > 0 ? size.sum / static_cast<double>(size.count) : 0;
  }
}

bool NearPredictions::Near(int64_t record, std::string_view got, std::span<const std::string> nudged) {
  const auto expected = base::ParseJson(expected_[static_cast<size_t>(record)]);
  std::vector<Value> answers = {base::ParseJson(got).value_or(Value())};
  for (const std::string& text : nudged) answers.push_back(base::ParseJson(text).value_or(Value()));
  if (!expected || !expected->is_map() || !answers[0].is_map()) return false;
  if (expected->map().size() != answers[0].map().size()) return false;
  std::vector<const Value*> all;
  for (const Value& answer : answers) all.push_back(&answer);
  worst_here_ = {};
  for (const auto& [field, value] : expected->map()) {
    const auto member = [&](const Value& answer) { return answer.Find(field); };
    const auto usual = usual_.find(field);
    path_ = field;
    if (!NearValue(value, Members(all, member), usual == usual_.end() ? 0 : usual->second)) return false;
  }
  if (worst_here_.share > worst_.share) {
    worst_ = worst_here_;
    worst_.record = record;
  }
  return true;
}

bool NearPredictions::NearValue(const Value& expected, std::span<const Value* const> answers, double usual) {
  if (answers.empty()) return false;
  if (expected.kind() == Value::Kind::kNumber) return NearNumber(expected.number(), answers, usual);
  if (!expected.is_map() && !expected.is_list()) {
    return std::ranges::any_of(answers, [&](const Value* answer) { return *answer == expected; });
  }
  const auto alike = Members(answers, [&](const Value& answer) {
    const bool same_form = answer.kind() == expected.kind() && SizeOf(answer) == SizeOf(expected);
    return same_form ? &answer : nullptr;
  });
  const size_t length = path_.size();
  for (size_t i = 0; i < SizeOf(expected); ++i) {
    const std::string* key = expected.is_map() ? &expected.map()[i].first : nullptr;
    path_ += key ? "." + *key : "[" + std::to_string(i) + "]";
    const auto member = [&](const Value& answer) { return key ? answer.Find(*key) : &answer.list()[i]; };
    const Value& item = key ? expected.map()[i].second : expected.list()[i];
    if (!NearValue(item, Members(alike, member), usual)) return false;
    path_.resize(length);
  }
  return !alike.empty();
}

bool NearPredictions::NearNumber(double expected, std::span<const Value* const> answers, double usual) {
  const double size = std::max(std::abs(expected), usual);
  const auto share = [&](const Value& answer) {
    if (answer.kind() != Value::Kind::kNumber) return std::numeric_limits<double>::infinity();
    const double difference = std::abs(answer.number() - expected);
    return difference == 0 ? 0 : difference / size;
  };
  const double here = share(*answers[0]);
  if (here <= tolerance_ && here > worst_here_.share) {
    worst_here_ = {.field = path_, .expected = expected, .got = answers[0]->number(), .share = here};
  }
  return std::ranges::any_of(answers, [&](const Value* answer) { return share(*answer) <= tolerance_; });
}

}  // namespace slipway::scoring
