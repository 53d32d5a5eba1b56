// A cron line, a template and a time, each on a line: what people write into job.yaml.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "batch/schedule/schedule.h"
#include "batch/schedule/template.h"

namespace {

using namespace slipway::batch;

void Check(bool holds) {
  if (!holds) std::abort();
}

const TimeZone& Zone() {
  static const TimeZone zone = *TimeZone::Load("Europe/Berlin");
  return zone;
}

std::string_view TakeLine(std::string_view& text) {
  const size_t end = std::min(text.find('\n'), text.size());
  const auto line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

void CheckSchedule(const Schedule& schedule, Instant from) {
  const auto next = schedule.Next(from);
  if (!next) return;
  Check(*next > from);
  Check(schedule.Latest(*next) == next);
  const auto after = schedule.Next(*next);
  Check(!after || *after > *next);
  const Cron* cron = schedule.cron();
  if (cron == nullptr) return;
  const auto again = Cron::Parse(cron->Text());
  Check(again.has_value() && again->Text() == cron->Text());
  Check(Schedule::Create(cron->Text(), Zone())->Next(from) == next);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto line = TakeLine(text), pattern = TakeLine(text);
  const auto time = ParseTime(TakeLine(text), Zone());
  const Instant from = time.value_or(Instant(std::chrono::seconds(1'774'742'400)));
  const auto schedule = Schedule::Create(line, Zone());
  const bool asked = from > Instant() && from < Instant(std::chrono::seconds(7'258'118'400));
  if (schedule && asked) CheckSchedule(*schedule, from);
  const Moment moment{.time = from, .zone = Zone(), .previous = from - std::chrono::hours(1)};
  const auto filled = FillTemplate(pattern, moment);
  Check(pattern.find("{{") != std::string_view::npos || filled == std::string(pattern));
  return 0;
}
