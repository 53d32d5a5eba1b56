#include "batch/schedule/cron.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <span>
#include <vector>

#include "base/text.h"

namespace slipway::batch {
namespace {

using std::chrono::days;
using std::chrono::local_days;
using std::chrono::local_seconds;
using std::chrono::minutes;
using std::chrono::year_month_day;

constexpr std::array<std::string_view, 12> kMonths = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                                      "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
constexpr std::array<std::string_view, 7> kWeekdays = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};

struct FieldKind {
  std::string_view name;
  int low, high;
  std::span<const std::string_view> names;  ///< of the values from `low` on
  std::string_view more;                    ///< what else may stand there
};
constexpr std::array<FieldKind, Cron::kFields> kKinds = {{
    {"minute", 0, 59, {}, ""},
    {"hour", 0, 23, {}, ""},
    {"day of the month", 1, 31, {}, ", or L for the last"},
    {"month", 1, 12, kMonths, " or JAN to DEC"},
    {"day of the week", 0, 7, kWeekdays,
     " or SUN to SAT, MON#1 for the first Monday of a month, FRIL for the last Friday"},
}};

constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kNicknames = {{
    {"@yearly", "0 0 1 1 *"},
    {"@annually", "0 0 1 1 *"},
    {"@monthly", "0 0 1 * *"},
    {"@weekly", "0 0 * * 0"},
    {"@daily", "0 0 * * *"},
    {"@midnight", "0 0 * * *"},
    {"@hourly", "0 * * * *"},
}};

std::unexpected<base::Error> Malformed(std::string message) {
  return base::Fail(base::Code::kInvalidArgument, "schedule.cron", std::move(message));
}

std::unexpected<base::Error> NotInField(Cron::Field field, std::string_view item) {
  const FieldKind& kind = kKinds[field];
  return Malformed(fmt::format("\"{}\" is no {}: {} to {}{}; lists (1,5), ranges (1-5) and steps (*/2, 1-9/2) of them",
                               base::Shorten(item), kind.name, kind.low, kind.high, kind.more));
}

bool SameLetters(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return (x >= 'a' && x <= 'z' ? x - 'a' + 'A' : x) == y; });
}

/// A number or a name of the field.
std::optional<int> ValueOf(Cron::Field field, std::string_view text) {
  const FieldKind& kind = kKinds[field];
  for (size_t i = 0; i < kind.names.size(); ++i) {
    if (SameLetters(text, kind.names[i])) return kind.low + static_cast<int>(i);
  }
  const bool digits =
      !text.empty() && text.size() <= 2 && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  if (!digits) return std::nullopt;
  const int value = static_cast<int>(*base::ParseInt64(text));
  return value >= kind.low && value <= kind.high ? std::optional(value) : std::nullopt;
}

std::vector<std::string_view> Split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> parts;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find_first_of(separators, at), text.size());
    parts.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

/// "1-5,7" of the bits.
std::string Listed(uint64_t bits) {
  std::vector<std::string> runs;
  for (int at = 0; at < 64; ++at) {
    if (!(bits >> at & 1)) continue;
    int end = at;
    while (end < 63 && (bits >> (end + 1) & 1)) ++end;
    if (end - at < 2) {  // a range of two is no shorter
      runs.push_back(std::to_string(at));
      continue;
    }
    runs.push_back(fmt::format("{}-{}", at, end));
    at = end;
  }
  return fmt::format("{}", fmt::join(runs, ","));
}

constexpr uint8_t kLastBit = 1 << 5;

}  // namespace

base::Result<void> Cron::ReadCounted(std::string_view item, size_t mark) {
  const auto day = ValueOf(kWeekday, item.substr(0, mark));
  const bool last = item[mark] != '#';
  const auto number = last ? std::optional<int64_t>(6) : base::ParseInt64(item.substr(mark + 1));
  if (!day || !number || *number < 1 || *number > (last ? 6 : 5)) return NotInField(kWeekday, item);
  counted_[static_cast<size_t>(*day % 7)] |= static_cast<uint8_t>(1 << (*number - 1));
  return {};
}

base::Result<void> Cron::ReadItem(Field field, std::string_view item) {
  if (field == kDay && SameLetters(item, "L")) {
    last_day_ = true;
    return {};
  }
  if (field == kWeekday && item.size() > 1) {
    if (const size_t mark = item.find('#'); mark != std::string_view::npos) return ReadCounted(item, mark);
    if (item.ends_with('L') || item.ends_with('l')) return ReadCounted(item, item.size() - 1);
  }
  const size_t slash = item.find('/');
  const std::string_view range = item.substr(0, slash);
  const size_t dash = range.find('-');
  const bool whole = range == "*";
  const auto from = whole ? kKinds[field].low : ValueOf(field, range.substr(0, dash));
  auto to = whole ? kKinds[field].high - (field == kWeekday ? 1 : 0) : from;
  if (!whole && dash != std::string_view::npos) to = ValueOf(field, range.substr(dash + 1));
  if (field == kWeekday && from && to && *to == 0 && *from > 0) to = 7;  // FRI-SUN
  const auto step =
      slash == std::string_view::npos ? std::optional<int64_t>(1) : base::ParseInt64(item.substr(slash + 1));
  if (!from || !to || !step || *step < 1 || *step > 99 || *to < *from) return NotInField(field, item);
  if (slash != std::string_view::npos && !whole && dash == std::string_view::npos) {
    return Malformed(fmt::format("\"{0}\" steps over one {1}, which crons read differently; write {2}-{3}/{4}", item,
                                 kKinds[field].name, *from, kKinds[field].high, *step));
  }
  for (int value = *from; value <= *to; value += static_cast<int>(*step)) {
    bits_[field] |= uint64_t{1} << (field == kWeekday ? value % 7 : value);
  }
  return {};
}

