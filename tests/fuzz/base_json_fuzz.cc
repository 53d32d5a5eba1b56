// Any bytes: parsed or refused, never a crash; what was parsed survives writing and reading again, and was the whole
// text.

#include <cstdlib>
#include <string>

#include "base/value.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace slipway::base;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto value = ParseJson(text);
  if (!value) {
    if (value.error().message.empty() || value.error().reason.empty()) std::abort();
    return 0;
  }
  if (text.find(char{0}) != std::string_view::npos) std::abort();
  using namespace std::string_view_literals;
  for (const std::string_view more : {"\0"sv, " \0 {}"sv, " 0"sv, "]"sv, "}"sv, "\xEF\xBB\xBF"sv}) {
    if (ParseJson(std::string(text).append(more))) std::abort();
  }
  const auto compact = ParseJson(ToJson(*value));
  const auto indented = ParseJson(ToJson(*value, {.indent = 2, .trailing_newline = true, .inline_width = 20}));
  if (!compact || !indented || !(*compact == *value) || !(*indented == *value)) std::abort();
  return 0;
}
