#pragma once
// ColumnProfile looks at the values of one column of a training table, once, in bounded memory, and says what the
// column is: its type, range, small set of values, null rate, and whether it looks like an identifier or personal data.

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "data/type.h"
#include "profile/written_text.h"

namespace slipway::profile {

/// Bounds of what a profile remembers.
inline constexpr size_t kMaxKeptValues = 256;         ///< distinct texts kept with their counts
inline constexpr size_t kMaxTrackedHashes = 1 << 16;  ///< distinct values told apart, to find identifiers
inline constexpr size_t kMaxSetValues = 32;           ///< of a set that is proposed: more are no set a person reads

enum class PersonalKind : uint8_t {
  kNone,
  kEmail,
  kPhone,
  kCard,
  kName,
  kAddress,
  kBirth,
  kNationalId,
  kNetworkAddress
};

/// "e-mail addresses", … for comments.
std::string_view PersonalKindName(PersonalKind kind);

/// By the column's name: "email", "first_name", "phone_number", … (tokens split at _, -, space and case changes).
PersonalKind PersonalByName(std::string_view column);
/// By one value: an e-mail address, a phone number with its separators, a card number whose Luhn check holds.
PersonalKind PersonalByValue(std::string_view text);

/// What the column turned out to be.
struct Verdict {
  data::ScalarType type = data::ScalarType::kString;
  bool leading_zeros = false;        ///< digits kept as text because some start with 0
  bool constant = false;             ///< one value, or none
  bool identifier = false;           ///< nearly every row has a value of its own
  bool sentences = false;            ///< free text of several words
  bool dates_only = false;           ///< timestamps, all at midnight
  bool epochs = false;               ///< integers that look like seconds (or their fractions) since 1970
  Writing writing = Writing::kNone;  ///< numbers or dates written for people
  PersonalKind personal = PersonalKind::kNone;
  bool personal_by_name = false;        ///< the name says so, not the values
  std::vector<std::string> null_texts;  ///< texts that stand for null in an otherwise typed column, e.g. "NA"
  std::vector<std::string> values;      ///< the small set of values, most frequent first; empty when it is not small
};

/// Thread-safety: one thread.
class ColumnProfile {
 public:
  explicit ColumnProfile(std::string name) : name_(std::move(name)) {}

  void AddNull() { ++rows_, ++nulls_; }
  void AddBoolean(bool value);
  void AddInteger(int64_t value);
  void AddNumber(double value);
  void AddTimestamp(int64_t microseconds);
  void AddText(std::string_view text);    ///< text by type (a JSON string, a Parquet varchar)
  void AddLexeme(std::string_view text);  ///< untyped text (a CSV cell); an empty one is null unless the column is text
  /// An object or other value that no column takes.
  void AddOther() { ++rows_, ++others_; }
  /// A list of so many scalars; -1 for elements that are no numbers, or lists within lists.
  void AddList(int64_t numbers);
  /// A cell that was there and could not be read; it counts as null besides. `why`: the door's message.
  void AddFault(std::string_view why);

  Verdict Judge() const;

  const std::string& name() const { return name_; }
  int64_t rows() const { return rows_; }
  int64_t nulls() const { return nulls_ + (Type() == data::ScalarType::kString ? 0 : empties_); }
  int64_t others() const { return others_; }
  int64_t lists() const { return lists_; }
  /// Numbers in every list; -1 when they differ or are no numbers.
  int64_t list_length() const { return list_length_; }
  int64_t faults() const { return faults_; }
  const std::string& fault() const { return fault_; }      ///< the first
  const std::string& written() const { return written_; }  ///< the first text that is a number or date for people
  double null_rate() const { return rows_ ? static_cast<double>(nulls()) / static_cast<double>(rows_) : 0; }
  double min() const { return min_; }
  double max() const { return max_; }
  int64_t min_integer() const { return min_integer_; }
  int64_t max_integer() const { return max_integer_; }
  int64_t min_time() const { return min_time_; }
  int64_t max_time() const { return max_time_; }
  int64_t max_length() const { return max_length_; }
  bool non_finite() const { return non_finite_ > 0; }
  /// Distinct values seen; a lower bound once past kMaxTrackedHashes.
  int64_t distinct() const {
    const bool empty_text = empties_ > 0 && Type() == data::ScalarType::kString;
    return static_cast<int64_t>(hashes_.size()) + empty_text;
  }

 private:
  data::ScalarType Type() const;
  void Remember(std::string_view text);
  void Track(uint64_t hash);
  bool IsKeyLike(const Verdict& verdict) const;
  bool LooksLikeEpochs() const;
  void JudgePersonal(Verdict& verdict, bool emails, bool cards, bool phones) const;
  void Number(double value, bool whole);

  std::string name_;
  int64_t rows_ = 0, nulls_ = 0, others_ = 0;
  int64_t empties_ = 0;  ///< empty lexemes
  int64_t booleans_ = 0, integers_ = 0, numbers_ = 0, timestamps_ = 0, texts_ = 0;
  int64_t typed_texts_ = 0;  ///< texts that came as text
  int64_t leading_zeros_ = 0;
  int64_t non_finite_ = 0;
  int64_t emails_ = 0, phones_ = 0, cards_ = 0;
  int64_t written_numbers_ = 0, written_dates_ = 0, sentences_ = 0, midnights_ = 0;
  std::string written_;
  int64_t lists_ = 0, list_length_ = 0;
  int64_t faults_ = 0;
  std::string fault_;
  bool rising_ = true;  ///< integers, each larger than the one before
  int64_t last_integer_ = std::numeric_limits<int64_t>::min();
  double min_ = std::numeric_limits<double>::infinity(), max_ = -std::numeric_limits<double>::infinity();
  int64_t min_integer_ = std::numeric_limits<int64_t>::max(), max_integer_ = std::numeric_limits<int64_t>::min();
  int64_t min_time_ = std::numeric_limits<int64_t>::max(), max_time_ = std::numeric_limits<int64_t>::min();
  int64_t max_length_ = 0;
  std::map<std::string, int64_t, std::less<>> kept_;
  std::map<std::string, int64_t, std::less<>> null_words_;
  bool kept_overflow_ = false;
  std::unordered_set<uint64_t> hashes_;
  int64_t tracked_rows_ = 0;
};

}  // namespace slipway::profile