base::Result<void> Cron::ReadField(Field field, std::string_view text) {
  written_[field] = text;
  star_[field] = text.starts_with('*');
  for (const auto item : Split(text, ",")) SLIPWAY_TRY(ReadItem(field, item));
  return {};
}

base::Result<Cron> Cron::Parse(std::string_view text) {
  text = base::Trim(text);
  if (text.size() > 1024) return Malformed("a cron line of more than 1,024 characters");
  if (text.starts_with('@')) {
    const auto* known = std::ranges::find(kNicknames, text, &std::pair<std::string_view, std::string_view>::first);
    if (known == kNicknames.end()) {
      return Malformed(
          fmt::format("\"{}\" is not known; write @hourly, @daily, @weekly, @monthly, @yearly, or @every 10m",
                      base::Shorten(text)));
    }
    text = known->second;
  }
  auto fields = Split(text, " \t");
  std::erase(fields, std::string_view());
  if (fields.size() != kFields) {
    return Malformed(
        fmt::format("a cron line has five fields, not {}: minute, hour, day of the month, month, day of the week, such "
                    "as \"15 2 * * *\" for 02:15 each day",
                    fields.size()));
  }
  Cron cron;
  for (uint8_t i = 0; i < kFields; ++i) SLIPWAY_TRY(cron.ReadField(static_cast<Field>(i), fields[i]));
  if (!cron.Next(local_days(std::chrono::January / 1 / 2000))) {
    return Malformed(fmt::format("the days of \"{}\" never come", base::Shorten(text)));
  }
  return cron;
}

bool Cron::counts_days() const {
  return last_day_ || std::ranges::any_of(counted_, [](uint8_t bits) { return bits != 0; });
}

bool Cron::HasWeekday(year_month_day day) const {
  const auto weekday = std::chrono::weekday(local_days(day)).c_encoding();
  if (bits_[kWeekday] >> weekday & 1) return true;
  const uint8_t counted = counted_[weekday];
  const unsigned number = static_cast<unsigned>(day.day());
  const bool last =
      (counted & kLastBit) && (local_days(day) + days(7)) > local_days(day.year() / day.month() / std::chrono::last);
  return last || (counted >> ((number - 1) / 7) & 1);
}

bool Cron::HasDay(year_month_day day) const {
  const bool in_month = (bits_[kDay] >> static_cast<unsigned>(day.day()) & 1) ||
                        (last_day_ && day == year_month_day(day.year() / day.month() / std::chrono::last));
  const bool in_week = HasWeekday(day);
  return either_day() ? in_month || in_week : in_month && in_week;
}

std::optional<local_seconds> Cron::Next(local_seconds from) const {
  const auto first = std::chrono::ceil<minutes>(from);
  const auto first_day = std::chrono::floor<days>(first);
  const auto end = first_day + days(366 * 50);
  for (auto day = first_day; day < end;) {
    const year_month_day date(day);
    if (!(bits_[kMonth] >> static_cast<unsigned>(date.month()) & 1)) {
      day = local_days((date.year() / date.month() + std::chrono::months(1)) / 1);
      continue;
    }
    if (HasDay(date)) {
      const int64_t start = day == first_day ? (first - day).count() : 0;  // a minute of the day
      for (int64_t hour = start / 60; hour < 24; ++hour) {
        if (!(bits_[kHour] >> hour & 1)) continue;
        const int64_t least = hour == start / 60 ? start % 60 : 0;
        if (const uint64_t left = bits_[kMinute] >> least) {
          return day + std::chrono::hours(hour) + minutes(least + std::countr_zero(left));
        }
      }
    }
    day += days(1);
  }
  return std::nullopt;
}

std::string Cron::Text(Field field) const {
  if (star_[field]) return written_[field];
  std::vector<std::string> items;
  if (bits_[field] != 0) items.push_back(Listed(bits_[field]));
  if (field == kDay && last_day_) items.emplace_back("L");
  if (field == kWeekday) {
    for (size_t day = 0; day < counted_.size(); ++day) {
      for (int number = 1; number <= 5; ++number) {
        if (counted_[day] >> (number - 1) & 1) items.push_back(fmt::format("{}#{}", day, number));
      }
      if (counted_[day] & kLastBit) items.push_back(fmt::format("{}L", day));
    }
  }
  return fmt::format("{}", fmt::join(items, ","));
}

std::string Cron::Text() const {
  return fmt::format("{} {} {} {} {}", Text(kMinute), Text(kHour), Text(kDay), Text(kMonth), Text(kWeekday));
}

}  // namespace slipway::batch
