#pragma once
// One line per request, as many as the operator asked for, never a value that a caller sent.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "net/http_message.h"
#include "serving/request_note.h"
#include "telemetry/log.h"

namespace slipway::serving {

/// Thread-safety: Write() by one thread per request.thread. Ownership: the log outlives it.
class RequestLog {
 public:
  RequestLog(telemetry::Log& log, int threads, int lines_per_second);

  /// Takes effect in each thread's next second. From any thread.
  void SetLinesPerSecond(int lines) { lines_per_second_.store(lines, std::memory_order_relaxed); }

  /// Writes the line, or counts it as skipped.
  void Write(const net::Request& request, const net::Response& response, const RequestNote& note,
             std::chrono::nanoseconds elapsed);

 private:
  struct alignas(64) Budget {
    int64_t second = -1;
    int left = 0;
    int64_t skipped = 0;
  };
  bool Take(Budget& budget, const net::Request& request, int status) const;

  telemetry::Log& log_;
  std::atomic<int> lines_per_second_;
  std::vector<Budget> budgets_;
};

}  // namespace slipway::serving
