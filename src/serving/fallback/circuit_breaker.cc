#include "serving/fallback/circuit_breaker.h"

#include <algorithm>
#include <utility>

namespace slipway::serving {
namespace {

int64_t SecondOf(base::SteadyTime time) {
  return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
}

}  // namespace

bool CircuitBreaker::Allow(base::SteadyTime now) {
  if (clean_.load(std::memory_order_relaxed)) return true;
  const std::lock_guard lock(mutex_);
  if (state_ == State::kClosed) return true;
  if (state_ == State::kOpen) {
    if (now < until_) return false;
    state_ = State::kHalfOpen;
  }
  return !std::exchange(probing_, true);
}

void CircuitBreaker::Succeed(base::SteadyTime now) {
  if (clean_.load(std::memory_order_relaxed)) return;
  const std::lock_guard lock(mutex_);
  in_a_row_ = 0;
  if (state_ == State::kHalfOpen) {
    state_ = State::kClosed;
    probing_ = false;
    pause_ = kFirstPause;
    seconds_ = {};
  }
  if (state_ != State::kClosed) return;  // of a call that began before it opened
  Count(now, false);
  const int64_t oldest = SecondOf(now) - kWindow.count();
  const bool failed = std::ranges::any_of(seconds_, [&](const Second& s) { return s.at > oldest && s.failures > 0; });
  if (!failed) clean_.store(true, std::memory_order_relaxed);
}

void CircuitBreaker::Fail(base::SteadyTime now) {
  const std::lock_guard lock(mutex_);
  clean_.store(false, std::memory_order_relaxed);
  if (state_ == State::kHalfOpen) {
    pause_ = std::min(pause_ * 2, kLongestPause);
    Open(now);
  } else if (state_ == State::kClosed) {
    Count(now, true);
    if (++in_a_row_ >= kInARow || FailsTooOften(now)) Open(now);
  }
}

void CircuitBreaker::Withdraw() {
  if (clean_.load(std::memory_order_relaxed)) return;
  const std::lock_guard lock(mutex_);
  probing_ = false;
}

void CircuitBreaker::Open(base::SteadyTime now) {
  state_ = State::kOpen;
  probing_ = false;
  in_a_row_ = 0;
  until_ = now + pause_;
  openings_.fetch_add(1, std::memory_order_relaxed);
}

void CircuitBreaker::Count(base::SteadyTime now, bool failed) {
  const int64_t second = SecondOf(now);
  Second& slot = seconds_[static_cast<size_t>(second) % seconds_.size()];
  if (slot.at != second) slot = {.at = second};
  ++slot.calls;
  slot.failures += failed;
}

bool CircuitBreaker::FailsTooOften(base::SteadyTime now) const {
  int64_t calls = 0, failures = 0;
  for (const Second& second : seconds_) {
    if (second.at <= SecondOf(now) - kWindow.count()) continue;
    calls += second.calls;
    failures += second.failures;
  }
  return calls >= kLeastCalls && failures * 2 >= calls;
}

CircuitBreaker::State CircuitBreaker::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

std::string_view BreakerStateName(CircuitBreaker::State state) {
  constexpr std::string_view kNames[] = {"closed", "open", "half_open"};
  return kNames[static_cast<size_t>(state)];
}

}  // namespace slipway::serving
