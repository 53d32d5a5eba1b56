#pragma once
// Circuit: whether something elsewhere that fails is asked at all. While it is open nobody asks; from time to time, at
// growing distances, one attempt finds out whether it is well again.

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "base/clock.h"

namespace slipway::serving {

/// Begins open, with the first attempt due at once. Thread-safety: one thread at a time.
class Circuit {
 public:
  static constexpr std::chrono::nanoseconds kFirst = std::chrono::milliseconds(100),
                                            kLongest = std::chrono::seconds(30);
  static constexpr int kSlowMost = 3;  ///< answers in a row that were late: it is to be opened

  bool closed() const { return closed_; }
  base::SteadyTime attempt_at() const { return attempt_at_; }  ///< while open

  /// An attempt went well: it may be asked. What follows tells whether it is well; only then (Succeed) is the next
  /// distance the first one again.
  void Close() {
    closed_ = true;
    slow_ = 0;
  }
  void Succeed() {
    slow_ = 0;
    distance_ = {};
  }
  /// `random`: spreads the attempts of many servers between half the distance and all of it.
  void Fail(base::SteadyTime now, uint64_t random) {
    closed_ = false;
    distance_ = std::clamp(distance_ * 2, kFirst, kLongest);
    const auto half = static_cast<uint64_t>(distance_.count()) / 2;
    attempt_at_ = now + std::chrono::nanoseconds(static_cast<int64_t>(half + random % (half + 1)));
  }
  /// An answer was late; true: one too many.
  bool BeSlow() { return ++slow_ >= kSlowMost; }

 private:
  bool closed_ = false;
  int slow_ = 0;
  std::chrono::nanoseconds distance_{0};
  base::SteadyTime attempt_at_ = base::SteadyTime::min();
};

}  // namespace slipway::serving
