#include "bundle/manifest/scalar.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>

#include "base/text.h"

namespace slipway::bundle {
namespace {

using base::Value;

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

bool IsOneOf(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, text) != words.end();
}

/// Takes a run of digits off the front.
size_t TakeDigits(std::string_view& text) {
  size_t count = 0;
  while (count < text.size() && IsDigit(text[count])) ++count;
  text.remove_prefix(count);
  return count;
}

std::unexpected<base::Error> Refuse(std::string message) {
  return base::Fail(base::Code::kInvalidArgument, "manifest.syntax", std::move(message));
}

std::unexpected<base::Error> TooLarge(std::string_view text) {
  return Refuse(
      fmt::format("the integer {} is past 64 bits; quote it if it is an identifier, or write it with an "
                  "exponent if it is a quantity",
                  base::Shorten(text)));
}

base::Result<Value> BasedInteger(std::string_view digits, int radix, std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, radix);
  if (error == std::errc::result_out_of_range) return TooLarge(text);
  if (error != std::errc() || end != digits.data() + digits.size() || digits[0] == '-') return Value(text);
  return Value(value);
}

std::optional<Value> SpecialNumber(std::string_view text) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (IsOneOf(text, {".nan", ".NaN", ".NAN"})) return Value(std::numeric_limits<double>::quiet_NaN());
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (IsOneOf(text, {".inf", ".Inf", ".INF"})) return Value(negative ? -kInfinity : kInfinity);
  return std::nullopt;
}

/// Decimal integers and numbers; text that is neither.
base::Result<Value> Decimal(std::string_view text) {
  std::string_view rest = text;
  if (rest.starts_with('-') || rest.starts_with('+')) rest.remove_prefix(1);
  const bool leading_zero = rest.size() > 1 && rest[0] == '0' && IsDigit(rest[1]);
  const size_t whole = TakeDigits(rest);
  bool fraction = false;
  size_t decimals = 0;
  if (rest.starts_with('.')) {
    fraction = true;
    rest.remove_prefix(1);
    decimals = TakeDigits(rest);
  }
  if (leading_zero || whole + decimals == 0) return Value(text);
  if (rest.starts_with('e') || rest.starts_with('E')) {
    fraction = true;
    rest.remove_prefix(1);
    if (rest.starts_with('-') || rest.starts_with('+')) rest.remove_prefix(1);
    if (TakeDigits(rest) == 0) return Value(text);
  }
  if (!rest.empty()) return Value(text);
  if (!fraction) {
    const auto integer = base::ParseInt64(text);
    return integer ? base::Result<Value>(*integer) : TooLarge(text);
  }
  const auto number = base::ParseDouble(text);
  if (!number) return Refuse(fmt::format("the number {} is past the range of 64-bit numbers", base::Shorten(text)));
  return Value(*number);
}

}  // namespace

base::Result<Value> TypePlainScalar(std::string_view text) {
  if (IsOneOf(text, {"", "~", "null", "Null", "NULL"})) return Value();
  if (IsOneOf(text, {"true", "True", "TRUE"})) return Value(true);
  if (IsOneOf(text, {"false", "False", "FALSE"})) return Value(false);
  if (text.size() > 2 && text.starts_with("0x")) return BasedInteger(text.substr(2), 16, text);
  if (text.size() > 2 && text.starts_with("0o")) return BasedInteger(text.substr(2), 8, text);
  if (auto special = SpecialNumber(text)) return *std::move(special);
  return Decimal(text);
}

base::Result<Value> TypeTaggedScalar(std::string_view core_tag, std::string_view text) {
  constexpr std::array<std::string_view, 4> kTags = {"null", "bool", "int", "float"};
  if (std::ranges::find(kTags, core_tag) == kTags.end()) {
    return Refuse(fmt::format("the tag \"!!{}\" is not taken; remove it", base::Shorten(core_tag)));
  }
  SLIPWAY_ASSIGN(Value value, TypePlainScalar(text));
  if (core_tag == "float" && value.is_integer()) value = Value(value.number());
  const bool fits = (core_tag == "null" && value.is_null()) || (core_tag == "bool" && value.is_boolean()) ||
                    (core_tag == "int" && value.is_integer()) ||
                    (core_tag == "float" && value.kind() == Value::Kind::kNumber);
  if (!fits) return Refuse(fmt::format("\"{}\" does not fit its tag !!{}", base::Shorten(text), core_tag));
  return value;
}

}  // namespace slipway::bundle
