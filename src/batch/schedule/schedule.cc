#include "batch/schedule/schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/quantities.h"
#include "base/text.h"
#include "bundle/manifest/section_reader.h"

namespace slipway::batch {
namespace {

using std::chrono::seconds;

constexpr std::string_view kEvery = "@every ";
constexpr std::array<std::string_view, 3> kCatchUps = {"none", "latest", "all"};
/// What calendars are asked about; later than that nobody runs anything.
constexpr Instant kLastInstant = std::chrono::sys_days(std::chrono::January / 1 / 2400);

base::Result<seconds> ParsePeriod(std::string_view text) {
  const auto duration = base::ParseDuration(base::Trim(text));
  const auto period = std::chrono::duration_cast<seconds>(duration.value_or(std::chrono::nanoseconds(0)));
  if (duration && period == *duration && period >= seconds(1) && period <= std::chrono::days(366)) return period;
  return base::Fail(base::Code::kInvalidArgument, "schedule.every",
                    fmt::format("@every takes whole seconds up to 366 days with their unit, such as @every 90s or "
                                "@every 12h, not \"{}\"",
                                base::Shorten(text)));
}

}  // namespace

std::string_view CatchUpName(CatchUp catch_up) {
  return kCatchUps[static_cast<size_t>(catch_up)];
}

base::Result<Schedule> Schedule::Create(std::string_view when, TimeZone zone, CatchUp catch_up) {
  when = base::Trim(when);
  if (when.starts_with(kEvery)) {
    SLIPWAY_ASSIGN(const auto period, ParsePeriod(when.substr(kEvery.size())));
    return Schedule(std::string(when), period, std::move(zone), catch_up);
  }
  SLIPWAY_ASSIGN(auto cron, Cron::Parse(when));
  return Schedule(std::string(when), std::move(cron), std::move(zone), catch_up);
}

base::Result<Schedule> Schedule::FromValue(const base::Value& value) {
  if (value.is_string()) return Create(value.string());
  bundle::SectionReader reader(value, "schedule", {"cron", "time_zone", "catch_up"});
  const std::string line = reader.RequiredText("cron");
  const std::string name = reader.Text("time_zone").value_or("UTC");
  const std::string policy = reader.Text("catch_up").value_or("latest");
  const auto* known = std::ranges::find(kCatchUps, policy);
  if (known == kCatchUps.end()) {
    reader.Reject("catch_up", "schedule.catch_up",
                  fmt::format("`schedule.catch_up` is none, latest or all, not \"{}\"", base::Shorten(policy)));
  }
  SLIPWAY_TRY(reader.Finish());
  SLIPWAY_ASSIGN(auto zone, TimeZone::Load(name));
  return Create(line, std::move(zone), static_cast<CatchUp>(known - kCatchUps.begin()));
}

std::optional<Instant> Schedule::NextOnTheClock(const Cron& cron, Instant time) const {
  // Times on the clock map to instants in order, those that it skips all to the end of the gap.
  auto from = std::chrono::floor<std::chrono::minutes>(zone_.Local(time));
  while (const auto local = cron.Next(from)) {
    const Instant found = zone_.First(*local);
    if (found > time) return found;
    from = std::chrono::floor<std::chrono::minutes>(*local) + std::chrono::minutes(1);
  }
  return std::nullopt;
}

std::optional<Instant> Schedule::NextInTime(const Cron& cron, Instant time) const {
  // Between two changes of the clocks the offset is one number.
  for (Instant begin = time + seconds(1); begin < kLastInstant;) {
    const auto offset = zone_.Offset(begin);
    const auto end = zone_.NextChange(begin);
    const auto local = cron.Next(LocalTime(begin.time_since_epoch() + offset));
    if (!local) return std::nullopt;
    const Instant found(local->time_since_epoch() - offset);
    if (!end || found < *end) return found;
    begin = *end;
  }
  return std::nullopt;
}

std::optional<Instant> Schedule::Next(Instant time) const {
  const Cron* line = cron();
  std::optional<Instant> next;
  if (line == nullptr) {
    const auto count = std::chrono::floor<seconds>(time).time_since_epoch() / period();
    next = Instant((count + 1) * period());
  } else {
    next = line->follows_time() ? NextInTime(*line, time) : NextOnTheClock(*line, time);
  }
  return next && *next < kLastInstant ? next : std::nullopt;
}

std::optional<Instant> Schedule::Latest(Instant time) const {
  using std::chrono::days;
  if (cron() == nullptr) return Instant(time.time_since_epoch() / period() * period());
  for (const seconds window : {seconds(3600), seconds(days(2)), seconds(days(8)), seconds(days(32)), seconds(days(366)),
                               seconds(days(366 * 9)), seconds(days(366 * 50))}) {
    std::optional<Instant> found;
    for (auto next = Next(time - window); next && *next <= time; next = Next(*next)) found = next;
    if (found) return found;
  }
  return std::nullopt;
}

int64_t Schedule::Count(Instant after, Instant until, int64_t most) const {
  int64_t count = 0;
  for (auto next = Next(after); next && *next <= until && count < most; next = Next(*next)) ++count;
  return count;
}

}  // namespace slipway::batch
