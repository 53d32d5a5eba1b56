#pragma once
// W3C trace context: which trace a request belongs to (https://www.w3.org/TR/trace-context/, level 1).

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace slipway::telemetry {

struct TraceContext {
  std::array<uint8_t, 16> trace_id{};
  std::array<uint8_t, 8> span_id{};  ///< the caller's span when parsed, ours when passed on
  uint8_t flags = 0;

  bool sampled() const { return (flags & 1) != 0; }

  /// Reads a `traceparent` header. nullopt, as the standard has it, for anything malformed, version ff, or ids of
  /// zeros; fields that later versions append are ignored.
  static std::optional<TraceContext> Parse(std::string_view traceparent);
  /// A new trace, not sampled.
  static TraceContext NewRoot();
  /// The same trace with a span id of our own.
  TraceContext Child() const;

  std::string TraceIdHex() const;
  std::string SpanIdHex() const;
  /// "00-<trace id>-<span id>-<flags>"
  std::string Format() const;
};

}  // namespace slipway::telemetry
