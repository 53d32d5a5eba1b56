#pragma once
// Quantities that people write with a unit: "64MiB", "100ms".

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace slipway::base {

struct Bytes {
  int64_t count = 0;
  friend auto operator<=>(const Bytes&, const Bytes&) = default;
};

/// "512", "64KiB", "1.5GiB", "10MB"; reason "quantity.malformed".
Result<Bytes> ParseBytes(std::string_view text);
std::string FormatBytes(Bytes bytes);

/// "100ms", "1.5s", "2m", "1h", "250us"; a bare number is refused: the unit is part of the value.
Result<std::chrono::nanoseconds> ParseDuration(std::string_view text);
std::string FormatDuration(std::chrono::nanoseconds duration);

}  // namespace slipway::base
