#pragma once
// Schedule: at which times a job is due, and what becomes of times at which it could not run.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/error.h"
#include "base/value.h"
#include "batch/schedule/cron.h"
#include "batch/schedule/time_zone.h"

namespace slipway::batch {

/// What is done about times that passed while the daemon was down, or while the job was busy with an earlier one.
enum class CatchUp : uint8_t {
  kNone,    ///< they are left out
  kLatest,  ///< only the last one is made up for
  kAll,     ///< each, oldest first
};
/// "none", "latest", "all".
std::string_view CatchUpName(CatchUp catch_up);

/// A cron line in a time zone, or a period. Where clocks are put forward or back:
///
/// - a line with fixed minutes and hours runs once for each time that it names: of a time that the clock skips, at the
///   moment in which it is put forward; of a time that the clock shows twice, the first time;
/// - a line whose minute or hour begins with a star follows the time that passes: nothing in the hour that is skipped,
///   and both hours of two that look alike.
///
/// So does Debian's cron. Periods count from 1970-01-01T00:00:00Z.
/// Immutable. Thread-safety: const access from any thread.
class Schedule {
 public:
  /// A cron line, or "@every 10m". Errors: "schedule.cron", "schedule.every".
  static base::Result<Schedule> Create(std::string_view when, TimeZone zone = TimeZone::Utc(),
                                       CatchUp catch_up = CatchUp::kLatest);
  /// What stands under `schedule:` in job.yaml: a line, or a map of cron, time_zone, catch_up. Errors: those of Create,
  /// "schedule.time_zone", "manifest.…".
  static base::Result<Schedule> FromValue(const base::Value& value);

  /// The first time after `time`; nullopt: none.
  std::optional<Instant> Next(Instant time) const;
  /// The last time at or before `time`; nullopt: none in 50 years.
  std::optional<Instant> Latest(Instant time) const;
  /// How many times there are after `after` and up to `until`, at most `most`.
  int64_t Count(Instant after, Instant until, int64_t most) const;

  const TimeZone& zone() const { return zone_; }
  CatchUp catch_up() const { return catch_up_; }
  /// nullptr: a period.
  const Cron* cron() const { return std::get_if<Cron>(&when_); }
  std::chrono::seconds period() const { return std::get<std::chrono::seconds>(when_); }
  /// As it was written, with its zone: "15 2 * * * Europe/Berlin".
  std::string Text() const { return text_ + " " + zone_.name(); }
  const std::string& line() const { return text_; }

 private:
  Schedule(std::string text, std::variant<Cron, std::chrono::seconds> when, TimeZone zone, CatchUp catch_up)
      : text_(std::move(text)), when_(std::move(when)), zone_(std::move(zone)), catch_up_(catch_up) {}
  std::optional<Instant> NextOnTheClock(const Cron& cron, Instant time) const;
  std::optional<Instant> NextInTime(const Cron& cron, Instant time) const;

  std::string text_;
  std::variant<Cron, std::chrono::seconds> when_;
  TimeZone zone_;
  CatchUp catch_up_;
};

}  // namespace slipway::batch
