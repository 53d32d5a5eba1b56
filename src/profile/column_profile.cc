#include "profile/column_profile.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include "base/text.h"
#include "data/timestamp.h"

namespace slipway::profile {
namespace {

constexpr std::array<std::string_view, 12> kNullWords = {"NA",   "N/A", "n/a", "null", "NULL", "Null",
                                                         "None", "nan", "NaN", "-",    "?",    "#N/A"};

bool IsNullWord(std::string_view text) {
  return std::ranges::find(kNullWords, text) != kNullWords.end();
}

bool IsBooleanWord(std::string_view text) {
  return text == "true" || text == "false" || text == "True" || text == "False" || text == "TRUE" || text == "FALSE";
}

/// 007, -012: digits that lose something as a number.
bool HasLeadingZero(std::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  return text.size() > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9';
}

}  // namespace

void ColumnProfile::Track(uint64_t hash) {
  if (hashes_.size() >= kMaxTrackedHashes) return;
  ++tracked_rows_;
  hashes_.insert(hash);
}

void ColumnProfile::Keep(std::string_view text) {
  Track(std::hash<std::string_view>{}(text));
  max_length_ = std::max(max_length_, static_cast<int64_t>(text.size()));
  if (kept_overflow_) return;
  if (const auto it = kept_.find(text); it != kept_.end()) {
    ++it->second;
  } else if (kept_.size() < kMaxKeptValues && text.size() <= 256) {
    kept_.emplace(text, 1);
  } else {
    kept_overflow_ = true;
    kept_.clear();
  }
}

void ColumnProfile::Number(double value, bool whole) {
  if (!std::isfinite(value)) {
    ++non_finite_;
    return;
  }
  min_ = std::min(min_, value);
  max_ = std::max(max_, value);
  if (!whole) rising_ = false;
}

void ColumnProfile::AddBoolean(bool value) {
  ++rows_, ++booleans_;
  Track(value);
}

void ColumnProfile::AddInteger(int64_t value) {
  ++rows_, ++integers_;
  min_integer_ = std::min(min_integer_, value);
  max_integer_ = std::max(max_integer_, value);
  if (value <= last_integer_ && rows_ > 1) rising_ = false;
  last_integer_ = value;
  Number(static_cast<double>(value), true);
  Track(static_cast<uint64_t>(value));
}

void ColumnProfile::AddNumber(double value) {
  ++rows_, ++numbers_;
  Number(value, false);
  Track(std::hash<double>{}(value));
}

void ColumnProfile::AddTimestamp(int64_t microseconds) {
  ++rows_, ++timestamps_;
  min_time_ = std::min(min_time_, microseconds);
  max_time_ = std::max(max_time_, microseconds);
}

void ColumnProfile::AddText(std::string_view text) {
  if (const auto time = data::ParseTimestamp(text)) {
    AddTimestamp(*time);
    ++typed_texts_;
    Keep(text);
    return;
  }
  ++rows_, ++texts_, ++typed_texts_;
  const auto kind = text.empty() ? PersonalKind::kNone : PersonalByValue(text);
  emails_ += kind == PersonalKind::kEmail;
  phones_ += kind == PersonalKind::kPhone;
  cards_ += kind == PersonalKind::kCard;
  Keep(text);
}

void ColumnProfile::AddLexeme(std::string_view text) {
  if (IsNullWord(text)) {
    AddNull();
    ++null_words_[std::string(text)];
    return;
  }
  if (IsBooleanWord(text)) {
    AddBoolean(text[0] == 't' || text[0] == 'T');
  } else if (const auto integer = base::ParseInt64(text)) {
    leading_zeros_ += HasLeadingZero(text);
    AddInteger(*integer);
    cards_ += text.size() >= 13 && PersonalByValue(text) == PersonalKind::kCard;
  } else if (const auto number = base::ParseDouble(text)) {
    leading_zeros_ += HasLeadingZero(text) && text.find_first_of(".eE") == std::string_view::npos;
    AddNumber(*number);
  } else if (const auto time = data::ParseTimestamp(text)) {
    AddTimestamp(*time);
    Track(std::hash<std::string_view>{}(text));
    return;
  } else {
    AddText(text);
    --typed_texts_;
    return;
  }
  if (leading_zeros_ > 0 || kept_.size() <= 64) Keep(text);  // in case the column turns out to be text
}

Verdict ColumnProfile::Judge() const {
  Verdict verdict;
  const int64_t present = rows_ - nulls_;
  const int64_t numeric = integers_ + numbers_;
  if (present == 0) {
    verdict.constant = true;
  } else if (booleans_ == present) {
    verdict.type = data::ScalarType::kBoolean;
  } else if (numeric == present && leading_zeros_ == 0) {
    verdict.type = numbers_ == 0 ? data::ScalarType::kInteger : data::ScalarType::kNumber;
  } else if (timestamps_ == present) {
    verdict.type = data::ScalarType::kTimestamp;
  } else {
    verdict.leading_zeros = leading_zeros_ > 0 && numeric == present;
  }
  for (const auto& [word, count] : null_words_) verdict.null_texts.push_back(word);
  const bool text = verdict.type == data::ScalarType::kString;
  verdict.constant |= distinct() <= 1 && timestamps_ == 0;

  // A value of its own for nearly every row: keys, not features. Rising integers and texts; measurements are numbers.
  const double own = tracked_rows_ ? static_cast<double>(hashes_.size()) / static_cast<double>(tracked_rows_) : 0;
  if (tracked_rows_ >= 50 && own > 0.98) {
    verdict.identifier = text || (verdict.type == data::ScalarType::kInteger &&
                                  (rising_ || max_ - min_ > 100.0 * static_cast<double>(rows_)));
  }
  const auto share = [&](int64_t count) { return present > 0 && 10 * count >= 8 * present; };
  if (share(emails_)) {
    verdict.personal = PersonalKind::kEmail;
  } else if (share(cards_)) {
    verdict.personal = PersonalKind::kCard;
  } else if (share(phones_)) {
    verdict.personal = PersonalKind::kPhone;
  } else if (text || verdict.type == data::ScalarType::kTimestamp) {
    verdict.personal = PersonalByName(name_);
  }
  if (text && !kept_overflow_ && !kept_.empty() && verdict.personal == PersonalKind::kNone &&
      static_cast<int64_t>(kept_.size()) * 10 <= present && kept_.size() <= 64) {
    std::vector<std::pair<std::string, int64_t>> sorted(kept_.begin(), kept_.end());
    std::ranges::stable_sort(sorted, std::greater<>{}, &std::pair<std::string, int64_t>::second);
    for (auto& [value, count] : sorted) verdict.values.push_back(std::move(value));
  }
  return verdict;
}

}  // namespace slipway::profile
