#pragma once
// TimeZone: what the clocks on the walls of a place show, by the system's time-zone database (tzdata).

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"

namespace slipway::batch {

using Instant = std::chrono::sys_seconds;
using LocalTime = std::chrono::local_seconds;

/// Copies are cheap. Thread-safety: const access from any thread.
class TimeZone {
 public:
  static TimeZone Utc();
  /// "Europe/Berlin", "UTC". Error: invalid_argument "schedule.time_zone".
  static base::Result<TimeZone> Load(std::string_view name);

  const std::string& name() const { return name_; }
  std::chrono::seconds Offset(Instant time) const;
  LocalTime Local(Instant time) const { return LocalTime(time.time_since_epoch() + Offset(time)); }
  /// When the clocks show `local` for the first time. Of a time that they skip: when they are put forward.
  Instant First(LocalTime local) const;
  /// The next time after `time` at which the clocks are put forward or back; nullopt: never.
  std::optional<Instant> NextChange(Instant time) const;
  /// By strftime's letters.
  std::string Format(Instant time, const std::string& format) const;

 private:
  struct Rules;
  TimeZone(std::string name, std::shared_ptr<const Rules> rules) : name_(std::move(name)), rules_(std::move(rules)) {}
  std::string name_;
  std::shared_ptr<const Rules> rules_;
};

/// A time as people write it: "2026-11-25" (its midnight), "2026-11-25T02:15", both in `zone` unless they say another
/// ("…Z", "…+01:00"). nullopt: not such a text.
std::optional<Instant> ParseTime(std::string_view text, const TimeZone& zone);
/// "2026-11-26T01:15:00Z".
std::string FormatUtc(Instant time);

}  // namespace slipway::batch
