#include "profile/bounds.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <optional>
#include <string>

namespace slipway::profile {
namespace {

struct Known {
  std::string_view word;
  Bounds bounds;
};

constexpr Known kKnown[] = {
    {"month", {1, 12}},     {"day", {1, 31}},       {"hour", {0, 23}},     {"hour", {0, 24}},
    {"minute", {0, 59}},    {"second", {0, 59}},    {"weekday", {0, 7}},   {"quarter", {1, 4}},
    {"week", {0, 53}},      {"year", {1900, 2100}}, {"lat", {-90, 90}},    {"latitude", {-90, 90}},
    {"lon", {-180, 180}},   {"lng", {-180, 180}},   {"long", {-180, 180}}, {"longitude", {-180, 180}},
    {"age", {0, 120}},      {"percent", {0, 100}},  {"pct", {0, 100}},     {"probability", {0, 1}},
    {"humidity", {0, 100}}, {"humid", {0, 100}},
};

/// The last word of a name: "birth_year", "birthYear" and "year" are about years.
std::string LastWord(std::string_view name) {
  std::string word;
  for (size_t i = name.size(); i-- > 0;) {
    const auto c = static_cast<unsigned char>(name[i]);
    if (!std::isalpha(c)) {
      if (word.empty()) continue;
      break;
    }
    word.insert(word.begin(), static_cast<char>(std::tolower(c)));
    if (std::isupper(c) && i > 0 && std::islower(static_cast<unsigned char>(name[i - 1]))) break;
  }
  return word;
}

std::optional<Bounds> ByName(std::string_view column, const Bounds& seen) {
  const auto word = LastWord(column);
  for (const auto& known : kKnown) {
    if (known.word == word && known.bounds.low <= seen.low && seen.high <= known.bounds.high) return known.bounds;
  }
  return std::nullopt;
}

/// Multiples of `step` come out as the decimal number that a person would write.
double Rounded(double value, double step, double (*towards)(double)) {
  const double power = std::round(-std::log10(step));
  const double scale = std::pow(10.0, std::abs(power));
  return power > 0 ? towards(value / step) / scale : towards(value / step) * scale;
}

/// 0 towards zero, else 1, 2 or 5 times a power of ten beyond the extreme.
double NiceBound(double extreme, bool upper) {
  const double magnitude = std::abs(extreme);
  if (magnitude == 0 || upper != (extreme > 0)) return 0;
  const double power = std::floor(std::log10(magnitude));
  for (const double factor : {1.0, 2.0, 5.0, 10.0}) {
    const double bound = power < 0 ? factor / std::pow(10.0, -power) : factor * std::pow(10.0, power);
    if (bound >= magnitude) return std::copysign(bound, extreme);
  }
  return extreme;
}

}  // namespace

Bounds ProposedBounds(std::string_view column, Bounds seen) {
  if (const auto known = ByName(column, seen)) return *known;
  const bool around_zero = seen.low <= 0 && seen.high >= 0;
  const double spread = seen.high - seen.low;
  const double nearest = std::min(std::abs(seen.low), std::abs(seen.high));
  const double farthest = std::max(std::abs(seen.low), std::abs(seen.high));
  if (around_zero || spread == 0 || nearest <= farthest / 2)
    return {NiceBound(seen.low, false), NiceBound(seen.high, true)};
  // Far from zero compared with their spread (pressures, years, epochs): zero says nothing, half the spread more does.
  const double step = std::pow(10.0, std::floor(std::log10(spread)));
  return {Rounded(seen.low - spread / 2, step, std::floor), Rounded(seen.high + spread / 2, step, std::ceil)};
}

}  // namespace slipway::profile
