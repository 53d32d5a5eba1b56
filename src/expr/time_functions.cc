// Functions over timestamps. Calendar parts are those of the timestamp's own zone, a fixed distance from UTC.

#include <fmt/core.h>

#include <array>
#include <chrono>
#include <cmath>

#include "base/text.h"
#include "data/timestamp.h"
#include "expr/functions.h"

namespace slipway::expr {
namespace {

using data::CivilTime;
using data::ToCivil;

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kMinute = 60 * kSecond;
constexpr int64_t kHour = 60 * kMinute;
constexpr int64_t kDay = 24 * kHour;
constexpr int64_t kFirst = -62'135'596'800 * kSecond;     // 0001-01-01T00:00:00Z
constexpr int64_t kPastLast = 253'402'300'800 * kSecond;  // 10000-01-01T00:00:00Z
constexpr int64_t kMostZoneMinutes = 18 * 60;

constexpr bool InCalendar(int64_t time) {
  return time >= kFirst && time < kPastLast;
}

constexpr int64_t FloorDivide(int64_t a, int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}
constexpr int64_t FloorModulo(int64_t a, int64_t b) {
  return a - FloorDivide(a, b) * b;
}

int64_t Weekday(int64_t local) {
  return FloorModulo(FloorDivide(local, kDay) + 3, 7);
}  // 1970-01-01 was a Thursday

int64_t IsoWeek(int64_t local) {
  // The week belongs to the year that holds its Thursday.
  const int64_t thursday = local + (3 - Weekday(local)) * kDay;
  return (ToCivil(thursday).day_of_year - 1) / 7 + 1;
}

/// A part of the local time; null outside the years 0001 to 9999.
template <typename R, auto kOp>
void Part(const Call& call) {
  const Cells<int64_t> times(call.arg(0));
  const int64_t zone = call.binding->zone_microseconds;
  auto* out = static_cast<R*>(call.out);
  for (int64_t row = 0; row < call.rows; ++row) {
    const int64_t time = times[row];
    const bool known = InCalendar(time);
    out[row] = known ? static_cast<R>(kOp(time + zone)) : R{};
    call.valid[row] &= static_cast<uint8_t>(known);
  }
}

template <auto kOp>
Function IntegerPart(std::string_view name) {
  return {name, {{"t:i", Part<int64_t, kOp>, Nulls::kMakes}}};
}

enum class Unit : uint8_t { kYear, kQuarter, kMonth, kWeek, kDay, kHour, kMinute, kSecond };
const std::vector<std::string>& UnitNames() {
  static const std::vector<std::string> names{"year", "quarter", "month", "week", "day", "hour", "minute", "second"};
  return names;
}

std::string PrepareUnit(std::span<const Constant* const> args, Binding& binding) {
  const std::vector<std::string>& names = UnitNames();
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i] == args[0]->text) return binding.immediate = static_cast<int64_t>(i), std::string();
  }
  return fmt::format("unknown unit \"{}\"{}; known are year, quarter, month, week, day, hour, minute, second",
                     base::Shorten(args[0]->text), base::DidYouMean(args[0]->text, names));
}

int64_t MonthStart(int64_t year, int month) {
  const auto date = std::chrono::year(static_cast<int>(year)) / month / 1;
  return std::chrono::sys_days(date).time_since_epoch().count() * kDay;
}

int64_t UnitStart(Unit unit, int64_t local) {
  switch (unit) {
    case Unit::kSecond:
      return local - FloorModulo(local, kSecond);
    case Unit::kMinute:
      return local - FloorModulo(local, kMinute);
    case Unit::kHour:
      return local - FloorModulo(local, kHour);
    case Unit::kDay:
      return local - FloorModulo(local, kDay);
    case Unit::kWeek:
      return local - FloorModulo(local, kDay) - Weekday(local) * kDay;
    case Unit::kMonth:
    case Unit::kQuarter:
    case Unit::kYear:
      break;
  }
  const CivilTime civil = ToCivil(local);
  if (unit == Unit::kMonth) return MonthStart(civil.year, civil.month);
  return MonthStart(civil.year, unit == Unit::kYear ? 1 : (civil.month - 1) / 3 * 3 + 1);
}

void Truncate(const Call& call) {
  const Cells<int64_t> times(call.arg(1));
  const int64_t zone = call.binding->zone_microseconds;
  const auto unit = static_cast<Unit>(call.binding->immediate);
  auto* out = static_cast<int64_t*>(call.out);
  for (int64_t row = 0; row < call.rows; ++row) {
    const bool known = InCalendar(times[row]);
    out[row] = known ? UnitStart(unit, times[row] + zone) - zone : 0;
    call.valid[row] &= static_cast<uint8_t>(known);
  }
}

