#include "data/json_string.h"

#include <algorithm>
#include <cstdint>

#include "base/text.h"

namespace slipway::data {
namespace {

// Four hexadecimal digits at `at`, or -1.
int ReadHex(std::string_view raw, size_t at) {
  if (at + 4 > raw.size()) return -1;
  int value = 0;
  for (size_t i = at; i < at + 4; ++i) {
    const int digit = base::HexDigit(raw[i]);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

void AppendUtf8(std::string& out, uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | code >> 6);
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | code >> 12);
    out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | code >> 18);
    out += static_cast<char>(0x80 | (code >> 12 & 0x3F));
    out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  }
}

}  // namespace

JsonEscapeFault UnescapeJson(std::string_view raw, std::string& out) {
  out.clear();
  for (size_t at = 0; at < raw.size();) {
    const size_t escape = std::min(raw.find('\\', at), raw.size());
    out.append(raw, at, escape - at);
    at = escape;
    if (at == raw.size()) break;
    constexpr std::string_view kLetters = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    const char letter = at + 1 < raw.size() ? raw[at + 1] : '\0';
    if (const size_t known = kLetters.find(letter); known != std::string_view::npos) {
      out += kMeanings[known];
      at += 2;
      continue;
    }
    if (letter != 'u') return {"a backslash in a string is followed by none of \" \\ / b f n r t u", at};
    const int high = ReadHex(raw, at + 2);
    if (high < 0) return {"\\u in a string is followed by four hexadecimal digits", at};
    auto code = static_cast<uint32_t>(high);
    at += 6;
    if (code >= 0xD800 && code < 0xE000) {
      const int low = raw.substr(std::min(at, raw.size())).starts_with("\\u") ? ReadHex(raw, at + 2) : -1;
      if (code >= 0xDC00 || low < 0xDC00 || low >= 0xE000) return {"half of a surrogate pair stands alone", at - 6};
      code = 0x10000 + ((code - 0xD800) << 10) + (static_cast<uint32_t>(low) - 0xDC00);
      at += 6;
    }
    AppendUtf8(out, code);
  }
  return {};
}

}  // namespace slipway::data
