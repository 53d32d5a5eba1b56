#pragma once
// The inside of JSON strings.

#include <cstddef>
#include <string>
#include <string_view>

namespace slipway::data {

/// Why a string cannot be read: a fixed phrase, and where in the string. nullptr: nothing is wrong.
struct JsonEscapeFault {
  const char* problem = nullptr;
  size_t offset = 0;
};

/// Replaces `out` by `raw`, the valid UTF-8 between two quotes, with its escapes resolved.
JsonEscapeFault UnescapeJson(std::string_view raw, std::string& out);

}  // namespace slipway::data
