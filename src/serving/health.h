#pragma once
// Health: how this process is, measured against thresholds: what GET /health tells, and whether /readyz sends traffic
// away.

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/quantities.h"
#include "base/value.h"
#include "live/live_set.h"
#include "telemetry/recent_window.h"

namespace slipway::serving {

/// Past `warn` a check warns, past `fail` it fails and the process is not ready. Without a number it does neither.
struct Threshold {
  std::optional<double> warn, fail;
};

/// Of the last minute, but for memory. Latency, errors and overload have no default past which a replica leaves the
/// balancer: a slow or failing model, or too much traffic, would take every replica out at once.
struct HealthThresholds {
  Threshold memory{0.85, 0.97};                           ///< resident share of the cgroup's limit
  Threshold latency_seconds{std::nullopt, std::nullopt};  ///< p99 of prediction requests
  Threshold error_rate{0.01, std::nullopt};               ///< share of prediction requests answered 500 or above
  Threshold overload{0.05, std::nullopt};                 ///< share of prediction requests answered 429
  Threshold loop_lag_seconds{0.1, 2.0};                   ///< p99 of how late the io threads' timers ran
};

struct HealthOptions {
  HealthThresholds thresholds;
  int threads = 1;  ///< io threads
  std::string program_version;
  std::optional<base::Bytes> memory_limit;       ///< of the cgroup; nullopt: none, and no verdict on memory
  std::function<base::Bytes()> resident_memory;  ///< asked for at each report
  const base::Clock* clock = &base::Clock::System();
};

/// Lifecycle: starting until MarkStarted(), serving, draining from BeginDrain() on.
/// Thread-safety: Record() by one thread per index, everything else from any thread. Ownership: `live` outlives it.
class Health {
 public:
  Health(HealthOptions options, const live::LiveSet& live);

  /// One prediction request, answered with `status`.
  void Record(int thread, std::chrono::nanoseconds elapsed, int status);
  /// For HttpServerOptions::loop_lag.
  telemetry::RecentWindow& loop_lag() { return loop_lag_; }

  /// In place of those of the options; from the next report on.
  void SetThresholds(const HealthThresholds& thresholds);

  /// What was asked for at the start is loaded.
  void MarkStarted() { started_serving_.store(true, std::memory_order_relaxed); }
  void BeginDrain() { draining_.store(true, std::memory_order_relaxed); }

  /// Why this process should get no traffic ("starting", "draining", or the check that fails), or "" when it should.
  std::string_view UnreadyReason() const;

  /// What GET /health answers; `status` in it is "pass", "warn" or "fail".
  base::Value Report() const;

 private:
  enum class Verdict : uint8_t { kPass, kWarn, kFail };
  struct Check {
    std::string_view name;
    Verdict verdict;
    base::Value details;
  };
  static Verdict Judge(double value, const Threshold& threshold);
  Check Finish(std::string_view name, double value, const Threshold& threshold, base::Value details) const;
  HealthThresholds Thresholds() const;
  std::array<Check, 6> CheckAll() const;
  Check CheckMemory(const Threshold& threshold) const;
  Check CheckLatency(const telemetry::RecentWindow::Summary& requests, const Threshold& threshold) const;
  Check CheckErrors(const telemetry::RecentWindow::Summary& requests, const Threshold& threshold) const;
  Check CheckOverload(const telemetry::RecentWindow::Summary& requests, const Threshold& threshold) const;
  Check CheckLoop(const Threshold& threshold) const;
  Check CheckModels() const;
  std::string_view State() const;

  const HealthOptions options_;
  const live::LiveSet& live_;
  const base::SteadyTime started_;
  telemetry::RecentWindow requests_, refused_, loop_lag_;
  mutable std::mutex mutex_;  ///< guards thresholds_
  HealthThresholds thresholds_;
  std::atomic<bool> started_serving_{false}, draining_{false};
};

}  // namespace slipway::serving
