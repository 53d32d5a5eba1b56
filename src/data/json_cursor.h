#pragma once
// JsonCursor: walks the tokens of a JSON text one by one. Every byte is checked as it is passed, so that a text is
// either well-formed as a whole or refused. Doors that read JSON of their own shape stand on it.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "data/json_index.h"
#include "data/number_text.h"

namespace slipway::data {

/// What is wrong with a text: `problem` is a fixed phrase that quotes none of it, so that it may be shown and logged.
struct JsonFault {
  enum class Kind : uint8_t { kMalformed, kTooDeep, kTooLong };
  Kind kind = Kind::kMalformed;
  const char* problem = nullptr;
  size_t offset = 0;
};

/// What a text may hold at most.
struct JsonBounds {
  int depth = 32;                    ///< objects and lists inside one another; 512 at most, since the walk recurses
  int64_t string_bytes = INT64_MAX;  ///< of one string or name, as written: between its quotes
};

/// What a protocol allows beyond RFC 8259.
struct JsonDialect {
  enum class NonFinite : uint8_t {
    kRefuse,
    kNumber,  ///< NaN, Infinity and -Infinity are the numbers they name
    kNull,    ///< the same, but NaN is null, as pandas writes a missing value
  };
  NonFinite non_finite = NonFinite::kRefuse;
  bool base64 = false;  ///< {"b64": "…"} is the text that it encodes
};

/// "a list", "a string", …: what a token begins, in the words of a message.
std::string_view JsonKindOf(char first);
std::string_view WithoutByteOrderMark(std::string_view text);
std::string_view WithoutLeadingSpace(std::string_view text);
/// Whether the text is, or begins with, a JSON value that is no object or list.
bool IsJsonScalar(std::string_view text);

/// Lifecycle: Open a text, read its values in order, Finish; the first false ends the walk and fault() tells why.
/// Thread-safety: one thread at a time. Keeps its buffers from text to text.
class JsonCursor {
 public:
  explicit JsonCursor(const JsonBounds& bounds);

  /// Counts for what is read from now on.
  void Speak(const JsonDialect& dialect) { dialect_ = dialect; }

  /// Starts at the first token of a text whose root is an object or a list. `text` must outlive the walk.
  bool Open(std::string_view text);
  const JsonFault& fault() const { return fault_; }
  /// "line 2, column 17" of the fault.
  std::string Where() const;
  /// The fault as "json.malformed" or "json.limit", with line and column.
  base::Error Error() const;
  /// True when nothing follows the value just read.
  bool Finish();
  void Trim() { index_.Trim(); }

  /// First character of the next token; 0 at the end of the text.
  char Peek() const { return next_ < tokens_.size() ? text_[tokens_[next_]] : '\0'; }
  void Advance() { ++next_; }
  /// A value may be passed by Skip() and read later: take its place, and come back to it before the walk is over.
  size_t place() const { return next_; }
  void Return(size_t place) { next_ = place; }
  /// The same across levels of nesting.
  struct Place {
    size_t token = 0;
    int depth = 0;
  };
  Place Here() const { return {next_, depth_}; }
  void Return(const Place& place) {
    next_ = place.token;
    depth_ = place.depth;
  }
  /// The text from a place up to here, without what separates it from the next token.
  std::string_view TextSince(const Place& place) const;

  /// Enters and leaves lists: true when there is a first (another) element; `failed` tells an end from a fault.
  bool FirstElement(bool& failed);
  bool NextElement(bool& failed);
  /// The same for objects: true when there is a first (another) member, whose name was read and whose value is next.
  /// The name is valid until the next string is read.
  bool FirstMember(std::string_view& name, bool& failed);
  bool NextMember(std::string_view& name, bool& failed);

  /// Passes over the brace that ends an object.
  bool EndObject();
  /// The name of the field at hand and the colon after it.
  bool ReadName(std::string_view& name);
  /// Read the scalar at hand, of which Peek() has told the kind. A string is valid until the next one is read. A number
  /// of kind kNone is a NaN that the dialect takes for null.
  bool ReadString(std::string_view& value);
  [[gnu::always_inline]] inline bool ReadNumber(NumberText& number);
  bool ReadLiteral(std::string_view literal);
  /// Checks and passes over any value.
  bool Skip();
  /// Passes over a value by its brackets alone: it must be read, or skipped, later.
  bool Pass();
  /// Ends the walk here with a fault; false.
  bool FailHere(const char* problem);
  /// Whether {"b64": "…"} is at hand, in a dialect that has it.
  bool IsBase64() const;
  /// Reads it; `valid`: it was base64. The bytes are valid until the next ones are read.
  bool ReadBase64(std::string_view& bytes, bool& valid);

 protected:
  static constexpr size_t kBase64Tokens = 5;  ///< { "b64" : "…" }

  bool Enter();
  void Leave();
  bool Fail(const char* problem, size_t offset);
  bool FailAtToken(size_t offset);
  bool FailAtLongString(size_t offset);
  size_t Offset() const { return next_ < tokens_.size() ? tokens_[next_] : text_.size(); }
  bool ReadNonFinite(NumberText& number);
  bool Unescape(std::string_view raw, std::string& out);
  [[gnu::always_inline]] inline std::string_view RawString(size_t begin) const;

  /// What may stand right behind a number or literal.
  static constexpr bool EndsScalar(char c) {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == ',' || c == ']' || c == '}';
  }

  JsonBounds bounds_;
  JsonDialect dialect_;
  JsonIndex index_;
  std::string_view text_;
  std::span<const uint32_t> tokens_;
  size_t next_ = 0;
  int depth_ = 0;
  JsonFault fault_;
  std::string name_;   ///< an unescaped field name
  std::string value_;  ///< an unescaped string value
  std::string bytes_;  ///< a string value that stood in base64
};

// Only white space stands between the closing quote and the next token, hence the quote is found from there backwards.
inline std::string_view JsonCursor::RawString(size_t begin) const {
  size_t end = Offset() - 1;
  while (text_[end] != '"') --end;
  return text_.substr(begin + 1, end - begin - 1);
}

inline bool JsonCursor::ReadNumber(NumberText& number) {
  const size_t begin = Offset();
  const char* end = text_.data() + text_.size();
  if (!ReadPlainNumber(text_.data() + begin, end, number)) number = ReadJsonNumber(text_.data() + begin, end);
  if (number.kind == NumberText::Kind::kNone || number.end == end || !EndsScalar(*number.end)) [[unlikely]] {
    return (dialect_.non_finite != JsonDialect::NonFinite::kRefuse && ReadNonFinite(number)) || FailAtToken(begin);
  }
  Advance();
  return true;
}

}  // namespace slipway::data
