#include "data/number_text.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <limits>

namespace slipway::data {
namespace {

using number_text::DigitOf;
using number_text::ReadDigits;

constexpr bool IsDigit(char c) {
  return DigitOf(c) < 10;
}

/// The parts of a decimal text. `mantissa` wraps when there are more than 19 significant digits.
struct Decimal {
  const char* digits = nullptr;  ///< first digit or point
  const char* end = nullptr;
  const char* point = nullptr;
  uint64_t mantissa = 0;
  int64_t exponent = 0;  ///< of the mantissa read as an integer
  int64_t written_exponent = 0;
  int64_t integer_digits = 0;
  int64_t fraction_digits = 0;
  bool negative = false;
  bool is_integer = true;
};

// Reads from the first digit (or point) on. False when there is no digit, or a malformed exponent.
inline bool ReadDecimal(const char* at, const char* end, Decimal& decimal) {
  decimal.digits = at;
  at = ReadDigits(at, end, decimal.mantissa);
  decimal.integer_digits = at - decimal.digits;
  if (at != end && *at == '.') {
    decimal.is_integer = false;
    decimal.point = at;
    const char* fraction = ++at;
    at = ReadDigits(at, end, decimal.mantissa);
    decimal.fraction_digits = at - fraction;
    decimal.exponent = -decimal.fraction_digits;
  }
  if (decimal.integer_digits + decimal.fraction_digits == 0) return false;
  if (at != end && (*at == 'e' || *at == 'E')) {
    decimal.is_integer = false;
    ++at;
    const bool minus = at != end && *at == '-';
    if (at != end && (*at == '-' || *at == '+')) ++at;
    if (at == end || !IsDigit(*at)) return false;
    int64_t exponent = 0;
    for (; at != end && IsDigit(*at); ++at) {
      if (exponent < std::numeric_limits<int64_t>::max() / 16) exponent = exponent * 10 + DigitOf(*at);
    }
    decimal.written_exponent = minus ? -exponent : exponent;
    decimal.exponent += decimal.written_exponent;
  }
  decimal.end = at;
  return true;
}

int64_t SignificantDigits(const Decimal& decimal) {
  const int64_t total = decimal.integer_digits + decimal.fraction_digits;
  if (total <= 19) return total;
  const char* at = decimal.digits;
  int64_t leading = 0;
  for (; at != decimal.end && (*at == '0' || *at == '.'); ++at) leading += *at == '0';
  return total - leading;
}

// Past the range of double std::from_chars gives no value: the power of ten of the first digit tells which side.
double OutOfRange(const Decimal& decimal) {
  int64_t power = decimal.integer_digits + decimal.written_exponent;
  for (const char* at = decimal.digits; at != decimal.end && (*at == '0' || *at == '.'); ++at) power -= *at == '0';
  return power > 0 ? std::numeric_limits<double>::infinity() : 0.0;
}

double ToDouble(const Decimal& decimal) {
  double value = 0;
  if (SignificantDigits(decimal) <= 19 && number_text::Compose(decimal.mantissa, decimal.exponent, value)) {
    return decimal.negative ? -value : value;
  }
  if (std::from_chars(decimal.digits, decimal.end, value).ec == std::errc::result_out_of_range) {
    value = OutOfRange(decimal);
  }
  return decimal.negative ? -value : value;
}

NumberText ToNumberText(const Decimal& decimal) {
  NumberText out;
  out.end = decimal.end;
  if (decimal.is_integer) {
    const int64_t digits = SignificantDigits(decimal);
    // Twenty digits fit when they start with 1 and did not wrap.
    const bool fits =
        digits <= 19 || (digits == 20 && decimal.mantissa >= 10'000'000'000'000'000'000U && *(decimal.end - 20) == '1');
    constexpr uint64_t kBound = uint64_t{1} << 63;
    if (fits && decimal.negative && decimal.mantissa != 0 && decimal.mantissa <= kBound) {
      out.kind = NumberText::Kind::kInteger;
      out.integer = static_cast<int64_t>(~decimal.mantissa + 1);
      return out;
    }
    if (fits && !decimal.negative) {
      out.kind = decimal.mantissa < kBound ? NumberText::Kind::kInteger : NumberText::Kind::kUnsigned;
      out.unsigned_integer = decimal.mantissa;
      return out;
    }
  }
  out.kind = NumberText::Kind::kNumber;
  out.number = ToDouble(decimal);
  return out;
}

}  // namespace

// simdjson's reading of floats (Clinger's exact cases, then the algorithm of Eisel and Lemire) on digits already read.
bool number_text::Compose(uint64_t mantissa, int64_t exponent, double& value) {
  namespace simd = simdjson::SIMDJSON_BUILTIN_IMPLEMENTATION;
  return exponent >= simdjson::internal::smallest_power && exponent <= simdjson::internal::largest_power &&
         simd::numberparsing::compute_float_64(exponent, mantissa, false, value);
}

NumberText ReadJsonNumber(const char* begin, const char* end) {
  Decimal decimal;
  const char* at = begin;
  if (at != end && *at == '-') {
    decimal.negative = true;
    ++at;
  }
  if (!ReadDecimal(at, end, decimal)) return {};
  if (decimal.integer_digits == 0 || (decimal.integer_digits > 1 && *decimal.digits == '0')) return {};
  if (decimal.point != nullptr && decimal.fraction_digits == 0) return {};
  return ToNumberText(decimal);
}

NumberText number_text::ReadLongText(std::string_view text) {
  NumberText plain;
  if (ReadPlainNumber(text.data(), text.data() + text.size(), plain) && plain.end == text.data() + text.size()) {
    return plain;
  }
  text = TrimBlanks(text);
  const char* at = text.data();
  const char* end = at + text.size();
  Decimal decimal;
  if (at != end && (*at == '-' || *at == '+')) {
    decimal.negative = *at == '-';
    ++at;
  }
  if (at == end) return {};
  if (!IsDigit(*at) && *at != '.') {
    const std::string_view word(at, static_cast<size_t>(end - at));
    NumberText out;
    out.end = end;
    if (EqualsAnyCase(word, "nan")) {
      out.kind = NumberText::Kind::kNumber;
      out.number = std::numeric_limits<double>::quiet_NaN();
    } else if (EqualsAnyCase(word, "inf") || EqualsAnyCase(word, "infinity")) {
      out.kind = NumberText::Kind::kNumber;
      out.number =
          decimal.negative ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
    }
    return out;
  }
  if (!ReadDecimal(at, end, decimal) || decimal.end != end) return {};
  return ToNumberText(decimal);
}

std::string_view TrimBlanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool EqualsAnyCase(std::string_view text, std::string_view expected) {
  return text.size() == expected.size() && std::equal(text.begin(), text.end(), expected.begin(), [](char a, char b) {
           return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + ('a' - 'A')) : a) == b;
         });
}

}  // namespace slipway::data
