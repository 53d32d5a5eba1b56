#include "batch/schedule/time_zone.h"

#include <absl/time/civil_time.h>
#include <absl/time/time.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "data/timestamp.h"

namespace slipway::batch {
namespace {

absl::Time TimeOf(Instant time) {
  return absl::FromUnixSeconds(time.time_since_epoch().count());
}

Instant InstantOf(absl::Time time) {
  return Instant(std::chrono::seconds(absl::ToUnixSeconds(time)));
}

/// Names, not paths: the database is a folder of files.
bool IsName(std::string_view name) {
  const bool letters = std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '+' ||
           c == '-' || c == '/';
  });
  return letters && !name.empty() && name.size() <= 64 && name.front() != '/';
}

}  // namespace

struct TimeZone::Rules {
  absl::TimeZone zone;
};

TimeZone TimeZone::Utc() {
  static const TimeZone utc("UTC", std::make_shared<Rules>(Rules{absl::UTCTimeZone()}));
  return utc;
}

base::Result<TimeZone> TimeZone::Load(std::string_view name) {
  Rules rules;
  if (!IsName(name) || !absl::LoadTimeZone({name.data(), name.size()}, &rules.zone)) {
    return base::Fail(
        base::Code::kInvalidArgument, "schedule.time_zone",
        fmt::format("the time zone \"{}\" is not known here; name one of the system's time-zone database (package "
                    "tzdata), such as Europe/Berlin or UTC",
                    base::Shorten(name)));
  }
  return TimeZone(std::string(name), std::make_shared<Rules>(rules));
}

std::chrono::seconds TimeZone::Offset(Instant time) const {
  return std::chrono::seconds(rules_->zone.At(TimeOf(time)).offset);
}

Instant TimeZone::First(LocalTime local) const {
  const auto seconds = local.time_since_epoch().count();
  const auto found = rules_->zone.At(absl::CivilSecond(1970, 1, 1) + seconds);
  return InstantOf(found.kind == absl::TimeZone::TimeInfo::SKIPPED ? found.trans : found.pre);
}

std::optional<Instant> TimeZone::NextChange(Instant time) const {
  absl::TimeZone::CivilTransition change;
  absl::Time from = TimeOf(time);
  while (rules_->zone.NextTransition(from, &change)) {
    // A change of the name alone, or of what counts as summer, moves no clock.
    const Instant at = InstantOf(rules_->zone.At(change.to).trans);
    if (Offset(at) != Offset(at - std::chrono::seconds(1))) return at;
    from = TimeOf(at);
  }
  return std::nullopt;
}

std::string TimeZone::Format(Instant time, const std::string& format) const {
  return absl::FormatTime(format, TimeOf(time), rules_->zone);
}

std::optional<Instant> ParseTime(std::string_view text, const TimeZone& zone) {
  const auto as_utc = data::ParseTimestamp(text, 0), elsewhere = data::ParseTimestamp(text, 60);
  if (!as_utc) return std::nullopt;
  const std::chrono::seconds seconds(*as_utc / 1'000'000);
  return as_utc == elsewhere ? Instant(seconds) : zone.First(LocalTime(seconds));
}

std::string FormatUtc(Instant time) {
  std::string text;
  data::AppendTimestamp(text, std::chrono::microseconds(time.time_since_epoch()).count());
  return text;
}

}  // namespace slipway::batch
