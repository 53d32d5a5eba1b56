#pragma once
// How long a process that ended is left alone before it is started again.

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace slipway::engine::isolated {

struct RestartOptions {
  std::chrono::nanoseconds first{std::chrono::milliseconds(250)};  ///< before the second start in a row
  std::chrono::nanoseconds most{std::chrono::seconds(30)};
  /// A process that was up for so long was well: the next end is the first in a row again.
  std::chrono::nanoseconds healthy{std::chrono::minutes(1)};
};

/// At once after the first end; after each one more in a row twice as long as before, less a random part of up to a
/// half, so that servers that lost the same model do not all start it at the same moment. Thread-safety: one thread.
class RestartSchedule {
 public:
  explicit RestartSchedule(const RestartOptions& options) : options_(options) {}
  /// A process that was up for so long has ended (0: it never was). `random`: from 0 to 1.
  std::chrono::nanoseconds Next(std::chrono::nanoseconds up, double random) {
    if (up >= options_.healthy) pause_ = std::chrono::nanoseconds(0);
    const auto pause = pause_;
    pause_ = pause.count() == 0 ? options_.first : std::min(2 * pause, options_.most);
    return std::chrono::nanoseconds(static_cast<int64_t>(static_cast<double>(pause.count()) * (1 - random / 2)));
  }

 private:
  const RestartOptions options_;
  std::chrono::nanoseconds pause_{0};
};

}  // namespace slipway::engine::isolated
