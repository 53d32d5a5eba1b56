#include "data/json_cursor.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "base/base64.h"
#include "data/json_string.h"

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

}  // namespace

std::string_view JsonKindOf(char first) {
  switch (first) {
    case '{':
      return "an object";
    case '[':
      return "a list";
    case '"':
      return "a string";
    case 't':
    case 'f':
      return "a boolean";
    case 'n':
      return "null";
    default:
      return "a number";
  }
}

std::string_view WithoutByteOrderMark(std::string_view text) {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  if (text.starts_with(kMark)) text.remove_prefix(kMark.size());
  return text;
}

std::string_view WithoutLeadingSpace(std::string_view text) {
  return text.substr(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
}

bool IsJsonScalar(std::string_view text) {
  if (text.starts_with("true") || text.starts_with("false") || text.starts_with("null")) return true;
  return !text.empty() && (text[0] == '"' || text[0] == '-' || (text[0] >= '0' && text[0] <= '9'));
}

JsonCursor::JsonCursor(const JsonBounds& bounds) : bounds_(bounds) {
  bounds_.depth = std::min(bounds_.depth, kDepthBound);
}

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
  const bool past_limit = fault_.kind != JsonFault::Kind::kMalformed;
  std::string message = std::string(past_limit ? "this JSON goes past a limit at " : "this is not valid JSON at ") +
                        Where() + ": " + fault_.problem;
  if (fault_.kind == JsonFault::Kind::kTooDeep) {
    message += ", at most " + std::to_string(bounds_.depth) + " levels are read";
  } else if (past_limit) {
    message += ", at most " + std::to_string(bounds_.string_bytes) + " bytes are read";
  }
  return {base::Code::kInvalidArgument, past_limit ? "json.limit" : "json.malformed", std::move(message), ""};
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

std::string_view JsonCursor::TextSince(const Place& place) const {
  const size_t begin = tokens_[place.token];
  size_t end = Offset();
  while (end > begin &&
         (text_[end - 1] == ' ' || text_[end - 1] == '\n' || text_[end - 1] == '\r' || text_[end - 1] == '\t'))
    --end;
  return text_.substr(begin, end - begin);
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

bool JsonCursor::Pass() {
  size_t level = 0;
  do {
    const char c = Peek();
    if (c == '{' || c == '[') {
      ++level;
    } else if (c == '}' || c == ']') {
      if (level-- == 0) return FailHere("a value is expected");
    } else if (c == '\0' || (level == 0 && (c == ',' || c == ':'))) {
      return FailHere("a value is expected");
    }
    Advance();
  } while (level > 0);
  return true;
}

bool JsonCursor::IsBase64() const {
  if (!dialect_.base64 || Peek() != '{' || next_ + kBase64Tokens > tokens_.size()) return false;
  const auto at = [&](size_t i) { return text_[tokens_[next_ + i]]; };
  return at(1) == '"' && at(2) == ':' && at(3) == '"' && at(4) == '}' &&
         text_.substr(tokens_[next_ + 1]).starts_with("\"b64\"");
}

bool JsonCursor::ReadBase64(std::string_view& bytes, bool& valid) {
  next_ += 3;
  std::string_view text;
  if (!ReadString(text)) return false;
  Advance();
  valid = base::DecodeBase64(text, bytes_);
  bytes = bytes_;
  return true;
}

// kNone is a NaN that means null.
bool JsonCursor::ReadNonFinite(NumberText& number) {
  struct Word {
    std::string_view text;
    double value;
  };
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  constexpr Word kWords[] = {
      {"NaN", std::numeric_limits<double>::quiet_NaN()}, {"Infinity", kInfinity}, {"-Infinity", -kInfinity}};
  const std::string_view rest = text_.substr(Offset());
  for (const Word& word : kWords) {
    if (!rest.starts_with(word.text) || rest.size() == word.text.size() || !EndsScalar(rest[word.text.size()]))
      continue;
    const bool null = word.text == "NaN" && dialect_.non_finite == JsonDialect::NonFinite::kNull;
    number.kind = null ? NumberText::Kind::kNone : NumberText::Kind::kNumber;
    number.number = word.value;
    Advance();
    return true;
  }
  return false;
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
  if (std::cmp_greater(value.size(), bounds_.string_bytes)) [[unlikely]]
    return FailAtLongString(begin);
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
  const JsonEscapeFault fault = UnescapeJson(raw, out);
  return fault.problem == nullptr || Fail(fault.problem, static_cast<size_t>(raw.data() - text_.data()) + fault.offset);
}

bool JsonCursor::Enter() {
  if (depth_ == bounds_.depth) {
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

bool JsonCursor::FailAtLongString(size_t offset) {
  fault_ = {JsonFault::Kind::kTooLong, "a string is too long", offset};
  return false;
}

bool JsonCursor::FailAtToken(size_t offset) {
  if (offset >= text_.size()) return Fail("the text ends too early", offset);
  return Fail(ProblemOfToken(text_.substr(offset, 24)), offset);
}

}  // namespace slipway::data
