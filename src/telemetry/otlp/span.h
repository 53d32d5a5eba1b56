#pragma once
// Span: one piece of work of a trace, ready to be told. Its memory is reused, and its attributes are kept as the text
// that they are sent as, so that making one costs no allocation once warm.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "telemetry/trace_context.h"

namespace slipway::telemetry::otlp {

/// Thread-safety: one thread at a time.
class Span {
 public:
  TraceContext context;
  std::optional<std::array<uint8_t, 8>> parent;  ///< the caller's span, which is in another process
  std::string name;
  int64_t start = 0, end = 0;  ///< nanoseconds since the Unix epoch
  bool failed = false;

  /// A part of it, told as a child span.
  struct Part {
    std::string_view name;  ///< a literal
    int64_t start, end;
  };
  std::vector<Part> parts;

  /// `key`: a literal. Texts are cut to 256 bytes.
  void Add(std::string_view key, std::string_view value);
  void Add(std::string_view key, int64_t value);
  /// `{"key":…,"value":{…}},…`
  const std::string& attributes() const { return attributes_; }
  /// As new, but for the memory.
  void Clear();

 private:
  std::string attributes_;
};

}  // namespace slipway::telemetry::otlp
