#pragma once
// NextActions: the policy of the daemon, apart from its mechanism: what is to be done now, from the schedules and what
// the history says, and when to look again.

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "batch/daemon/run.h"
#include "batch/schedule/periodic.h"

namespace slipway::batch {

/// What is known of a job.
struct JobView {
  const Periodic* periodic = nullptr;  ///< nullptr: its file is gone or broken; runs that have begun go on
  Instant since;                       ///< times up to this one were never the daemon's to run
  std::optional<Instant> last;         ///< the latest time that the history has
  std::optional<Run> open;             ///< the one that is queued, running or waiting
  std::optional<Millisecond> alive;    ///< since when a process works on it
  bool asked_to_stop = false;          ///< and was told to end
};

struct Action {
  enum class Kind : uint8_t {
    kQueue,    ///< `scheduled` has come
    kSkip,     ///< `count` times, of which `scheduled` is the last, are left out
    kStart,    ///< an attempt
    kTimeOut,  ///< the attempt has taken longer than it may: its process is told to end
  };
  Kind kind;
  size_t job = 0;  ///< index into the views
  Instant scheduled = {};
  int64_t count = 1;
  friend bool operator==(const Action&, const Action&) = default;
};

struct Actions {
  std::vector<Action> now;
  std::optional<Millisecond> wake;  ///< nothing is to be done before that, unless a process ends
};

/// A time that is older than this when it is noticed is missed: for `catch_up: none`, it is left out.
inline constexpr std::chrono::seconds kOnTime{60};
/// Times that a message of skipped ones counts; beyond, it says "or more".
inline constexpr int64_t kMostCounted = 100'000;

/// A job has one open run at most. While it has, times that come are not noticed; when it has none any more, they are
/// taken as missed ones are. Runs start in the order of their times, `concurrency` at once.
Actions NextActions(std::span<const JobView> jobs, Millisecond now, int64_t concurrency);

}  // namespace slipway::batch
