#pragma once
// Spans as OTLP tells them in JSON: ExportTraceServiceRequest of opentelemetry-proto, with ids in hexadecimal and
// 64-bit integers as strings (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding).

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "telemetry/otlp/span.h"

namespace slipway::telemetry::otlp {

/// Appends `{"key":…,"value":{…}}`.
void AppendAttribute(std::string_view key, std::string_view value, std::string& out);
void AppendAttribute(std::string_view key, int64_t value, std::string& out);

/// A request in the making: Begin(), Append() any number of times, End().
class SpanBatch {
 public:
  using Resource = std::span<const std::pair<std::string, std::string>>;
  /// What all spans come from, beside which the process is named; `scope_version`: of the program.
  SpanBatch(Resource resource, std::string_view scope_version);

  void Begin();
  void Append(const Span& span);
  void End();

  const std::string& text() const { return text_; }
  /// With the parts of spans, which are spans too.
  int64_t spans() const { return spans_; }

 private:
  void AppendSpan(const TraceContext& context, std::string_view parent, std::string_view name, int64_t start,
                  int64_t end, int kind);
  std::string start_, text_;
  int64_t spans_ = 0;
};

}  // namespace slipway::telemetry::otlp
