#include "batch/schedule/template.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>
#include <vector>

#include "base/text.h"

namespace slipway::batch {
namespace {

using std::chrono::seconds;

struct Name {
  std::string_view name, format;
  bool previous = false;
};
constexpr std::string_view kTimeFormat = "%Y-%m-%dT%H:%M:%S%Ez";
constexpr std::array<Name, 9> kNames = {{{"ds", "%Y-%m-%d"},
                                         {"ds_nodash", "%Y%m%d"},
                                         {"date", "%Y-%m-%d"},
                                         {"hour", "%H"},
                                         {"ts", kTimeFormat},
                                         {"ts_nodash", "%Y%m%dT%H%M%S"},
                                         {"data_interval_start", kTimeFormat, true},
                                         {"data_interval_end", kTimeFormat},
                                         {"prev_ds", "%Y-%m-%d", true}}};
/// Letters of strftime that give one line, the same in every language.
constexpr std::string_view kLetters = "YymdHIMSjaAbBuwVGUWeFTDRpsZz%";

std::unexpected<base::Error> Malformed(std::string message) {
  return base::Fail(base::Code::kInvalidArgument, "batch.template", std::move(message));
}

/// What stands between the braces, as it is worked on.
struct Filled {
  Instant time;
  std::string format;
};

base::Result<Filled> Named(std::string_view name, const Moment& moment) {
  const auto* known = std::ranges::find(kNames, name, &Name::name);
  if (known == kNames.end()) {
    std::vector<std::string> names;
    for (const auto& each : kNames) names.emplace_back(each.name);
    const auto nearest = base::DidYouMean(name, names);
    return Malformed(fmt::format("{{{{ {} }}}} is not known{}; known names: {}", base::Shorten(name), nearest,
                                 fmt::join(names, ", ")));
  }
  if (known->previous && !moment.previous) {
    return Malformed(
        fmt::format("{{{{ {} }}}} is the time before this one on the schedule, and the job has no "
                    "`schedule:`; use {{{{ ds | offset: -1d }}}}",
                    name));
  }
  return Filled{.time = known->previous ? *moment.previous : moment.time, .format = std::string(known->format)};
}

base::Result<void> Offset(std::string_view text, const TimeZone& zone, Filled& filled) {
  const std::string_view digits = text.substr(0, text.empty() ? 0 : text.size() - 1);
  const auto count = base::ParseInt64(digits);
  const char unit = text.empty() ? ' ' : text.back();
  constexpr std::string_view kUnits = "smhdw";
  constexpr std::array<int64_t, 5> kSeconds = {1, 60, 3600, 86'400, 7 * 86'400};
  const size_t at = kUnits.find(unit);
  if (!count || at == std::string_view::npos || *count < -100'000 || *count > 100'000) {
    return Malformed(
        fmt::format("offset takes a number and a unit (s, m, h, d, w), such as -1d, not \"{}\"", base::Shorten(text)));
  }
  const seconds by(*count * kSeconds[at]);
  // Days are those of the calendar, whatever the clocks did meanwhile.
  filled.time = unit == 'd' || unit == 'w' ? zone.First(zone.Local(filled.time) + by) : filled.time + by;
  return {};
}

base::Result<void> Format(std::string_view text, Filled& filled) {
  if (text.size() >= 2 && (text.front() == '\'' || text.front() == '"') && text.back() == text.front()) {
    text = text.substr(1, text.size() - 2);
  }
  for (size_t at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 2)) {
    if (at + 1 < text.size() && kLetters.find(text[at + 1]) != std::string_view::npos) continue;
    return Malformed(
        fmt::format("format: \"{}\" has no meaning; known letters: {}", base::Shorten(text.substr(at, 2)), kLetters));
  }
  filled.format = text;
  return {};
}

/// "filter: argument" or "filter(argument)".
std::pair<std::string_view, std::string_view> SplitFilter(std::string_view filter) {
  const size_t mark = std::min(filter.find_first_of(":("), filter.size());
  auto argument = filter.substr(std::min(mark + 1, filter.size()));
  if (mark < filter.size() && filter[mark] == '(' && argument.ends_with(')')) argument.remove_suffix(1);
  return {base::Trim(filter.substr(0, mark)), base::Trim(argument)};
}

/// "name | filter: argument | filter(argument) | …".
base::Result<std::string> Evaluate(std::string_view text, const Moment& moment) {
  std::string_view rest = text;
  const auto part = [&] {
    const size_t bar = std::min(rest.find('|'), rest.size());
    const auto found = base::Trim(rest.substr(0, bar));
    rest.remove_prefix(std::min(bar + 1, rest.size()));
    return found;
  };
  SLIPWAY_ASSIGN(auto filled, Named(part(), moment));
  while (!rest.empty()) {
    const auto [name, argument] = SplitFilter(part());
    if (name == "offset") {
      SLIPWAY_TRY(Offset(argument, moment.zone, filled));
    } else if (name == "format") {
      SLIPWAY_TRY(Format(argument, filled));
    } else {
      const std::vector<std::string> known = {"offset", "format"};
      return Malformed(fmt::format("the filter \"{}\" is not known{}; there are offset and format", base::Shorten(name),
                                   base::DidYouMean(name, known)));
    }
  }
  return moment.zone.Format(filled.time, filled.format);
}

std::unexpected<base::Error> Usage(std::string message) {
  return base::Fail(base::Code::kInvalidArgument, "usage", std::move(message));
}

base::Result<Instant> LatestOf(const Schedule* schedule, Instant now) {
  if (schedule == nullptr) return Usage("--date latest is the last time on the job's `schedule:`, and it has none");
  const auto latest = schedule->Latest(now);
  if (!latest) return Usage("--date latest: the job's `schedule:` has no time that has come");
  return *latest;
}

/// Kubernetes' CronJob calls its Jobs by the minute, counted from 1970, for which they run; people call theirs
/// otherwise.
base::Result<Instant> TimeOfCronJob(const Schedule* schedule, Instant now) {
  const char* given = std::getenv("JOB_NAME");
  if (given == nullptr) {
    return Usage(
        "--date auto takes its time from JOB_NAME, the name of a CronJob's Job, which is not set; name a time, "
        "or latest");
  }
  const std::string_view name = given;
  const auto minute = base::ParseInt64(name.substr(name.rfind('-') + 1));
  constexpr int64_t kLeast = 15'000'000, kMost = 225'000'000;  // of the years 1998 to 2397
  if (minute && *minute > kLeast && *minute < kMost) return Instant(std::chrono::minutes(*minute));
  return LatestOf(schedule, now);
}

base::Result<Instant> TimeOf(std::string_view text, const Schedule* schedule, const TimeZone& zone, Instant now) {
  if (text == "now") return now;
  if (text == "latest") return LatestOf(schedule, now);
  if (text == "auto") return TimeOfCronJob(schedule, now);
  if (const auto time = ParseTime(text, zone)) return *time;
  return Usage(
      fmt::format("--date takes now, latest, a day such as 2026-11-25 or a time such as 2026-11-25T02:15, not "
                  "\"{}\"",
                  base::Shorten(text)));
}

}  // namespace

