#include "net/head_parser.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace slipway::net {
namespace {

constexpr uint8_t kToken = 1;   ///< method and header names (RFC 9110 5.6.2)
constexpr uint8_t kValue = 2;   ///< header values
constexpr uint8_t kTarget = 4;  ///< request target: visible ASCII without '#'
constexpr uint8_t kHost = 8;

constexpr std::array<uint8_t, 256> kClasses = [] {
  std::array<uint8_t, 256> classes{};
  for (int c = 0x21; c < 0x7f; ++c) classes[static_cast<size_t>(c)] = kValue | kTarget | kHost;
  for (int c = 0x80; c < 0x100; ++c) classes[static_cast<size_t>(c)] = kValue;
  for (const char c : std::string_view(" \t")) classes[static_cast<size_t>(c)] = kValue;
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) classes[static_cast<size_t>(c)] |= kToken;
  for (int c = '0'; c <= '9'; ++c) classes[static_cast<size_t>(c)] |= kToken;
  for (int c = 'a'; c <= 'z'; ++c) classes[static_cast<size_t>(c)] |= kToken;
  for (int c = 'A'; c <= 'Z'; ++c) classes[static_cast<size_t>(c)] |= kToken;
  classes['#'] &= static_cast<uint8_t>(~kTarget);
  for (const char c : std::string_view("/\\@?#,\"<>^`{|}"))
    classes[static_cast<size_t>(c)] &= static_cast<uint8_t>(~kHost);
  return classes;
}();

/// True when none of eight bytes is a control character; false may also mean a tab or a byte past ASCII.
bool IsPlain(const char* bytes) {
  constexpr uint64_t kOnes = 0x0101010101010101u, kHighs = 0x8080808080808080u;
  uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof word);
  const uint64_t deleted = word ^ (kOnes * 0x7f);
  return ((word | (word - kOnes * 0x20) | (deleted - kOnes)) & kHighs) == 0;
}

bool Consists(std::string_view text, uint8_t of) {
  uint8_t all = of;
  for (const char c : text) all &= kClasses[static_cast<uint8_t>(c)];
  return all != 0;
}

constexpr HttpFault Malformed(std::string_view code, std::string_view detail) {
  return {400, code, detail};
}

