#pragma once
// Cron: the five fields of crontab(5), as sets. It knows days and times on the clock, and no time zone.

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace slipway::batch {

/// minute hour day-of-month month day-of-week. A field is a list of values, ranges and steps: "*", "5", "1-5", "*/10",
/// "8-18/2", "MON-FRI"; names of months and days in any case; days of the week 0 to 7, both of which are Sunday. In
/// the day of the month "L" is the last; in the day of the week "5L" or "FRIL" the last Friday of the month, "MON#1"
/// the first Monday. Also "@hourly", "@daily" or "@midnight", "@weekly", "@monthly", "@yearly" or "@annually".
///
/// A day counts when both of its fields agree, or, when neither begins with a star, when one of them does (crontab(5)).
/// Immutable. Thread-safety: const access from any thread.
class Cron {
 public:
  /// Error: invalid_argument "schedule.cron" that names the field and what may stand there; also for days that never
  /// come (30 February).
  static base::Result<Cron> Parse(std::string_view text);

  /// The first minute from `from` on that the fields name; nullopt: none in the next 50 years.
  std::optional<std::chrono::local_seconds> Next(std::chrono::local_seconds from) const;

  /// Whether the minute or the hour begins with a star: it then follows the time that passes, not the clock's hours.
  bool follows_time() const { return star_[kMinute] || star_[kHour]; }

  enum Field : uint8_t { kMinute, kHour, kDay, kMonth, kWeekday };
  static constexpr int kFields = 5;
  bool star(Field field) const { return star_[field]; }
  /// What a field names, without the days that are counted from the end or the beginning of a month.
  uint64_t bits(Field field) const { return bits_[field]; }
  bool last_day() const { return last_day_; }
  /// Bit n - 1: the nth such day of a month; bit 5: the last one.
  const std::array<uint8_t, 7>& counted_weekdays() const { return counted_; }
  bool counts_days() const;
  /// Whether one of two restricted fields is enough.
  bool either_day() const { return !star_[kDay] && !star_[kWeekday]; }

  /// The five fields in a form that every cron reads alike: numbers alone, Sunday 0, lists and ranges. A field that
  /// begins with a star stays as it was written.
  std::string Text() const;
  std::string Text(Field field) const;

 private:
  Cron() = default;
  base::Result<void> ReadField(Field field, std::string_view text);
  base::Result<void> ReadItem(Field field, std::string_view item);
  base::Result<void> ReadCounted(std::string_view item, size_t mark);
  bool HasDay(std::chrono::year_month_day day) const;
  bool HasWeekday(std::chrono::year_month_day day) const;

  std::array<uint64_t, kFields> bits_{};
  std::array<bool, kFields> star_{};
  std::array<std::string, kFields> written_;
  bool last_day_ = false;
  std::array<uint8_t, 7> counted_{};
};

}  // namespace slipway::batch
