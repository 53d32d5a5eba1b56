#pragma once
// Small text mechanisms shared by messages and parsers.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

namespace slipway::base {

/// The candidate with the smallest edit distance (Damerau-Levenshtein, case folded) if it is close enough to be a
/// likely typo (at most 1/3 of the length, at least 1); empty otherwise. Ties go to the first.
std::string_view NearestName(std::string_view name, std::span<const std::string> candidates);

/// ` (did you mean "distance"?)` or nothing.
std::string DidYouMean(std::string_view name, std::span<const std::string> candidates);

/// Cuts at a UTF-8 boundary and adds an ellipsis when longer than `bytes`; control characters become '?'.
std::string Shorten(std::string_view text, size_t bytes = 64);

/// Reads a whole decimal text: no surrounding space, no hex, optional sign. nullopt when it is not one or past the
/// range. ParseDouble also takes nan, inf and infinity in any case; a text too small to represent is its nearest zero.
std::optional<double> ParseDouble(std::string_view text);
std::optional<int64_t> ParseInt64(std::string_view text);

/// Strict: no surrogates, no overlong forms, nothing past U+10FFFF.
bool IsValidUtf8(std::string_view text);
/// Bytes of the UTF-8 sequence at the start of `text`; 0 when it is empty or starts with none.
size_t Utf8SequenceLength(std::string_view text);

/// The value of a hexadecimal digit in either case; -1 for anything else.
constexpr int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}
/// Every byte but A-Z a-z 0-9 - _ . ~ (and / when `keep_slashes`) as %XX.
std::string EncodePercent(std::string_view text, bool keep_slashes = false);
/// Decodes %XX (and '+' to space when `form`). nullopt for a broken escape or a NUL.
std::optional<std::string> DecodePercent(std::string_view text, bool form = false);

/// Removes ASCII white space at both ends.
std::string_view Trim(std::string_view text);

}  // namespace slipway::base
