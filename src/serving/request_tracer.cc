#include "serving/request_tracer.h"

#include <algorithm>
#include <optional>

#include "base/clock.h"
#include "net/route_table.h"
#include "telemetry/trace_context.h"

namespace slipway::serving {
namespace {

using telemetry::TraceContext;
using telemetry::otlp::Span;

constexpr uint8_t kSampled = 1;

std::string_view MethodOf(const net::Request& request) {
  if (request.head_only) return "HEAD";
  const std::string_view name = net::MethodName(request.method);
  return name.empty() ? "_OTHER" : name;
}

/// Where the parts of a route's pattern stand in a path may be what no model is called: only known names are told.
bool IsPathOurs(const net::Request& request, const RequestNote& note) {
  return request.route != nullptr && (!note.model.empty() || request.route->pattern.find('{') == std::string::npos);
}

/// The semantic conventions of HTTP servers.
void AddHttp(const net::Request& request, const net::Response& response, const RequestNote& note,
             std::string_view scheme, Span& span) {
  span.name = MethodOf(request);
  span.Add("http.request.method", MethodOf(request));
  span.Add("url.scheme", scheme);
  if (IsPathOurs(request, note)) span.Add("url.path", request.path);
  if (request.route != nullptr) {
    span.name += ' ';
    span.name += request.route->pattern;
    span.Add("http.route", request.route->pattern);
    span.Add("slipway.door", request.route->door);
  }
  span.Add("http.response.status_code", int64_t{response.status});
  span.Add("slipway.request.id", request.id);
  span.failed = response.status >= 500;
  if (response.status < 400) return;
  if (!note.code.empty()) {
    span.Add("error.type", note.code);
  } else {
    span.Add("error.type", std::to_string(response.status));
  }
}

/// The semantic conventions of gRPC servers: "inference.GRPCInferenceService/ModelInfer".
void AddRpc(const net::Request& request, const net::Response& response, const RequestNote& note, Span& span) {
  span.name = "rpc";
  span.Add("rpc.system", "grpc");
  span.Add("rpc.grpc.status_code", int64_t{*note.grpc_status});
  if (request.route != nullptr) {
    const std::string_view path = std::string_view(request.route->pattern).substr(1);
    const size_t slash = path.rfind('/');
    span.name = path;
    span.Add("rpc.service", path.substr(0, slash));
    span.Add("rpc.method", path.substr(slash + 1));
    span.Add("slipway.door", request.route->door);
  }
  span.Add("slipway.request.id", request.id);
  span.failed = response.status >= 500;
  if (!note.code.empty()) span.Add("error.type", note.code);
}

void AddCall(const RequestNote& note, int64_t received, const net::Request& request, Span& span) {
  if (!note.model.empty()) {
    span.Add("slipway.model.name", note.model);
    span.Add("slipway.model.version", note.version);
  }
  if (!note.fallback.empty()) span.Add("slipway.fallback.reason", note.fallback);
  if (!note.outcome) return;
  span.Add("slipway.outcome", OutcomeName(*note.outcome));
  span.Add("slipway.rows", note.rows);
  span.Add("slipway.rows.rejected", note.rejected);
  int64_t at = received + std::max<int64_t>((note.begun - request.received).count(), 0);
  for (size_t i = 0; i < kPhases; ++i) {
    const auto phase = static_cast<Phase>(i);
    const int64_t spent = note.spent[phase];
    if (spent > 0) span.parts.push_back({.name = PhaseName(phase), .start = at, .end = at + spent});
    at += spent;
  }
}

}  // namespace

/// A trace begins here only for what the server is for: probes and scrapes would fill the collector.
bool RequestTracer::Draws(const net::Request& request) const {
  return request.route != nullptr && request.route->permission != "public" && request.route->permission != "observe";
}

void RequestTracer::Begin(net::Request& request, net::Response& response) const {
  if (request.traceparent.empty() && exporter_ == nullptr) return;
  if (const auto parent = TraceContext::Parse(request.traceparent)) {
    request.trace = parent->Child();
    request.trace->flags = exporter_ != nullptr && sampler_.SamplesChildOf(*parent) ? kSampled : 0;
  } else if (exporter_ != nullptr && Draws(request)) {
    TraceContext root = TraceContext::NewRoot();
    if (!sampler_.SamplesRoot(root)) return;
    root.flags = kSampled;
    request.trace = root;
  } else {
    return;
  }
  response.AddHeader("traceresponse", request.trace->Format());
}

void RequestTracer::End(const net::Request& request, const net::Response& response, const RequestNote& note,
                        std::chrono::nanoseconds elapsed) {
  if (!request.trace || !request.trace->sampled() || exporter_ == nullptr) return;
  const auto parts = note.outcome ? static_cast<int64_t>(kPhases) : 0;
  Span* span = exporter_->Reserve(request.thread, 1 + parts);
  if (span == nullptr) return;
  const auto& clock = base::Clock::System();
  const auto ago = clock.Now() - request.received;
  span->context = *request.trace;
  span->start = std::chrono::nanoseconds(clock.WallNow().time_since_epoch() - ago).count();
  span->end = span->start + elapsed.count();
  if (const auto parent = TraceContext::Parse(request.traceparent)) span->parent = parent->span_id;
  if (note.grpc_status) {
    AddRpc(request, response, note, *span);
  } else {
    AddHttp(request, response, note, scheme_, *span);
  }
  AddCall(note, span->start, request, *span);
  exporter_->Publish(request.thread);
}

void RequestTracer::Stop() {
  if (exporter_ != nullptr) exporter_->Stop();
}

}  // namespace slipway::serving