std::string_view TrimBlank(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Takes the next line off `rest`, without its CR LF. Incomplete: no LF yet.
HeadState TakeLine(std::string_view& rest, std::string_view& line, HttpFault& fault) {
  const auto* end = static_cast<const char*>(std::memchr(rest.data(), '\n', rest.size()));
  if (end == nullptr) return HeadState::kIncomplete;
  const auto length = static_cast<size_t>(end - rest.data());
  if (length == 0 || rest[length - 1] != '\r') {
    fault = Malformed("http.bare_line_feed", "a line of the request head ends in LF alone; lines end in CR LF");
    return HeadState::kRefused;
  }
  line = rest.substr(0, length - 1);
  rest.remove_prefix(length + 1);
  return HeadState::kComplete;
}

bool AllDigits(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

/// host [":" port] (RFC 9110 7.2): a name, an IPv4 address, or an IPv6 address in brackets. Empty counts.
bool IsAuthority(std::string_view text) {
  std::string_view port;
  if (text.starts_with('[')) {
    const size_t close = text.find(']');
    if (close == std::string_view::npos || close < 3) return false;
    const auto of_address = [](char c) {
      return std::string_view("0123456789abcdefABCDEF:.").find(c) != std::string_view::npos;
    };
    if (!std::ranges::all_of(text.substr(1, close - 1), of_address)) return false;
    port = text.substr(close + 1);
    if (!port.empty() && port.front() != ':') return false;
  } else {
    const size_t colon = std::min(text.find(':'), text.size());
    if (!Consists(text.substr(0, colon), kHost)) return false;
    if (colon == 0 && !text.empty()) return false;
    port = text.substr(colon);
  }
  if (port.empty()) return true;
  port.remove_prefix(1);
  return port.size() <= 5 && AllDigits(port) && (port.size() < 5 || port <= "65535");
}

/// The path of the absolute form, which proxies send: scheme://authority/path. Empty when it is none.
std::string_view PathOfAbsolute(std::string_view target) {
  const size_t colon = target.find("://");
  if (colon == std::string_view::npos) return {};
  const std::string_view scheme = target.substr(0, colon);
  if (!EqualsIgnoreCase(scheme, "http") && !EqualsIgnoreCase(scheme, "https")) return {};
  const std::string_view rest = target.substr(colon + 3);
  const size_t end = std::min(rest.find_first_of("/?"), rest.size());
  if (end == 0 || !IsAuthority(rest.substr(0, end))) return {};
  return end == rest.size() ? "/" : rest.substr(end);
}

HttpFault ReadTarget(std::string_view target, const HttpLimits& limits, RequestHead& head) {
  if (static_cast<int64_t>(target.size()) > limits.target_bytes) {
    return {414, "http.target_too_long", "the request target is longer than this server takes"};
  }
  if (target.empty() || !Consists(target, kTarget)) {
    return Malformed("http.target", "the request target is empty or holds characters that a URI must escape");
  }
  head.target = target;
  std::string_view path = target;
  if (path[0] != '/' && !(path == "*" && head.method == Method::kOptions)) {
    path = PathOfAbsolute(target);
    if (path.empty()) return Malformed("http.target", "the request target must be a path or an absolute http URI");
  }
  const size_t question = path.find('?');
  head.path = path.substr(0, question);
  if (head.path.empty()) head.path = "/";
  head.query = question == std::string_view::npos ? std::string_view() : path.substr(question + 1);
  return {};
}

HttpFault ReadRequestLine(std::string_view line, const HttpLimits& limits, RequestHead& head) {
  const size_t first = line.find(' ');
  const size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) {
    return Malformed("http.request_line", "the request line must be: method, space, target, space, HTTP/1.1");
  }
  const std::string_view method = line.substr(0, first);
  if (method.empty() || !Consists(method, kToken)) {
    return Malformed("http.method", "the method holds characters that none may have");
  }
  head.method = ParseMethod(method);
  const std::string_view version = line.substr(last + 1);
  if (version == "HTTP/1.1") {
    head.keep_alive = true;
  } else if (version == "HTTP/1.0") {
    head.keep_alive = false;
    head.version_1_0 = true;
  } else if (version.size() == 8 && version.starts_with("HTTP/") && version[6] == '.') {
    return {505, "http.version", "this server speaks HTTP/1.1"};
  } else {
    return Malformed("http.request_line", "the request line must be: method, space, target, space, HTTP/1.1");
  }
  if (method == "CONNECT") return {501, "http.method_not_implemented", "this server is no proxy: there is no CONNECT"};
  return ReadTarget(line.substr(first + 1, last - first - 1), limits, head);
}

HttpFault ReadContentLength(std::string_view value, RequestHead& head) {
  if (head.content_length >= 0) {
    return Malformed("http.content_length", "Content-Length is given twice");
  }
  if (value.empty() || value.size() > 18 || !AllDigits(value)) {
    return Malformed("http.content_length", "Content-Length must be a plain decimal number of bytes");
  }
  head.content_length = 0;
  for (const char c : value) head.content_length = head.content_length * 10 + (c - '0');
  return {};
}

/// What the server itself must know of the headers.
struct Seen {
  int hosts = 0;
  bool close = false;
};

void ReadConnection(std::string_view value, RequestHead& head, Seen& seen) {
  while (!value.empty()) {
    const size_t comma = std::min(value.find(','), value.size());
    const std::string_view option = TrimBlank(value.substr(0, comma));
    if (EqualsIgnoreCase(option, "close")) seen.close = true;
    if (EqualsIgnoreCase(option, "keep-alive")) head.keep_alive = true;
    value.remove_prefix(std::min(comma + 1, value.size()));
  }
}

HttpFault ReadKnownField(const HeaderField& field, RequestHead& head, Seen& seen) {
  const std::string_view value = field.value;
  switch (field.name.size()) {
    case 4:
      if (!EqualsIgnoreCase(field.name, "host")) break;
      if (++seen.hosts > 1) return Malformed("http.host", "Host is given twice");
      if (!IsAuthority(value)) return Malformed("http.host", "Host is no host name with an optional port");
      break;
    case 6:
      if (EqualsIgnoreCase(field.name, "origin")) head.origin = value;
      if (!EqualsIgnoreCase(field.name, "expect") || head.version_1_0) break;  // RFC 9110 10.1.1
      if (!EqualsIgnoreCase(value, "100-continue")) {
        return {417, "http.expectation", "the only expectation this server meets is 100-continue"};
      }
      head.expects_continue = true;
      break;
    case 10:
      if (EqualsIgnoreCase(field.name, "connection")) ReadConnection(value, head, seen);
      break;
    case 11:
      if (EqualsIgnoreCase(field.name, "traceparent")) head.traceparent = value;
      break;
    case 12:
      if (EqualsIgnoreCase(field.name, "x-request-id")) head.request_id = value;
      break;
    case 14:
      if (EqualsIgnoreCase(field.name, "content-length")) return ReadContentLength(value, head);
      break;
    case 16:
      if (!EqualsIgnoreCase(field.name, "content-encoding")) break;
      // Two lines mean two codings, as a list does, and no list is taken.
      head.content_encoding = head.content_encoding.empty() ? value : "several";
      break;
    case 17:
      if (!EqualsIgnoreCase(field.name, "transfer-encoding")) break;
      if (head.chunked || !EqualsIgnoreCase(value, "chunked")) {
        return Malformed("http.transfer_encoding", "the only Transfer-Encoding this server takes is one \"chunked\"");
      }
      head.chunked = true;
      break;
    default:
      break;
  }
  return {};
}

HttpFault ReadField(std::string_view line, HeaderField& field) {
  if (line[0] == ' ' || line[0] == '\t') {
    return Malformed("http.folded_header", "a header is continued on a second line, which HTTP/1.1 forbids");
  }
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return Malformed("http.header", "a header line has no colon");
  field.name = line.substr(0, colon);
  if (colon == 0 || !Consists(field.name, kToken)) {
    return Malformed("http.header_name",
                     "a header name is empty, holds characters that none may have, or is followed "
                     "by a space before the colon");
  }
  const std::string_view value = line.substr(colon + 1);
  if (!IsFieldValue(value)) {
    return Malformed("http.header_value", "a header value holds a control character");
  }
  field.value = TrimBlank(value);
  return {};
}

HttpFault CheckWhole(const RequestHead& head, const Seen& seen, bool version_1_1) {
  if (head.chunked && head.content_length >= 0) {
    return Malformed("http.framing", "Content-Length and Transfer-Encoding exclude each other");
  }
  if (head.chunked && !version_1_1) return Malformed("http.framing", "HTTP/1.0 has no Transfer-Encoding");
  if (version_1_1 && seen.hosts == 0) return Malformed("http.host", "HTTP/1.1 requires a Host header");
  return {};
}

constexpr HttpFault kHeadTooLarge = {431, "http.head_too_large",
                                     "the request line and headers are larger than this "
                                     "server takes"};

}  // namespace

