#pragma once
// Clock is the seam to time. Everything that waits or measures takes one, so tests wind it by hand.

#include <atomic>
#include <chrono>
#include <stop_token>

namespace slipway::base {

using SteadyTime = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::system_clock::time_point;

/// Thread-safety: all methods from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual SteadyTime Now() const = 0;
  virtual WallTime WallNow() const = 0;

  static const Clock& System();
};

/// A clock that only moves when told to.
class ManualClock final : public Clock {
 public:
  SteadyTime Now() const override { return SteadyTime(std::chrono::nanoseconds(nanoseconds_.load())); }
  WallTime WallNow() const override {
    return WallTime(std::chrono::duration_cast<WallTime::duration>(std::chrono::nanoseconds(nanoseconds_.load())));
  }
  void Advance(std::chrono::nanoseconds by) { nanoseconds_ += by.count(); }

 private:
  std::atomic<int64_t> nanoseconds_{1'000'000'000};
};

/// When to give up: a point in time, a stop request, or both. Cheap to copy; checked between chunks of work.
struct Deadline {
  SteadyTime at = SteadyTime::max();
  std::stop_token stop;
  const Clock* clock = &Clock::System();

  bool Expired() const { return at != SteadyTime::max() && clock->Now() >= at; }
  bool Stopped() const { return stop.stop_requested(); }
};

}  // namespace slipway::base
