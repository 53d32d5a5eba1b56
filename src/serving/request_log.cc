#include "serving/request_log.h"

#include <utility>

#include "net/route_table.h"
#include "telemetry/trace_context.h"

namespace slipway::serving {
namespace {

constexpr std::string_view kPhaseKeys[kPhases] = {"decode_ms", "validate_ms", "features_ms",
                                                  "infer_ms",  "outputs_ms",  "encode_ms"};

}  // namespace

RequestLog::RequestLog(telemetry::Log& log, int threads, int lines_per_second)
    : log_(log), lines_per_second_(lines_per_second), budgets_(static_cast<size_t>(threads)) {}

bool RequestLog::Take(Budget& budget, const net::Request& request, int status) const {
  const int64_t second = std::chrono::duration_cast<std::chrono::seconds>(request.received.time_since_epoch()).count();
  if (second != budget.second) {
    budget.second = second;
    budget.left = lines_per_second_.load(std::memory_order_relaxed);
  }
  if (budget.left > 0) {
    --budget.left;
    return true;
  }
  if (status >= 500) return true;
  ++budget.skipped;
  return false;
}

void RequestLog::Write(const net::Request& request, const net::Response& response, const RequestNote& note,
                       std::chrono::nanoseconds elapsed) {
  const auto level = response.status >= 500   ? telemetry::LogLevel::kError
                     : response.status >= 400 ? telemetry::LogLevel::kWarning
                                              : telemetry::LogLevel::kInfo;
  if (!log_.Enabled(level)) return;
  Budget& budget = budgets_[static_cast<size_t>(request.thread)];
  if (!Take(budget, request, response.status)) return;
  auto line = log_.Line(level, "request");
  line.Add("request_id", request.id)
      .Add("method", request.head_only ? "HEAD" : net::MethodName(request.method))
      .Add("path", request.path)
      .Add("status", response.status);
  if (note.grpc_status) line.Add("grpc_status", *note.grpc_status);
  line.Add("ms", std::chrono::duration<double, std::milli>(elapsed).count()).Add("remote", request.remote_address);
  if (request.route != nullptr) line.Add("door", request.route->door);
  if (!note.model.empty()) line.Add("model", note.model).Add("version", note.version);
  if (note.rows >= 0) line.Add("rows", note.rows).Add("rejected", note.rejected);
  if (!note.code.empty()) line.Add("code", note.code);
  if (!note.fallback.empty()) line.Add("fallback", note.fallback);
  if (note.outcome) {
    line.Add("outcome", OutcomeName(*note.outcome));
    for (size_t i = 0; i < kPhases; ++i) {
      const auto phase = static_cast<Phase>(i);
      line.Add(kPhaseKeys[i], static_cast<double>(note.spent[phase]) / 1e6);
    }
    if (note.queued > 0) line.Add("queue_ms", static_cast<double>(note.queued) / 1e6);
  }
  if (request.trace) {
    line.Add("trace_id", request.trace->TraceIdHex()).Add("span_id", request.trace->SpanIdHex());
    if (const auto parent = telemetry::TraceContext::Parse(request.traceparent)) {
      line.Add("parent_span_id", parent->SpanIdHex());
    }
    if (request.trace->sampled()) line.Add("sampled", true);
  }
  if (const int64_t skipped = std::exchange(budget.skipped, 0); skipped > 0) line.Add("skipped", skipped);
}

}  // namespace slipway::serving
