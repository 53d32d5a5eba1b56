#include "batch/daemon/run.h"

#include <algorithm>
#include <array>

#include "data/timestamp.h"

namespace slipway::batch {
namespace {

constexpr std::array<std::string_view, 6> kStates = {"queued", "running", "waiting", "done", "failed", "skipped"};

base::Value OrNull(const std::optional<Millisecond>& time) {
  return time ? base::Value(FormatMillisecond(*time)) : base::Value();
}

base::Value OrNull(const std::string& text) {
  return text.empty() ? base::Value() : base::Value(text);
}

}  // namespace

std::string_view RunStateName(RunState state) {
  return kStates[static_cast<size_t>(state)];
}

std::optional<RunState> RunStateOf(std::string_view name) {
  const auto* found = std::ranges::find(kStates, name);
  return found == kStates.end() ? std::nullopt : std::optional(static_cast<RunState>(found - kStates.begin()));
}

std::string FormatMillisecond(Millisecond time) {
  std::string text;
  data::AppendTimestamp(text, std::chrono::microseconds(time.time_since_epoch()).count());
  if (const size_t dot = text.find('.'); dot != std::string::npos) text.erase(dot + 4, 3);
  return text;
}

base::Value ToValue(const Run& run) {
  auto value = base::Value::Map();
  value.Set("job", run.job).Set("scheduled", FormatUtc(run.scheduled)).Set("state", RunStateName(run.state));
  value.Set("attempts", run.attempts).Set("due", FormatMillisecond(run.due));
  value.Set("started", OrNull(run.started)).Set("ended", OrNull(run.ended));
  if (run.next_attempt) value.Set("next_attempt", FormatMillisecond(*run.next_attempt));
  value.Set("exit_code", run.exit_code ? base::Value(*run.exit_code) : base::Value());
  value.Set("rows", run.rows).Set("rejected", run.rejected).Set("output", OrNull(run.output));
  value.Set("digest", OrNull(run.digest)).Set("folder", OrNull(run.folder)).Set("message", OrNull(run.message));
  if (run.skipped > 0) value.Set("skipped", run.skipped);
  return value;
}

}  // namespace slipway::batch
