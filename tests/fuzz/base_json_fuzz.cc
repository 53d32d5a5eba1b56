// Any bytes: parsed or refused, never a crash; what was parsed survives writing and reading again.

#include <cstdlib>

#include "base/value.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace slipway::base;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto value = ParseJson(text);
  if (!value) {
    if (value.error().message.empty() || value.error().reason.empty()) std::abort();
    return 0;
  }
  const auto compact = ParseJson(ToJson(*value));
  const auto indented = ParseJson(ToJson(*value, {.indent = 2, .trailing_newline = true, .inline_width = 20}));
  if (!compact || !indented || !(*compact == *value) || !(*indented == *value)) std::abort();
  return 0;
}