/// a + count units, rounded to the microsecond (half to even); null when that is no timestamp.
template <int64_t kUnit>
bool Move(int64_t time, double count, int64_t& out) {
  const double distance = std::nearbyint(count * static_cast<double>(kUnit));
  if (!(std::fabs(distance) < 9.2e18)) return false;
  return !__builtin_add_overflow(time, static_cast<int64_t>(distance), &out);
}

template <int64_t kUnit>
double Between(int64_t from, int64_t to) {
  int64_t difference = 0;
  if (__builtin_sub_overflow(to, from, &difference)) {
    return (static_cast<double>(to) - static_cast<double>(from)) / static_cast<double>(kUnit);
  }
  return static_cast<double>(difference) / static_cast<double>(kUnit);
}

template <int64_t kUnit>
Function Mover(std::string_view name) {
  return {name, {{"tn:t", Try2<int64_t, int64_t, double, Move<kUnit>>, Nulls::kMakes}}};
}
template <int64_t kUnit>
Function Distance(std::string_view name) {
  return {name, {{"tt:n", Map2<double, int64_t, int64_t, Between<kUnit>>}}};
}

bool ReadTimestamp(std::string_view text, int64_t& out) {
  const std::optional<int64_t> time = data::ParseTimestamp(text);
  if (time) out = *time;
  return time.has_value();
}

// A literal that is no timestamp is a mistake of the author's, not of the data.
std::string PrepareTimestamp(std::span<const Constant* const> args, Binding&) {
  if (args[0] == nullptr || !args[0]->valid || data::ParseTimestamp(args[0]->text)) return {};
  return fmt::format("\"{}\" is no timestamp; write YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS with Z or an offset like +02:00",
                     base::Shorten(args[0]->text));
}

std::string PrepareZone(std::span<const Constant* const> args, Binding& binding) {
  const int64_t minutes = args[1]->integer;
  if (minutes < -kMostZoneMinutes || minutes > kMostZoneMinutes) {
    return fmt::format("a zone lies within {} minutes of UTC, not {}", kMostZoneMinutes, minutes);
  }
  binding.zone_minutes = static_cast<int>(minutes);
  return {};
}

}  // namespace

const std::vector<Function>& TimeFunctions() {
  static const std::vector<Function> table{
      {"timestamp", {{"s:t", Try1<int64_t, std::string_view, ReadTimestamp>, Nulls::kMakes, PrepareTimestamp}}},
      {"from_epoch",
       {{"n:t", Try1<int64_t, double, [](double x, int64_t& out) { return Move<kSecond>(0, x, out); }>,
         Nulls::kMakes}}},
      {"epoch", {{"t:n", Map1<double, int64_t, [](int64_t t) { return static_cast<double>(t) / 1e6; }>}}},
      {"in_zone",
       {{"tI:t", Map2<int64_t, int64_t, int64_t, [](int64_t t, int64_t) { return t; }>, Nulls::kStrict, PrepareZone}}},
      IntegerPart<[](int64_t t) { return ToCivil(t).year; }>("year"),
      IntegerPart<[](int64_t t) { return (ToCivil(t).month - 1) / 3 + 1; }>("quarter"),
      IntegerPart<[](int64_t t) { return ToCivil(t).month; }>("month"),
      IntegerPart<IsoWeek>("week"),
      IntegerPart<[](int64_t t) { return ToCivil(t).day; }>("day"),
      IntegerPart<[](int64_t t) { return ToCivil(t).day_of_year; }>("day_of_year"),
      IntegerPart<Weekday>("weekday"),
      IntegerPart<[](int64_t t) { return FloorModulo(t, kDay) / kHour; }>("hour"),
      IntegerPart<[](int64_t t) { return FloorModulo(t, kHour) / kMinute; }>("minute"),
      IntegerPart<[](int64_t t) { return FloorModulo(t, kMinute) / kSecond; }>("second"),
      {"is_weekend", {{"t:b", Part<uint8_t, [](int64_t t) { return Weekday(t) >= 5; }>, Nulls::kMakes}}},
      {"date_trunc", {{"St:t", Truncate, Nulls::kMakes, PrepareUnit}}},
      Mover<kSecond>("add_seconds"),
      Mover<kMinute>("add_minutes"),
      Mover<kHour>("add_hours"),
      Mover<kDay>("add_days"),
      Distance<kSecond>("seconds_between"),
      Distance<kHour>("hours_between"),
      Distance<kDay>("days_between"),
  };
  return table;
}

}  // namespace slipway::expr
