#pragma once
// Run: a job at one time of its schedule, from when it came due to its end, with all its attempts.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/value.h"
#include "batch/schedule/time_zone.h"

namespace slipway::batch {

/// Times of the daemon's own doings.
using Millisecond = std::chrono::sys_time<std::chrono::milliseconds>;

enum class RunState : uint8_t {
  kQueued,   ///< due, and not begun
  kRunning,  ///< a process works on it, or did when the daemon died
  kWaiting,  ///< between two attempts
  kDone,
  kFailed,
  kSkipped,  ///< left out, alone or with others before it
};
/// "queued", …
std::string_view RunStateName(RunState state);
std::optional<RunState> RunStateOf(std::string_view name);

struct Run {
  int64_t id = 0;
  std::string job;
  Instant scheduled;
  RunState state = RunState::kQueued;
  int64_t attempts = 0;                       ///< begun; without those that the daemon's own end cut short
  Millisecond due;                            ///< when it was queued or skipped
  std::optional<Millisecond> started, ended;  ///< of the first attempt; of the run
  std::optional<Millisecond> next_attempt;    ///< of one that waits
  std::optional<int64_t> exit_code;           ///< of the last attempt; nullopt: none, or a signal
  int64_t rows = 0, rejected = 0;             ///< of one that is done
  int64_t skipped = 0;                        ///< times left out, of which `scheduled` is the last
  std::string output, digest, folder, message;

  bool open() const { return state == RunState::kQueued || state == RunState::kRunning || state == RunState::kWaiting; }
};

/// As `slipway batch history --json` shows it.
base::Value ToValue(const Run& run);

/// "2026-11-26T01:15:00.250Z".
std::string FormatMillisecond(Millisecond time);

}  // namespace slipway::batch
