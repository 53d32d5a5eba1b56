#include "telemetry/otlp/span_json.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>

#include "base/text.h"
#include "base/value.h"

namespace slipway::telemetry::otlp {
namespace {

constexpr size_t kValueBytes = 256;
constexpr int kInternal = 1, kServer = 2;  // SpanKind
constexpr int kError = 2;                  // StatusCode
// Beside the trace flags: whether the parent is in another process is known, and it is.
constexpr int kRemoteKnown = 0x100, kRemote = 0x200;

std::string Hex(std::span<const uint8_t, 8> id) {
  TraceContext context;
  std::copy(id.begin(), id.end(), context.span_id.begin());
  return context.SpanIdHex();
}

void AppendKey(std::string_view key, std::string& out) {
  out += "{\"key\":";
  base::AppendJsonString(out, key);
  out += ",\"value\":{";
}

}  // namespace

void AppendAttribute(std::string_view key, std::string_view value, std::string& out) {
  AppendKey(key, out);
  out += "\"stringValue\":";
  if (value.size() <= kValueBytes) {
    base::AppendJsonString(out, value);
  } else {
    base::AppendJsonString(out, base::Shorten(value, kValueBytes));
  }
  out += "}}";
}

void AppendAttribute(std::string_view key, int64_t value, std::string& out) {
  AppendKey(key, out);
  fmt::format_to(std::back_inserter(out), "\"intValue\":\"{}\"}}}}", value);
}

void Span::Add(std::string_view key, std::string_view value) {
  if (!attributes_.empty()) attributes_ += ',';
  AppendAttribute(key, value, attributes_);
}

void Span::Add(std::string_view key, int64_t value) {
  if (!attributes_.empty()) attributes_ += ',';
  AppendAttribute(key, value, attributes_);
}

void Span::Clear() {
  parent.reset();
  name.clear();
  parts.clear();
  attributes_.clear();
  failed = false;
}

SpanBatch::SpanBatch(Resource resource, std::string_view scope_version) {
  start_ = "{\"resourceSpans\":[{\"resource\":{\"attributes\":[";
  for (const auto& [key, value] : resource) {
    if (start_.back() != '[') start_ += ',';
    AppendAttribute(key, value, start_);
  }
  if (start_.back() != '[') start_ += ',';
  AppendAttribute("process.pid", int64_t{::getpid()}, start_);
  start_ += "]},\"scopeSpans\":[{\"scope\":{\"name\":\"slipway\",\"version\":";
  base::AppendJsonString(start_, scope_version);
  start_ += "},\"spans\":[";
}

void SpanBatch::Begin() {
  text_ = start_;
  spans_ = 0;
}

void SpanBatch::AppendSpan(const TraceContext& context, std::string_view parent, std::string_view name, int64_t start,
                           int64_t end, int kind) {
  if (spans_++ > 0) text_ += ',';
  const bool remote = kind == kServer && !parent.empty();
  fmt::format_to(std::back_inserter(text_), "{{\"traceId\":\"{}\",\"spanId\":\"{}\",", context.TraceIdHex(),
                 context.SpanIdHex());
  if (!parent.empty()) fmt::format_to(std::back_inserter(text_), "\"parentSpanId\":\"{}\",", parent);
  fmt::format_to(std::back_inserter(text_),
                 "\"flags\":{},\"kind\":{},\"name\":", context.flags | kRemoteKnown | (remote ? kRemote : 0), kind);
  base::AppendJsonString(text_, name);
  fmt::format_to(std::back_inserter(text_), ",\"startTimeUnixNano\":\"{}\",\"endTimeUnixNano\":\"{}\"", start, end);
}

void SpanBatch::Append(const Span& span) {
  AppendSpan(span.context, span.parent ? Hex(*span.parent) : std::string(), span.name, span.start, span.end, kServer);
  text_ += ",\"attributes\":[";
  text_ += span.attributes();
  text_ += ']';
  if (span.failed) fmt::format_to(std::back_inserter(text_), ",\"status\":{{\"code\":{}}}", kError);
  text_ += '}';
  const std::string id = span.context.SpanIdHex();
  for (const Span::Part& part : span.parts) {
    AppendSpan(span.context.Child(), id, part.name, part.start, part.end, kInternal);
    text_ += '}';
  }
}

void SpanBatch::End() {
  text_ += "]}]}]}";
}

}  // namespace slipway::telemetry::otlp
