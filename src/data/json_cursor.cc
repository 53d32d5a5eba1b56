#include "data/json_cursor.h"

#include <algorithm>
#include <cstring>

namespace slipway::data {
namespace {

constexpr int kDepthBound = 512;  // the walk recurses, so the stack bounds it

// For people who wrote something near JSON: what exactly is not JSON about the token here.
const char* ProblemOfToken(std::string_view rest) {
  const auto starts = [&](std::string_view word) { return rest.starts_with(word); };
  if (starts("NaN") || starts("Infinity") || starts("-Infinity") || starts("-NaN") || starts("nan") || starts("inf")) {
    return "NaN and infinities are not JSON; send null";
  }
  if (starts("True") || starts("False") || starts("None") || starts("TRUE") || starts("FALSE") || starts("NULL")) {
    return "true, false and null are written in small letters, and there is no None";
  }
  if (starts("'")) return "strings stand in double quotes";
  if (starts("+")) return "a number has no leading plus";
  if (starts(".")) return "a number has a digit before its point";
  if (rest.size() > 1 && (starts("0") || starts("-0")) && rest.find_first_of("0123456789") != std::string_view::npos) {
    return "a number is decimal and has no leading zeros";
  }
  if (!rest.empty() && (rest[0] == '-' || (rest[0] >= '0' && rest[0] <= '9'))) {
    return "this number is not written as JSON asks";
  }
  if (starts("/")) return "JSON has no comments";
  return "a value is expected here: a string in double quotes, a number, true, false, null, a list or an object";
}

const char* ProblemOfIndex(JsonIndexFault fault) {
  switch (fault) {
    case JsonIndexFault::kEmpty:
      return "the text is empty";
    case JsonIndexFault::kOpenString:
      return "a string is not closed by a double quote";
    case JsonIndexFault::kControlCharacter:
      return "a string holds a control character; line breaks and tabs in strings are written \\n and \\t";
    case JsonIndexFault::kInvalidUtf8:
      return "the text is not valid UTF-8";
    case JsonIndexFault::kTooLarge:
    case JsonIndexFault::kNone:
      break;
  }
  return "the text is too large";
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Four hexadecimal digits at `at`, or -1.
int ReadHex(std::string_view raw, size_t at) {
  if (at + 4 > raw.size()) return -1;
  int value = 0;
  for (size_t i = at; i < at + 4; ++i) {
    const int digit = HexDigit(raw[i]);
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

JsonCursor::JsonCursor(int depth_limit) : depth_limit_(std::min(depth_limit, kDepthBound)) {}

bool JsonCursor::Open(std::string_view text) {
  text_ = text;
  tokens_ = {};
  next_ = 0;
  depth_ = 0;
  const JsonIndexFault fault = index_.Build(text);
  if (fault != JsonIndexFault::kNone) return Fail(ProblemOfIndex(fault), text.size());
  tokens_ = index_.tokens();
  // The last token closes the root. Hence every scalar is followed by a byte of the text, and reading one needs no
  // bounds: numbers, literals and strings stop at that bracket at the latest.
  const char last = text_[tokens_.back()];
  if (last != '}' && last != ']') return Fail("the text does not end with the end of its object or list", text.size());
  return true;
}

std::string JsonCursor::Where() const {
  const std::string_view before = text_.substr(0, fault_.offset);
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const size_t column = before.size() - (before.rfind('\n') + 1) + 1;
  return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

base::Error JsonCursor::Error() const {
  const bool deep = fault_.kind == JsonFault::Kind::kTooDeep;
  std::string message = std::string(deep ? "this JSON goes past a limit at " : "this is not valid JSON at ") + Where() +
                        ": " + fault_.problem;
  if (deep) message += ", at most " + std::to_string(depth_limit_) + " levels are read";
  return {base::Code::kInvalidArgument, deep ? "json.limit" : "json.malformed", std::move(message), ""};
}

bool JsonCursor::Finish() {
  return next_ == tokens_.size() || FailHere("nothing may follow the end of the object or list");
}

bool JsonCursor::FirstElement(bool& failed) {
  if (!Enter()) {
    failed = true;
    return false;
  }
  if (Peek() != ']') return true;
  Leave();
  return false;
}

bool JsonCursor::NextElement(bool& failed) {
  const char c = Peek();
  if (c == ',') {
    Advance();
    return true;
  }
  if (c == ']') {
    Leave();
  } else {
    failed = true;
    FailHere("a comma or the end of the list is expected");
  }
  return false;
}

bool JsonCursor::FirstMember(std::string_view& name, bool& failed) {
  if (!Enter()) {
    failed = true;
    return false;
  }
  if (Peek() == '}') {
    Leave();
    return false;
  }
  failed = !ReadName(name);
  return !failed;
}

bool JsonCursor::NextMember(std::string_view& name, bool& failed) {
  const char c = Peek();
  if (c == ',') {
    Advance();
    failed = !ReadName(name);
    return !failed;
  }
  if (c == '}') {
    Leave();
  } else {
    failed = true;
    FailHere("a comma or the end of the object is expected");
  }
  return false;
}

bool JsonCursor::EndObject() {
  if (Peek() != '}') return FailHere("a comma or the end of the object is expected");
  Advance();
  return true;
}

bool JsonCursor::Skip() {
  switch (Peek()) {
    case '"': {
      std::string_view value;
      return ReadString(value);
    }
    case 't':
      return ReadLiteral("true");
    case 'f':
      return ReadLiteral("false");
    case 'n':
      return ReadLiteral("null");
    case '[': {
      bool failed = false;
      for (bool more = FirstElement(failed); more; more = NextElement(failed)) {
        if (!Skip()) return false;
      }
      return !failed;
    }
    case '{': {
      bool failed = false;
      std::string_view name;
      for (bool more = FirstMember(name, failed); more; more = NextMember(name, failed)) {
        if (!Skip()) return false;
      }
      return !failed;
    }
    default: {
      NumberText number;
      return ReadNumber(number);
    }
  }
}

bool JsonCursor::ReadName(std::string_view& name) {
  if (Peek() != '"') return FailHere("a field name in double quotes is expected");
  if (!ReadString(name)) return false;
  if (Peek() != ':') return FailHere("a colon is expected after the field name");
  Advance();
  return true;
}

bool JsonCursor::ReadString(std::string_view& value) {
  const size_t begin = Offset();
  Advance();
  value = RawString(begin);
  if (std::memchr(value.data(), '\\', value.size()) == nullptr) [[likely]] {
    return true;
  }
  if (!Unescape(value, value_)) return false;
  value = value_;
  return true;
}

bool JsonCursor::ReadLiteral(std::string_view literal) {
  const size_t begin = Offset();
  const std::string_view rest = text_.substr(begin);
  if (!rest.starts_with(literal) || rest.size() == literal.size() || !EndsScalar(rest[literal.size()])) {
    return FailAtToken(begin);
  }
  Advance();
  return true;
}

bool JsonCursor::Unescape(std::string_view raw, std::string& out) {
  const auto fail = [&](size_t at, const char* problem) {
    return Fail(problem, static_cast<size_t>(raw.data() - text_.data()) + at);
  };
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
    if (letter != 'u') return fail(at, "a backslash in a string is followed by none of \" \\ / b f n r t u");
    const int high = ReadHex(raw, at + 2);
    if (high < 0) return fail(at, "\\u in a string is followed by four hexadecimal digits");
    auto code = static_cast<uint32_t>(high);
    at += 6;
    if (code >= 0xD800 && code < 0xE000) {
      const int low = raw.substr(std::min(at, raw.size())).starts_with("\\u") ? ReadHex(raw, at + 2) : -1;
      if (code >= 0xDC00 || low < 0xDC00 || low >= 0xE000) return fail(at - 6, "half of a surrogate pair stands alone");
      code = 0x10000 + ((code - 0xD800) << 10) + (static_cast<uint32_t>(low) - 0xDC00);
      at += 6;
    }
    AppendUtf8(out, code);
  }
  return true;
}

bool JsonCursor::Enter() {
  if (depth_ == depth_limit_) {
    fault_ = {JsonFault::Kind::kTooDeep, "objects and lists are nested too deep", Offset()};
    return false;
  }
  ++depth_;
  Advance();
  return true;
}

void JsonCursor::Leave() {
  --depth_;
  Advance();
}

bool JsonCursor::Fail(const char* problem, size_t offset) {
  fault_ = {JsonFault::Kind::kMalformed, problem, offset};
  return false;
}

bool JsonCursor::FailHere(const char* problem) {
  return Fail(Peek() == '\0' && next_ >= tokens_.size() ? "the text ends too early" : problem, Offset());
}

bool JsonCursor::FailAtToken(size_t offset) {
  if (offset >= text_.size()) return Fail("the text ends too early", offset);
  return Fail(ProblemOfToken(text_.substr(offset, 24)), offset);
}

}  // namespace slipway::data
