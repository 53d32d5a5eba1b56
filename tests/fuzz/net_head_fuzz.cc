// The reader of request heads: the answer does not depend on how the bytes are cut, and what it accepts has one
// framing.

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "net/head_parser.h"

using namespace slipway::net;

namespace {

void Check(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const HttpLimits limits{.target_bytes = 256, .head_bytes = 2048, .header_count = 16};
  RequestHead head;
  std::vector<HeaderField> headers;
  HttpFault fault;
  const HeadState state = ParseHead(bytes, limits, head, headers, fault);
  Check((state == HeadState::kRefused) == static_cast<bool>(fault));
  if (state != HeadState::kComplete) return 0;

  Check(head.bytes <= size && bytes.substr(0, head.bytes).ends_with("\r\n\r\n"));
  Check(!head.chunked || head.content_length < 0);
  Check(head.content_length >= -1);
  const std::string_view text = bytes.substr(0, head.bytes);
  for (size_t i = 0; i < text.size(); ++i) {
    Check(text[i] != '\0');
    Check(text[i] != '\n' || (i > 0 && text[i - 1] == '\r'));
    Check(text[i] != '\r' || (i + 1 < text.size() && text[i + 1] == '\n'));
  }
  const auto named = [&](std::string_view name) {
    return std::ranges::count_if(headers, [&](const auto& field) { return EqualsIgnoreCase(field.name, name); });
  };
  Check(named("content-length") == (head.content_length >= 0 ? 1 : 0));
  Check(named("transfer-encoding") == (head.chunked ? 1 : 0));
  Check(named("host") <= 1);
  // What stands before the end is not enough, and what stands behind changes nothing.
  HttpFault other_fault;
  RequestHead other;
  Check(ParseHead(bytes.substr(0, head.bytes), limits, other, headers, other_fault) == HeadState::kComplete);
  Check(other.bytes == head.bytes && other.content_length == head.content_length && other.chunked == head.chunked);
  Check(ParseHead(bytes.substr(0, head.bytes - 1), limits, other, headers, other_fault) == HeadState::kIncomplete);
  Check(MayEndHead(bytes.substr(0, head.bytes), 0, limits));
  return 0;
}
