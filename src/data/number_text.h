#pragma once
// Numbers as text: one reader for JSON numbers and for CSV cells, exact for integers of 64 bits and correctly rounded
// for everything else.

#include <cstdint>
#include <string_view>

namespace slipway::data {

/// What a text is as a number. "-0" is the number -0.0, so that its sign survives; an integer past 64 bits is the
/// nearest double; a magnitude past the range of double is an infinity, below it a zero.
struct NumberText {
  enum class Kind : uint8_t { kNone, kInteger, kUnsigned, kNumber };
  Kind kind = Kind::kNone;
  union {
    int64_t integer;            ///< kInteger
    uint64_t unsigned_integer;  ///< kUnsigned: 2^63 to 2^64-1
    double number = 0;          ///< kNumber
  };
  const char* end = nullptr;  ///< one past the last character read
};

/// Reads a JSON number at `begin` as far as it goes; the caller looks at what follows. kNone: not one by RFC 8259
/// (leading zeros, leading plus, a bare point).
NumberText ReadJsonNumber(const char* begin, const char* end);

/// Reads a whole untyped text: decimal or exponent form, leading zeros, a sign, "5." and ".5", nan, inf and infinity in
/// any case, with spaces and tabs around it ignored. kNone: anything else, hex and grouped digits included.
NumberText ReadNumberText(std::string_view text);

/// Without the spaces and tabs at both ends.
std::string_view TrimBlanks(std::string_view text);

/// `expected` is in small letters.
bool EqualsAnyCase(std::string_view text, std::string_view expected);

}  // namespace slipway::data
