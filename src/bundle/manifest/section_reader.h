#pragma once
// SectionReader takes one map of the manifest apart. It keeps the first error and answers defaults afterwards, so that
// a parse function reads straight down and asks once, at the end.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/value.h"

namespace slipway::bundle {

inline constexpr size_t kMaxNameBytes = 256;
inline constexpr size_t kMaxTextBytes = 65536;

/// A value as a message shows it: shortened JSON.
std::string Shown(const base::Value& value);

/// Reads the keys of `section`, which outlives this. Unknown keys are an error that names the nearest known one.
class SectionReader {
 public:
  /// `path` names the section in messages: "" for the whole manifest, "model", "outputs.late".
  SectionReader(const base::Value& section, std::string path, std::vector<std::string> known);

  /// The value of a key; nullptr when absent. A key without a value (null) is an error.
  const base::Value* Find(std::string_view key);
  /// "`outputs.late.from`".
  std::string Name(std::string_view key) const;

  std::optional<std::string> Text(std::string_view key, size_t max_bytes = kMaxTextBytes);
  std::string RequiredText(std::string_view key, size_t max_bytes = kMaxTextBytes);
  std::optional<int64_t> Integer(std::string_view key, int64_t low, int64_t high);
  /// Finite.
  std::optional<double> Number(std::string_view key);
  bool Boolean(std::string_view key, bool fallback);
  const base::ValueList* List(std::string_view key, size_t max_items);
  const base::ValueMap* Map(std::string_view key, size_t max_items);

  /// Records an error at the key, or at the section when it is not there.
  void Reject(std::string_view key, std::string_view reason, std::string message);
  void RejectAt(const base::Value& value, std::string_view reason, std::string message);
  /// Takes the error of a part read elsewhere.
  void Keep(base::Result<void> part);
  /// Puts a part read elsewhere into its place, or takes its error.
  template <typename T, typename Place>
  void Put(base::Result<T> part, Place& place) {
    if (part) {
      place = *std::move(part);
    } else {
      Keep(std::unexpected(std::move(part).error()));
    }
  }

  bool failed() const { return error_.has_value(); }
  base::Result<void> Finish() const;

 private:
  const base::Value* Ask(std::string_view key, bool fits(const base::Value&), std::string_view wanted);

  const base::Value& section_;
  std::string path_;
  std::optional<base::Error> error_;
};

}  // namespace slipway::bundle