base::Result<Moment> ParseMoment(std::string_view text, const Schedule* schedule, Instant now) {
  Moment moment{.time = now, .zone = schedule ? schedule->zone() : TimeZone::Utc(), .previous = std::nullopt};
  SLIPWAY_ASSIGN(moment.time, TimeOf(text, schedule, moment.zone, now));
  if (schedule != nullptr) moment.previous = schedule->Latest(moment.time - seconds(1));
  return moment;
}

base::Result<std::string> FillTemplate(std::string_view text, const Moment& moment) {
  std::string filled;
  while (true) {
    const size_t begin = text.find("{{");
    if (begin == std::string_view::npos) return filled += text;
    const size_t end = text.find("}}", begin);
    if (end == std::string_view::npos) {
      return Malformed(fmt::format("\"{}\" opens {{{{ and does not close it with }}}}", base::Shorten(text)));
    }
    filled += text.substr(0, begin);
    SLIPWAY_ASSIGN(const auto value, Evaluate(text.substr(begin + 2, end - begin - 2), moment));
    filled += value;
    text.remove_prefix(end + 2);
  }
}

base::Result<Job> FillTemplates(Job job, const Moment& moment) {
  base::Result<void> done;
  ForEachText(job, [&](std::string_view key, std::string& text) {
    auto filled = FillTemplate(text, moment);
    if (filled) {
      text = *std::move(filled);
    } else if (done) {
      done = std::unexpected(std::move(filled).error());
      done.error().message = fmt::format("`{}`: {}", key, done.error().message);
    }
  });
  if (!done) return std::unexpected(std::move(done).error());
  return job;
}

}  // namespace slipway::batch
