#include "base/quantities.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <optional>

#include "base/text.h"

namespace slipway::base {
namespace {

struct Unit {
  std::string_view name;
  int64_t factor;
};

constexpr int64_t kKibi = 1024;
constexpr int64_t kKilo = 1000;
constexpr std::array kByteUnits = {
    Unit{"", 1},
    Unit{"B", 1},
    Unit{"KiB", kKibi},
    Unit{"MiB", kKibi* kKibi},
    Unit{"GiB", kKibi* kKibi* kKibi},
    Unit{"TiB", kKibi* kKibi* kKibi* kKibi},
    Unit{"KB", kKilo},
    Unit{"kB", kKilo},
    Unit{"MB", kKilo* kKilo},
    Unit{"GB", kKilo* kKilo* kKilo},
    Unit{"TB", kKilo* kKilo* kKilo* kKilo},
};
constexpr std::array kTimeUnits = {
    Unit{"ns", 1},
    Unit{"us", 1000},
    Unit{"ms", 1'000'000},
    Unit{"s", 1'000'000'000},
    Unit{"m", 60'000'000'000},
    Unit{"h", 3'600'000'000'000},
};

/// A non-negative decimal amount and a unit, rounded to the nearest whole count; nullopt when malformed or too large.
std::optional<int64_t> ParseAmount(std::string_view text, std::span<const Unit> units) {
  const size_t end = text.find_first_not_of("0123456789.");
  const std::string_view amount = text.substr(0, end);
  const std::string_view name = end == std::string_view::npos ? std::string_view() : Trim(text.substr(end));
  for (const Unit& unit : units) {
    if (unit.name != name) continue;
    if (const auto whole = ParseInt64(amount)) {
      int64_t count = 0;
      if (__builtin_mul_overflow(*whole, unit.factor, &count)) return std::nullopt;
      return count;
    }
    const auto fraction = ParseDouble(amount);
    if (!fraction) return std::nullopt;
    const double count = std::round(*fraction * static_cast<double>(unit.factor));
    if (!(count < 0x1p63)) return std::nullopt;
    return static_cast<int64_t>(count);
  }
  return std::nullopt;
}

/// At most `decimals` digits after the point, without trailing zeros.
std::string FormatAmount(double amount, int decimals) {
  std::string text = fmt::format("{:.{}f}", amount, decimals);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

}  // namespace

Result<Bytes> ParseBytes(std::string_view text) {
  const auto count = ParseAmount(text, kByteUnits);
  if (!count) {
    return Fail(
        Code::kInvalidArgument, "quantity.malformed",
        fmt::format("not a size: \"{}\"; write a number and a unit, such as 512KiB, 64MiB or 1.5GB", Shorten(text)));
  }
  return Bytes{*count};
}

std::string FormatBytes(Bytes bytes) {
  constexpr std::array<std::string_view, 5> kNames = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto amount = static_cast<double>(bytes.count);
  size_t unit = 0;
  for (; unit + 1 < kNames.size() && std::abs(amount) >= 1024; ++unit) amount /= 1024;
  return FormatAmount(amount, 2) + std::string(kNames[unit]);
}

Result<std::chrono::nanoseconds> ParseDuration(std::string_view text) {
  const auto count = ParseAmount(text, kTimeUnits);
  if (!count) {
    return Fail(
        Code::kInvalidArgument, "quantity.malformed",
        fmt::format("not a duration: \"{}\"; write a number and one of ns, us, ms, s, m, h, such as 100ms or 1.5s",
                    Shorten(text)));
  }
  return std::chrono::nanoseconds(*count);
}

std::string FormatDuration(std::chrono::nanoseconds duration) {
  const int64_t count = duration.count();
  if (count == 0) return "0s";
  const double magnitude = std::abs(static_cast<double>(count));
  const Unit* largest = &kTimeUnits.front();
  for (const Unit& unit : kTimeUnits) {
    if (magnitude >= static_cast<double>(unit.factor)) largest = &unit;
  }
  // 61 s is "61s" rather than "1.017m": a smaller unit is taken when it says the value exactly in a few digits.
  for (const Unit* unit = largest; unit >= kTimeUnits.data(); --unit) {
    if (magnitude >= 1000 * static_cast<double>(unit->factor)) break;
    if (count % unit->factor * 1000 % unit->factor == 0) {
      largest = unit;
      break;
    }
  }
  return FormatAmount(static_cast<double>(count) / static_cast<double>(largest->factor), 3) +
         std::string(largest->name);
}

}  // namespace slipway::base