bool IsToken(std::string_view text) {
  return !text.empty() && Consists(text, kToken);
}

bool IsFieldValue(std::string_view text) {
  while (text.size() >= 8 && IsPlain(text.data())) text.remove_prefix(8);
  return Consists(text, kValue);
}

HeadState ParseHead(std::string_view bytes, const HttpLimits& limits, RequestHead& head,
                    std::vector<HeaderField>& headers, HttpFault& fault) {
  head = {};
  headers.clear();
  fault = {};
  // One empty line before the request line is ignored, as RFC 9112 2.2 asks for old clients' sake.
  std::string_view rest = bytes;
  if (rest.starts_with("\r\n")) rest.remove_prefix(2);
  const bool past_limit = static_cast<int64_t>(bytes.size()) > limits.head_bytes;

  std::string_view line;
  HeadState state = TakeLine(rest, line, fault);
  if (state == HeadState::kIncomplete) {
    if (static_cast<int64_t>(rest.size()) > limits.target_bytes + 64) {
      fault = {414, "http.target_too_long", "the request target is longer than this server takes"};
    } else if (past_limit) {
      fault = kHeadTooLarge;
    }
    return fault ? HeadState::kRefused : HeadState::kIncomplete;
  }
  if (state == HeadState::kRefused) return state;
  fault = ReadRequestLine(line, limits, head);
  if (fault) return HeadState::kRefused;
  const bool version_1_1 = line.back() == '1';

  Seen seen;
  for (;;) {
    state = TakeLine(rest, line, fault);
    if (state == HeadState::kIncomplete && past_limit) fault = kHeadTooLarge;
    if (fault) return HeadState::kRefused;
    if (state == HeadState::kIncomplete) return state;
    if (line.empty()) break;
    if (std::ssize(headers) >= limits.header_count) {
      fault = {431, "http.too_many_headers", "the request has more headers than this server takes"};
      return HeadState::kRefused;
    }
    HeaderField& field = headers.emplace_back();
    fault = ReadField(line, field);
    if (!fault) fault = ReadKnownField(field, head, seen);
    if (fault) return HeadState::kRefused;
  }
  head.bytes = bytes.size() - rest.size();
  if (seen.close) head.keep_alive = false;
  if (static_cast<int64_t>(head.bytes) > limits.head_bytes) fault = kHeadTooLarge;
  if (!fault) fault = CheckWhole(head, seen, version_1_1);
  return fault ? HeadState::kRefused : HeadState::kComplete;
}

bool MayEndHead(std::string_view bytes, size_t seen, const HttpLimits& limits) {
  if (static_cast<int64_t>(bytes.size()) > std::min(limits.target_bytes, limits.head_bytes)) return true;
  for (size_t at = seen; (at = bytes.find('\n', at)) != std::string_view::npos; ++at) {
    if (at == 0 || bytes[at - 1] != '\r') return true;
    if (at == 1 || bytes[at - 2] == '\n') return true;
  }
  return false;
}

}  // namespace slipway::net
