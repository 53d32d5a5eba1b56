#pragma once
// SpanSender: the seam to the network that spans leave by.

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

namespace slipway::telemetry::otlp {

class SpanSender {
 public:
  enum class Outcome : uint8_t {
    kDelivered,
    kRefused,  ///< for good: sending the same again is of no use
    kRetry,    ///< not now
  };
  struct Answer {
    Outcome outcome = Outcome::kRetry;
    int64_t rejected_spans = 0;               ///< kDelivered: of a partial success
    std::chrono::nanoseconds retry_after{0};  ///< kRetry: as the collector asked; 0: it did not
    std::string text;                         ///< what went wrong, for the log
  };

  virtual ~SpanSender() = default;
  /// Sends one ExportTraceServiceRequest and waits for the answer. `give_up` is asked at least ten times a second; once
  /// it is true the attempt ends as kRetry. Called by one thread.
  virtual Answer Send(std::string_view body, const std::function<bool()>& give_up) = 0;
};

}  // namespace slipway::telemetry::otlp
