#pragma once
// Reads the head of an HTTP/1.1 request strictly (RFC 9112): whatever two parties could read in two ways is refused, so
// that no request can be smuggled past a proxy in front. This is the only reader of framing in the program.

#include <cstdint>
#include <string_view>

#include "net/http_fault.h"
#include "net/http_limits.h"
#include "net/http_message.h"

namespace slipway::net {

struct RequestHead {
  Method method = Method::kGet;
  std::string_view target, path, query;
  std::string_view request_id;   ///< X-Request-Id as sent
  std::string_view traceparent;  ///< as sent
  int64_t content_length = -1;   ///< -1: none given
  bool chunked = false;
  bool keep_alive = true;
  bool expects_continue = false;
  bool version_1_0 = false;
  std::string_view content_encoding;  ///< as sent
  std::string_view origin;            ///< Origin as sent
  size_t bytes = 0;                   ///< of the head, with the empty line
};

enum class HeadState : uint8_t { kComplete, kIncomplete, kRefused };

/// Reads a head from the start of `bytes`. `headers` is cleared first and filled with views into `bytes`. With kRefused
/// `fault` says why; the connection cannot be used any further. Refused among others: bare CR or LF, NUL and other
/// control characters, space before a colon, folded headers, duplicate, signed or empty Content-Length, Content-Length
/// with Transfer-Encoding, any Transfer-Encoding but one "chunked", none or several Host.
HeadState ParseHead(std::string_view bytes, const HttpLimits& limits, RequestHead& head,
                    std::vector<HeaderField>& headers, HttpFault& fault);

/// True when ParseHead() on `bytes` could give more than kIncomplete, given that the first `seen` of them could not.
/// Keeps a head that arrives byte by byte from being parsed as often.
bool MayEndHead(std::string_view bytes, size_t seen, const HttpLimits& limits);

/// Characters of methods and header names; not empty.
bool IsToken(std::string_view text);

/// Characters of header values: visible ASCII, space, tab, and bytes from 0x80.
bool IsFieldValue(std::string_view text);

}  // namespace slipway::net
