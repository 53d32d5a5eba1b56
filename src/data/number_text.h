#pragma once
// Numbers as text: one reader for JSON numbers and for CSV cells, exact for integers of 64 bits and correctly rounded
// for everything else.

#include <bit>
#include <cstdint>
#include <cstring>
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
inline NumberText ReadNumberText(std::string_view text);

/// Without the spaces and tabs at both ends.
std::string_view TrimBlanks(std::string_view text);

/// `expected` is in small letters.
bool EqualsAnyCase(std::string_view text, std::string_view expected);

namespace number_text {

inline constexpr double kPowersOfTen[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                          1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

constexpr unsigned DigitOf(char c) {
  return static_cast<unsigned>(static_cast<unsigned char>(c)) - '0';
}

inline constexpr uint64_t kIntegerPowersOfTen[] = {1, 10, 100, 1'000, 10'000, 100'000, 1'000'000, 10'000'000};

// Eight digits, given as bytes 0 to 9 in the order of the text, see D. Lemire, "Number Parsing at a Gigabyte per
// Second".
constexpr uint64_t EightDigits(uint64_t bytes) {
  bytes = bytes * 10 + (bytes >> 8);
  return (((bytes & 0x000000FF000000FF) * 0x000F424000000064) +
          (((bytes >> 16) & 0x000000FF000000FF) * 0x0000271000000001)) >>
         32;
}

/// ReadNumberText for all that is not a short fraction.
NumberText ReadLongText(std::string_view text);

/// Without a branch: the signs of a column's numbers are what a branch predictor cannot guess. `value`: 0 or above.
inline double WithSign(double value, bool negative) {
  return std::bit_cast<double>(std::bit_cast<uint64_t>(value) | uint64_t{negative} << 63);
}

/// mantissa x 10^exponent, correctly rounded. False in rare cases that need all digits of the text.
bool Compose(uint64_t mantissa, int64_t exponent, double& value);

/// The first eight bytes of a text, zeros in place of those past its end. Little-endian machines only.
inline uint64_t LoadEight(const char* at, std::ptrdiff_t size) {
  uint64_t bytes = 0;
  if (size >= 8) {
    std::memcpy(&bytes, at, 8);
  } else if (size >= 4) {
    uint32_t first;
    uint32_t last;
    std::memcpy(&first, at, 4);
    std::memcpy(&last, at + size - 4, 4);
    bytes = first | uint64_t{last} << (8 * (size - 4));
  } else if (size > 0) {
    const auto byte = [&](std::ptrdiff_t i) { return uint64_t{static_cast<unsigned char>(at[i])} << (8 * i); };
    bytes = byte(0) | byte(size / 2) | byte(size - 1);
  }
  return bytes;
}

/// Appends the digits at `at` to `value`, which may wrap; returns where they end. Takes eight at a time and the rest of
/// them at once, since the number of digits is what a branch predictor cannot guess.
[[gnu::always_inline]] inline const char* ReadDigits(const char* at, const char* end, uint64_t& value) {
  if constexpr (std::endian::native == std::endian::little) {
    while (at != end) {
      const uint64_t bytes = LoadEight(at, end - at) ^ 0x3030303030303030;
      // The high bit of the first byte that is no digit; carries only reach the bytes after it.
      const uint64_t others = (bytes | (bytes + 0x7676767676767676)) & 0x8080808080808080;
      if (others != 0) {
        const int count = std::countr_zero(others) >> 3;
        if (count == 0) return at;
        value = value * kIntegerPowersOfTen[count] + EightDigits(bytes << (64 - 8 * count));
        return at + count;
      }
      value = value * 100'000'000 + EightDigits(bytes);
      at += 8;
    }
  }
  for (; at != end && DigitOf(*at) < 10; ++at) value = value * 10 + DigitOf(*at);
  return at;
}

}  // namespace number_text

/// The commonest numbers in one go: a whole text of at most eight characters behind its sign, digits with a point among
/// them, at least one on either side. False for all others. Little-endian machines only.
[[gnu::always_inline]] inline bool ReadShortFraction(const char* begin, const char* end, NumberText& out) {
  if constexpr (std::endian::native != std::endian::little) return false;
  const bool negative = begin != end && *begin == '-';
  const char* at = begin + negative;
  const auto size = end - at;
  if (size < 3 || size > 8) return false;
  const uint64_t text = number_text::LoadEight(at, size);
  const uint64_t bytes = text ^ 0x3030303030303030;
  const uint64_t others = (bytes | (bytes + 0x7676767676767676)) & 0x8080808080808080;
  const int point = std::countr_zero(others) >> 3;  // past the end there is no digit either
  if (point == 0 || point >= size - 1 || at[point] != '.' || (*at == '0' && point != 1)) return false;
  const uint64_t before = (uint64_t{1} << (8 * point)) - 1;
  const auto digits = static_cast<int>(size - 1);
  const uint64_t joined = (bytes & before) | (bytes >> 8 & ~before);
  const uint64_t whole = joined << (64 - 8 * digits);
  if (((whole | (whole + 0x7676767676767676)) & 0x8080808080808080) != 0) return false;
  const double value = static_cast<double>(number_text::EightDigits(whole)) / number_text::kPowersOfTen[digits - point];
  out.kind = NumberText::Kind::kNumber;
  out.number = number_text::WithSign(value, negative);
  out.end = end;
  return true;
}

[[gnu::always_inline]] inline bool ReadPlainNumber(const char* begin, const char* end, NumberText& out) {
  const bool negative = begin != end && *begin == '-';
  const char* digits = begin + negative;
  uint64_t mantissa = 0;
  const char* at = number_text::ReadDigits(digits, end, mantissa);
  const auto integer_digits = at - digits;
  if (at == end || integer_digits == 0 || integer_digits > 18 || (*digits == '0' && integer_digits != 1)) return false;
  if (*at == '.') {
    const char* fraction = at + 1;
    at = number_text::ReadDigits(fraction, end, mantissa);
    const auto fraction_digits = at - fraction;
    if (fraction_digits == 0 || fraction_digits + integer_digits > 19) return false;
    if (at != end && (*at == 'e' || *at == 'E')) return false;
    double value;
    if (mantissa <= uint64_t{1} << 53) {
      value = static_cast<double>(mantissa) / number_text::kPowersOfTen[fraction_digits];
    } else if (!number_text::Compose(mantissa, -fraction_digits, value)) {
      return false;
    }
    out.kind = NumberText::Kind::kNumber;
    out.number = number_text::WithSign(value, negative);
  } else {
    if (*at == 'e' || *at == 'E' || (negative && mantissa == 0)) return false;
    const auto value = static_cast<int64_t>(mantissa);
    out.kind = NumberText::Kind::kInteger;
    out.integer = negative ? -value : value;
  }
  out.end = at;
  return true;
}

[[gnu::always_inline]] inline NumberText ReadNumberText(std::string_view text) {
  NumberText number;
  if (ReadShortFraction(text.data(), text.data() + text.size(), number)) return number;
  return number_text::ReadLongText(text);
}

}  // namespace slipway::data
