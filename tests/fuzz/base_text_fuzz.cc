// Any bytes as text: what Slipway writes as a JSON string is one, and equals the input when that was valid UTF-8.

#include <cstdlib>

#include "base/quantities.h"
#include "base/text.h"
#include "base/value.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace slipway::base;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::string json;
  AppendJsonString(json, text);
  const auto read = ParseJson(json);
  if (!read || !read->is_string() || (read->string() == text) != IsValidUtf8(text)) std::abort();
  if (!IsValidUtf8(Shorten(text, size / 2)) || Shorten(text, 16).size() > 16 + 3) std::abort();

  if (const auto number = ParseDouble(text); number && !ParseInt64(text)) {
    std::string shortest;
    AppendJsonNumber(shortest, *number);
    const auto again = ParseDouble(shortest);
    if (shortest != "null" && (!again || *again != *number)) std::abort();
  }
  // Near the end of the range, the rounded text may name a quantity just past it.
  const auto small = [](int64_t count) { return count < int64_t{1} << 60; };
  const auto bytes = ParseBytes(text);
  if (bytes && small(bytes->count) && !ParseBytes(FormatBytes(*bytes))) std::abort();
  const auto duration = ParseDuration(text);
  if (duration && small(duration->count()) && !ParseDuration(FormatDuration(*duration))) std::abort();
  return 0;
}
