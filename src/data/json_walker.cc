#include "data/json_walker.h"

#include <algorithm>
#include <cstring>

#include "data/number_text.h"

namespace slipway::data {
namespace {

constexpr size_t kOrderLimit = 4096;
constexpr int kDepthBound = 512;  // the walk recurses, so the stack bounds it

constexpr bool IsBlank(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

// What may stand right behind a number or literal.
constexpr bool EndsScalar(char c) {
  return IsBlank(c) || c == ',' || c == ']' || c == '}';
}

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

// Only white space stands between the closing quote and the next token, hence the quote is found from there backwards.
inline std::string_view JsonWalker::RawString(size_t begin) const {
  size_t end = Offset() - 1;
  while (text_[end] != '"') --end;
  return text_.substr(begin + 1, end - begin - 1);
}

inline bool JsonWalker::ReadNumber(NumberText& number) {
  const size_t begin = Offset();
  const char* end = text_.data() + text_.size();
  if (!ReadPlainNumber(text_.data() + begin, end, number)) number = ReadJsonNumber(text_.data() + begin, end);
  if (number.kind == NumberText::Kind::kNone || number.end == end || !EndsScalar(*number.end)) [[unlikely]] {
    return FailAtToken(begin);
  }
  Advance();
  return true;
}

JsonWalker::JsonWalker(const Layout& layout, int depth_limit)
    : layout_(layout), depth_limit_(std::min(depth_limit, kDepthBound)) {
  for (int field = 0; field < std::min(layout.size(), static_cast<int>(kOrderLimit)); ++field) {
    const bool plain = layout.names()[static_cast<size_t>(field)].find('\\') == std::string::npos;
    order_.push_back(plain ? field : -1);
  }
}

bool JsonWalker::Open(std::string_view text) {
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

std::string JsonWalker::Where() const {
  const std::string_view before = text_.substr(0, fault_.offset);
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const size_t column = before.size() - (before.rfind('\n') + 1) + 1;
  return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

bool JsonWalker::Finish() {
  return next_ == tokens_.size() || FailHere("nothing may follow the end of the object or list");
}

bool JsonWalker::FirstElement(bool& failed) {
  if (!Enter()) {
    failed = true;
    return false;
  }
  if (Peek() != ']') return true;
  Leave();
  return false;
}

bool JsonWalker::NextElement(bool& failed) {
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

bool JsonWalker::EndObject() {
  if (Peek() != '}') return FailHere("a comma or the end of the object is expected");
  Advance();
  return true;
}

bool JsonWalker::ReadRecord(RowBuilder& builder) {
  if (Peek() != '{') return FailHere("an object is expected");
  if (!Enter()) return false;
  if (Peek() == '}') {
    Leave();
    return true;
  }
  for (size_t position = 0;; ++position) {
    if (Peek() != '"') return FailHere("a field name in double quotes is expected");
    const size_t begin = Offset();
    Advance();
    if (Peek() != ':') return FailHere("a colon is expected after the field name");
    std::string_view name = RawString(begin);
    Advance();
    int field = position < order_.size() ? order_[position] : -1;
    if (field < 0 || name != layout_.names()[static_cast<size_t>(field)]) [[unlikely]] {
      const bool plain = name.find('\\') == std::string_view::npos;
      if (!plain) {
        if (!Unescape(name, name_)) return false;
        name = name_;
      }
      field = FindField(name, plain, position);
    }
    if (field >= 0) {
      if (!ReadField(field, builder)) return false;
    } else {
      builder.Unknown(name);
      if (!Skip()) return false;
    }
    const char c = Peek();
    if (c == '}') break;
    if (c != ',') return FailHere("a comma or the end of the object is expected");
    Advance();
  }
  Leave();
  return true;
}

// Remembers the position, for the next record most likely has its fields in the same order. A name with quotes or
// backslashes is never remembered: its raw spelling is another.
int JsonWalker::FindField(std::string_view name, bool plain, size_t position) {
  const int field = layout_.Find(name);
  if (plain && position < kOrderLimit) {
    if (position >= order_.size()) order_.resize(position + 1, -1);
    order_[position] = field;
  }
  return field;
}

bool JsonWalker::ReadField(int field, RowBuilder& builder) {
  switch (Peek()) {
    case '"': {
      std::string_view value;
      if (!ReadString(value)) return false;
      builder.SetString(field, value);
      return true;
    }
    case '{': {
      if (!Skip()) return false;
      builder.SetWrong(field, "an object");
      return true;
    }
    case '[':
      return ReadTensor(field, builder);
    case 't':
      if (!ReadLiteral("true")) return false;
      builder.SetBoolean(field, true);
      return true;
    case 'f':
      if (!ReadLiteral("false")) return false;
      builder.SetBoolean(field, false);
      return true;
    case 'n':
      if (!ReadLiteral("null")) return false;
      builder.SetNull(field);
      return true;
    default: {
      NumberText number;
      if (!ReadNumber(number)) return false;
      if (number.kind == NumberText::Kind::kNumber) {
        builder.SetNumber(field, number.number);
      } else if (number.kind == NumberText::Kind::kInteger) {
        builder.SetInteger(field, number.integer);
      } else {
        builder.SetUnsigned(field, number.unsigned_integer);
      }
      return true;
    }
  }
}

bool JsonWalker::ReadTensor(int field, RowBuilder& builder, bool whole) {
  Shape shape;
  shape.dimensions.fill(-1);
  builder.BeginTensor(field);
  if (!ReadElements(builder, shape, 0) || (whole && !Finish())) return false;
  builder.EndTensor({shape.dimensions.data(), std::min(shape.depth, kRankLimit)},
                    shape.ragged || shape.depth > kRankLimit);
  return true;
}

bool JsonWalker::ReadElements(RowBuilder& builder, Shape& shape, size_t level) {
  shape.depth = std::max(shape.depth, level + 1);
  if (shape.rank != 0 && level >= shape.rank) shape.ragged = true;
  bool failed = false;
  int64_t count = 0;
  for (bool more = FirstElement(failed); more; more = NextElement(failed)) {
    ++count;
    if (Peek() == '[') {
      if (!ReadElements(builder, shape, level + 1)) return false;
      continue;
    }
    if (shape.rank == 0) shape.rank = level + 1;
    if (shape.rank != level + 1 || shape.depth != level + 1) shape.ragged = true;
    if (!ReadElement(builder)) return false;
  }
  if (failed) return false;
  if (level < kRankLimit) {
    int64_t& dimension = shape.dimensions[level];
    if (dimension >= 0 && dimension != count) shape.ragged = true;
    dimension = count;
  }
  return true;
}

bool JsonWalker::ReadElement(RowBuilder& builder) {
  switch (Peek()) {
    case '"': {
      std::string_view value;
      if (!ReadString(value)) return false;
      builder.ElementString(value);
      return true;
    }
    case '{':
      if (!Skip()) return false;
      builder.ElementWrong("an object");
      return true;
    case 't':
      if (!ReadLiteral("true")) return false;
      builder.ElementBoolean(true);
      return true;
    case 'f':
      if (!ReadLiteral("false")) return false;
      builder.ElementBoolean(false);
      return true;
    case 'n':
      if (!ReadLiteral("null")) return false;
      builder.ElementNull();
      return true;
    default: {
      NumberText number;
      if (!ReadNumber(number)) return false;
      if (number.kind == NumberText::Kind::kNumber) {
        builder.ElementNumber(number.number);
      } else if (number.kind == NumberText::Kind::kInteger) {
        builder.ElementInteger(number.integer);
      } else {
        builder.ElementUnsigned(number.unsigned_integer);
      }
      return true;
    }
  }
}

bool JsonWalker::Skip() {
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
      if (!Enter()) return false;
      if (Peek() == '}') {
        Leave();
        return true;
      }
      for (;;) {
        std::string_view name;
        if (!ReadName(name) || !Skip()) return false;
        const char c = Peek();
        if (c == '}') break;
        if (c != ',') return FailHere("a comma or the end of the object is expected");
        Advance();
      }
      Leave();
      return true;
    }
    default: {
      NumberText number;
      return ReadNumber(number);
    }
  }
}

int64_t JsonWalker::PositionOfList(std::string_view name) {
  const size_t start = next_;
  const int depth = depth_++;
  int64_t position = 0;
  int64_t found_at = -1;
  std::string_view found;
  for (Advance(); Peek() == '"' && ReadName(found) && layout_.Find(found) < 0; ++position, Advance()) {
    if (found == name && Peek() == '[') {
      found_at = position;
      break;
    }
    if (!Skip() || Peek() != ',') break;
  }
  depth_ = depth;
  next_ = start;
  return found_at;
}

bool JsonWalker::ReadName(std::string_view& name) {
  if (Peek() != '"') return FailHere("a field name in double quotes is expected");
  if (!ReadString(name)) return false;
  if (Peek() != ':') return FailHere("a colon is expected after the field name");
  Advance();
  return true;
}

bool JsonWalker::ReadString(std::string_view& value) {
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

bool JsonWalker::ReadLiteral(std::string_view literal) {
  const size_t begin = Offset();
  const std::string_view rest = text_.substr(begin);
  if (!rest.starts_with(literal) || rest.size() == literal.size() || !EndsScalar(rest[literal.size()])) {
    return FailAtToken(begin);
  }
  Advance();
  return true;
}

bool JsonWalker::Unescape(std::string_view raw, std::string& out) {
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

bool JsonWalker::Enter() {
  if (depth_ == depth_limit_) {
    fault_ = {JsonFault::Kind::kTooDeep, "objects and lists are nested too deep", Offset()};
    return false;
  }
  ++depth_;
  Advance();
  return true;
}

void JsonWalker::Leave() {
  --depth_;
  Advance();
}

bool JsonWalker::Fail(const char* problem, size_t offset) {
  fault_ = {JsonFault::Kind::kMalformed, problem, offset};
  return false;
}

bool JsonWalker::FailHere(const char* problem) {
  return Fail(Peek() == '\0' && next_ >= tokens_.size() ? "the text ends too early" : problem, Offset());
}

bool JsonWalker::FailAtToken(size_t offset) {
  if (offset >= text_.size()) return Fail("the text ends too early", offset);
  return Fail(ProblemOfToken(text_.substr(offset, 24)), offset);
}

}  // namespace slipway::data
