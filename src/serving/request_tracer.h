#pragma once
// RequestTracer: which trace a request belongs to, told to the caller and to the log, and its span, when it is sampled,
// to the collector. Never a value that a caller sent in a body or a query.

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "net/http_message.h"
#include "serving/request_note.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"
#include "telemetry/otlp/options.h"
#include "telemetry/otlp/span_exporter.h"
#include "telemetry/trace_sampler.h"

namespace slipway::serving {

/// Thread-safety: Begin() and End() by one thread per request.thread; Stop() after the last of them.
class RequestTracer {
 public:
  /// Sends nothing, but knows the traces of its callers.
  RequestTracer() : sampler_({.share = 0}) {}
  /// `exporter` has a ring for each thread. `scheme`: "http" or "https".
  RequestTracer(std::unique_ptr<telemetry::otlp::SpanExporter> exporter, const telemetry::SamplingOptions& sampling,
                std::string scheme)
      : exporter_(std::move(exporter)), sampler_(sampling), scheme_(std::move(scheme)) {}

  /// Before the head of the answer goes out: sets request.trace, and the answer's header `traceresponse`, when the
  /// request came with a trace or is sampled.
  void Begin(net::Request& request, net::Response& response) const;
  /// When it is answered: hands the span on, when it is sampled.
  void End(const net::Request& request, const net::Response& response, const RequestNote& note,
           std::chrono::nanoseconds elapsed);
  /// Sends what waits, within the exporter's bound.
  void Stop();

 private:
  bool Draws(const net::Request& request) const;

  std::unique_ptr<telemetry::otlp::SpanExporter> exporter_;  ///< nullptr: none
  telemetry::TraceSampler sampler_;
  std::string scheme_;
};

}  // namespace slipway::serving
