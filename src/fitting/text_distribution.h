#pragma once
// TextDistribution: which texts are frequent in a stream, in one pass and bounded memory.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/value.h"

namespace slipway::fitting {

/// Texts told one by one; the rest is summed up as "other".
inline constexpr size_t kBaselineValues = 200;
/// Texts counted at a time.
inline constexpr size_t kCountedTexts = 8192;
/// Longer texts are no values of a set and count as "other".
inline constexpr size_t kLongestValue = 256;

/// Exact while at most kCountedTexts differ. When more do, the rare half is given up (J. Misra and D. Gries, "Finding
/// repeated elements", 1982): no count is too high, and none is too low by more than the stated error, which is at most
/// 2 / kCountedTexts of the rows. The same texts in the same order give the same result.
/// Thread-safety: one thread.
class TextDistribution {
 public:
  void Add(std::string_view text);

  /// Adds the members of docs/formats/bundle.md ("values" to "error") that apply.
  void Describe(base::Value& out) const;

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  void GiveUpTheRare();

  std::unordered_map<std::string, int64_t, Hash, std::equal_to<>> counts_;
  int64_t texts_ = 0;
  int64_t error_ = 0;
};

}  // namespace slipway::fitting
