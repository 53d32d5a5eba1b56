#pragma once
// CircuitBreaker: stops asking a model that keeps failing, and looks from time to time whether it works again.

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string_view>

#include "base/clock.h"

namespace slipway::serving {

/// closed --(failures)--> open --(time)--> half-open --(success)--> closed
///                          ^------------(failure)------|
/// It opens after five failures in a row, or when half of twenty calls or more of the last ten seconds have failed.
/// Open, it lets nothing pass for a second, then one call; each failure of that one doubles the time, up to half a
/// minute.
///
/// Thread-safety: all methods from any thread; without failures they are one relaxed load.
class CircuitBreaker {
 public:
  static constexpr int kInARow = 5, kLeastCalls = 20;
  static constexpr std::chrono::seconds kFirstPause{1}, kLongestPause{30}, kWindow{10};

  /// Whether a call may try. One that may must be followed by Succeed(), Fail() or Withdraw().
  bool Allow(base::SteadyTime now);
  void Succeed(base::SteadyTime now);
  void Fail(base::SteadyTime now);
  /// It ended for a reason that says nothing of the model.
  void Withdraw();

  enum class State : uint8_t { kClosed, kOpen, kHalfOpen };
  State state() const;
  bool failed_lately() const { return !clean_.load(std::memory_order_relaxed); }
  int64_t openings() const { return openings_.load(std::memory_order_relaxed); }

 private:
  struct Second {
    int64_t at = 0;
    int64_t calls = 0, failures = 0;
  };
  void Count(base::SteadyTime now, bool failed);
  bool FailsTooOften(base::SteadyTime now) const;
  void Open(base::SteadyTime now);

  std::atomic<bool> clean_{true};  ///< closed, and nothing has failed lately
  std::atomic<int64_t> openings_{0};
  mutable std::mutex mutex_;  ///< guards what follows
  State state_ = State::kClosed;
  bool probing_ = false;
  int in_a_row_ = 0;
  std::chrono::seconds pause_ = kFirstPause;
  base::SteadyTime until_;
  std::array<Second, 10> seconds_{};
};

/// "closed", "open", "half_open"
std::string_view BreakerStateName(CircuitBreaker::State state);

}  // namespace slipway::serving
