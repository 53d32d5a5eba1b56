#include "profile/column_profile.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <functional>

#include "base/text.h"
#include "data/null_words.h"
#include "data/timestamp.h"

namespace slipway::profile {
namespace {

bool IsNullWord(std::string_view text) {
  return std::ranges::find(data::kNullWords, text) != data::kNullWords.end();
}

bool IsBooleanWord(std::string_view text) {
  return text == "true" || text == "false" || text == "True" || text == "False" || text == "TRUE" || text == "FALSE";
}

constexpr int64_t kMicrosPerDay = int64_t{86'400} * 1'000'000;
constexpr double kLongestMeasurement = 1e11;  ///< beyond: account, card and serial numbers

/// order_id, orderKey, invoice-no, …
bool IsKeyName(std::string_view name) {
  static constexpr std::array<std::string_view, 14> kWords = {
      "id", "ids", "key", "uuid", "guid", "no", "nr", "num", "number", "code", "serial", "account", "index", "hash"};
  std::string word;
  char before = 0;
  for (const char c : std::string(name) + "_") {
    const auto byte = static_cast<unsigned char>(c);
    const bool starts = std::isupper(byte) && std::islower(static_cast<unsigned char>(before));
    if (!std::isalpha(byte) || starts) {
      if (std::ranges::find(kWords, word) != kWords.end()) return true;
      word.clear();
    }
    if (std::isalpha(byte)) word += static_cast<char>(std::tolower(byte));
    before = c;
  }
  return false;
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

/// A text of the column as it stood, in case it turns out to be text with a small set of values.
void ColumnProfile::Remember(std::string_view text) {
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
  midnights_ += microseconds % kMicrosPerDay == 0;
  Track(static_cast<uint64_t>(microseconds));
  min_time_ = std::min(min_time_, microseconds);
  max_time_ = std::max(max_time_, microseconds);
}

void ColumnProfile::AddText(std::string_view text) {
  if (const auto time = data::ParseTimestamp(text)) {
    AddTimestamp(*time);
    ++typed_texts_;
    Remember(text);
    return;
  }
  ++rows_, ++texts_, ++typed_texts_;
  const auto writing = WritingOf(text);
  written_numbers_ += writing == Writing::kNumber;
  written_dates_ += writing == Writing::kDate;
  if (writing != Writing::kNone && written_.empty()) written_ = text;
  sentences_ += IsSentence(text);
  const auto kind = text.empty() ? PersonalKind::kNone : PersonalByValue(text);
  emails_ += kind == PersonalKind::kEmail;
  phones_ += kind == PersonalKind::kPhone;
  cards_ += kind == PersonalKind::kCard;
  Track(std::hash<std::string_view>{}(text));
  Remember(text);
}

void ColumnProfile::AddList(int64_t numbers) {
  if (lists_ == 0) list_length_ = numbers;
  if (numbers != list_length_) list_length_ = -1;
  ++rows_, ++lists_;
}

void ColumnProfile::AddFault(std::string_view why) {
  if (++faults_ == 1) fault_ = why;
}

void ColumnProfile::AddLexeme(std::string_view text) {
  if (IsNullWord(text)) {
    AddNull();
    ++null_words_[std::string(text)];
    return;
  }
  if (text.empty()) {
    ++rows_, ++empties_;
    if (!kept_overflow_) ++kept_[""];
    return;
  }
  max_length_ = std::max(max_length_, static_cast<int64_t>(text.size()));
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
  } else {
    AddText(text);
    --typed_texts_;
    return;
  }
  if (leading_zeros_ > 0 || kept_.size() <= 2 * kMaxSetValues) Remember(text);
}

/// Numbers that could be times since 1970 in seconds, or in thousandths or millionths of them: 2001 to 2100.
bool ColumnProfile::LooksLikeEpochs() const {
  if (integers_ == 0) return false;
  for (const int64_t unit : {int64_t{1}, int64_t{1000}, int64_t{1'000'000}}) {
    if (min_integer_ >= 1'000'000'000 * unit && max_integer_ < 4'102'444'800 * unit) return true;
  }
  return false;
}

/// A value of its own for nearly every row: keys, not features. Of integers only those that rise from row to row, are
/// called a key, or are longer than any measurement: prices and salaries have many values, too.
bool ColumnProfile::IsKeyLike(const Verdict& verdict) const {
  const double own = tracked_rows_ ? static_cast<double>(hashes_.size()) / static_cast<double>(tracked_rows_) : 0;
  if (tracked_rows_ < 50 || own <= 0.98) return false;
  if (verdict.type == data::ScalarType::kString) return !verdict.sentences && verdict.writing == Writing::kNone;
  if (verdict.type != data::ScalarType::kInteger || verdict.epochs) return false;
  const bool scattered = max_ - min_ > 100.0 * static_cast<double>(rows_);
  return rising_ || (scattered && (IsKeyName(name_) || max_ >= kLongestMeasurement));
}

/// Values that prove themselves count first, then the name, then values that only look the part.
void ColumnProfile::JudgePersonal(Verdict& verdict, bool emails, bool cards, bool phones) const {
  const bool textual = verdict.type == data::ScalarType::kString || verdict.type == data::ScalarType::kTimestamp;
  const auto named = textual ? PersonalByName(name_) : PersonalKind::kNone;
  if (emails || cards) {
    verdict.personal = emails ? PersonalKind::kEmail : PersonalKind::kCard;
  } else if (named != PersonalKind::kNone) {
    verdict.personal = named;
    verdict.personal_by_name = true;
  } else if (phones) {
    verdict.personal = PersonalKind::kPhone;
  }
}

data::ScalarType ColumnProfile::Type() const {
  const int64_t typed = rows_ - nulls_ - empties_;
  if (typed == 0) return data::ScalarType::kString;
  if (booleans_ == typed) return data::ScalarType::kBoolean;
  if (integers_ + numbers_ == typed && leading_zeros_ == 0) {
    return numbers_ == 0 ? data::ScalarType::kInteger : data::ScalarType::kNumber;
  }
  return timestamps_ == typed ? data::ScalarType::kTimestamp : data::ScalarType::kString;
}

Verdict ColumnProfile::Judge() const {
  Verdict verdict;
  verdict.type = Type();
  const int64_t present = rows_ - nulls();
  const int64_t numeric = integers_ + numbers_;
  verdict.constant = present == 0;
  verdict.leading_zeros = leading_zeros_ > 0 && numeric == rows_ - nulls_ - empties_;
  for (const auto& [word, count] : null_words_) verdict.null_texts.push_back(word);
  const bool text = verdict.type == data::ScalarType::kString;
  verdict.constant |= distinct() <= 1 && lists_ == 0 && others_ == 0;
  const auto share = [&](int64_t count) { return present > 0 && 10 * count >= 8 * present; };
  if (text && share(written_numbers_ + numeric)) verdict.writing = Writing::kNumber;
  if (text && share(written_dates_ + timestamps_)) verdict.writing = Writing::kDate;
  if (written_.empty()) verdict.writing = Writing::kNone;
  verdict.sentences = text && verdict.writing == Writing::kNone && 2 * sentences_ > present && distinct() > 32;
  verdict.dates_only = verdict.type == data::ScalarType::kTimestamp && midnights_ == present;
  verdict.epochs = verdict.type == data::ScalarType::kInteger && LooksLikeEpochs();
  verdict.identifier = IsKeyLike(verdict);
  JudgePersonal(verdict, share(emails_), share(cards_), share(phones_));
  if (text && !kept_overflow_ && !kept_.empty() && verdict.personal == PersonalKind::kNone &&
      verdict.writing == Writing::kNone && static_cast<int64_t>(kept_.size()) * 10 <= present &&
      kept_.size() <= kMaxSetValues) {
    std::vector<std::pair<std::string, int64_t>> sorted(kept_.begin(), kept_.end());
    std::ranges::stable_sort(sorted, std::greater<>{}, &std::pair<std::string, int64_t>::second);
    for (auto& [value, count] : sorted) verdict.values.push_back(std::move(value));
  }
  return verdict;
}

}  // namespace slipway::profile
