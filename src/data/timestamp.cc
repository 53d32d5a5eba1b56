#include "data/timestamp.h"

namespace slipway::data {
namespace {

constexpr int64_t kMicrosPerSecond = 1'000'000;
constexpr int64_t kMicrosPerDay = 86'400 * kMicrosPerSecond;

// Days since 1970-01-01 of a civil date, and back: Hinnant's days_from_civil and civil_from_days.
constexpr int64_t DaysFromCivil(int64_t year, unsigned month, unsigned day) {
  year -= month <= 2;
  const int64_t era = (year >= 0 ? year : year - 399) / 400;
  const auto year_of_era = static_cast<unsigned>(year - era * 400);
  const unsigned day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  const unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + static_cast<int64_t>(day_of_era) - 719'468;
}

constexpr bool IsLeap(int64_t year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

constexpr unsigned DaysInMonth(unsigned year, unsigned month) {
  constexpr unsigned kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && IsLeap(year) ? 29 : kDays[month - 1];
}

/// Reads fixed-width digits off a text.
struct Cursor {
  const char* at;
  const char* end;

  bool Done() const { return at == end; }
  bool Skip(char c) {
    if (at == end || *at != c) return false;
    ++at;
    return true;
  }
  bool Digits(int count, unsigned& value) {
    if (end - at < count) return false;
    unsigned sum = 0;
    for (int i = 0; i < count; ++i) {
      const auto digit = static_cast<unsigned>(static_cast<unsigned char>(at[i])) - '0';
      if (digit > 9) return false;
      sum = sum * 10 + digit;
    }
    at += count;
    value = sum;
    return true;
  }
};

// At least one digit; those past microseconds are cut.
bool ReadFraction(Cursor& cursor, int64_t& micros) {
  int64_t scale = kMicrosPerSecond / 10;
  const char* begin = cursor.at;
  for (; !cursor.Done(); ++cursor.at) {
    const auto digit = static_cast<unsigned>(static_cast<unsigned char>(*cursor.at)) - '0';
    if (digit > 9) break;
    micros += scale * digit;
    scale /= 10;
  }
  return cursor.at != begin;
}

bool ReadOffset(Cursor& cursor, int& minutes) {
  if (cursor.Skip('Z')) {
    minutes = 0;
    return true;
  }
  const int sign = *cursor.at == '-' ? -1 : 1;
  if (!cursor.Skip('+') && !cursor.Skip('-')) return false;
  unsigned hour = 0;
  unsigned minute = 0;
  if (!cursor.Digits(2, hour)) return false;
  cursor.Skip(':');
  if (!cursor.Digits(2, minute) || hour > 23 || minute > 59) return false;
  minutes = sign * static_cast<int>(hour * 60 + minute);
  return true;
}

void AppendDigits(std::string& out, int64_t value, int width) {
  char digits[20];
  for (int i = width; i-- > 0; value /= 10) digits[i] = static_cast<char>('0' + value % 10);
  out.append(digits, static_cast<size_t>(width));
}

}  // namespace

std::optional<int64_t> ParseTimestamp(std::string_view text, int zone_minutes) {
  Cursor cursor{text.data(), text.data() + text.size()};
  unsigned year = 0;
  unsigned month = 0;
  unsigned day = 0;
  if (!cursor.Digits(4, year) || !cursor.Skip('-') || !cursor.Digits(2, month) || !cursor.Skip('-') ||
      !cursor.Digits(2, day)) {
    return std::nullopt;
  }
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > DaysInMonth(year, month)) return std::nullopt;
  int64_t micros = DaysFromCivil(year, month, day) * kMicrosPerDay;
  int offset = zone_minutes;
  if (!cursor.Done()) {
    unsigned hour = 0;
    unsigned minute = 0;
    unsigned second = 0;
    if (!cursor.Skip('T') && !cursor.Skip(' ')) return std::nullopt;
    if (!cursor.Digits(2, hour) || !cursor.Skip(':') || !cursor.Digits(2, minute)) return std::nullopt;
    if (cursor.Skip(':')) {
      if (!cursor.Digits(2, second)) return std::nullopt;
      if (cursor.Skip('.') && !ReadFraction(cursor, micros)) return std::nullopt;
    }
    if (hour > 23 || minute > 59 || second > 59) return std::nullopt;
    micros += static_cast<int64_t>(hour * 3600 + minute * 60 + second) * kMicrosPerSecond;
    if (!cursor.Done() && (!ReadOffset(cursor, offset) || !cursor.Done())) return std::nullopt;
  }
  return micros - int64_t{offset} * 60 * kMicrosPerSecond;
}

void AppendTimestamp(std::string& out, int64_t microseconds) {
  const CivilTime time = ToCivil(microseconds);
  if (time.year < 0) out += '-';
  const int64_t year = time.year < 0 ? -time.year : time.year;
  AppendDigits(out, year, year > 99'999 ? 6 : year > 9'999 ? 5 : 4);
  out += '-';
  AppendDigits(out, time.month, 2);
  out += '-';
  AppendDigits(out, time.day, 2);
  out += 'T';
  AppendDigits(out, time.hour, 2);
  out += ':';
  AppendDigits(out, time.minute, 2);
  out += ':';
  AppendDigits(out, time.second, 2);
  if (time.microsecond != 0) {
    out += '.';
    AppendDigits(out, time.microsecond, 6);
  }
  out += 'Z';
}

CivilTime ToCivil(int64_t microseconds) {
  int64_t days = microseconds / kMicrosPerDay;
  int64_t rest = microseconds % kMicrosPerDay;
  if (rest < 0) {
    rest += kMicrosPerDay;
    --days;
  }
  CivilTime time{};
  time.microsecond = static_cast<int>(rest % kMicrosPerSecond);
  const auto seconds = static_cast<int>(rest / kMicrosPerSecond);
  time.hour = seconds / 3600;
  time.minute = seconds / 60 % 60;
  time.second = seconds % 60;
  time.weekday = static_cast<int>(((days % 7) + 7 + 3) % 7);  // 1970-01-01 was a Thursday

  const int64_t shifted = days + 719'468;
  const int64_t era = (shifted >= 0 ? shifted : shifted - 146'096) / 146'097;
  const auto day_of_era = static_cast<unsigned>(shifted - era * 146'097);
  const unsigned year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const unsigned march_day = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const unsigned march_month = (5 * march_day + 2) / 153;
  time.day = static_cast<int>(march_day - (153 * march_month + 2) / 5 + 1);
  time.month = static_cast<int>(march_month < 10 ? march_month + 3 : march_month - 9);
  time.year = static_cast<int64_t>(year_of_era) + era * 400 + (time.month <= 2);
  time.day_of_year = static_cast<int>(days - DaysFromCivil(time.year, 1, 1)) + 1;
  return time;
}

}  // namespace slipway::data
