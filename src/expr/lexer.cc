#include "expr/lexer.h"

#include <fmt/core.h>

#include <array>
#include <charconv>
#include <cmath>

#include "base/text.h"

namespace slipway::expr {
namespace {

using data::ScalarType;

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
bool IsNameStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool IsNamePart(char c) {
  return IsNameStart(c) || IsDigit(c);
}
bool IsSpace(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

void AppendUtf8(std::string& out, uint32_t point) {
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xC0 | point >> 6);
    out += static_cast<char>(0x80 | (point & 0x3F));
  } else {
    out += static_cast<char>(0xE0 | point >> 12);
    out += static_cast<char>(0x80 | (point >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (point & 0x3F));
  }
}

class Cutter {
 public:
  explicit Cutter(std::string_view text) : text_(text) {}

  Checked<std::vector<Token>> Run() {
    for (;;) {
      while (at_ < text_.size() && IsSpace(text_[at_])) ++at_;
      if (at_ == text_.size()) break;
      SLIPWAY_TRY(Next());
    }
    Add(TokenKind::kEnd, at_, {});
    return std::move(tokens_);
  }

 private:
  char Peek(size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }

  Token& Add(TokenKind kind, size_t begin, std::string text) {
    tokens_.push_back({.kind = kind, .span = {begin, at_}, .text = std::move(text), .constant = {}});
    return tokens_.back();
  }

  Checked<void> Next() {
    const char c = Peek();
    if (IsNameStart(c)) return Name();
    if (IsDigit(c) || (c == '.' && IsDigit(Peek(1)))) return Number();
    if (c == '\'' || c == '"') return Text();
    if (c == '`') return Quoted();
    return Sign();
  }

  Checked<void> Name() {
    const size_t begin = at_;
    while (IsNamePart(Peek())) ++at_;
    std::string word(text_.substr(begin, at_ - begin));
    if (word == "true" || word == "false") {
      Constant& constant = Add(TokenKind::kLiteral, begin, word).constant;
      constant.type = ScalarType::kBoolean;
      constant.boolean = word == "true";
    } else if (word == "null") {
      Constant& constant = Add(TokenKind::kLiteral, begin, word).constant;
      constant.untyped = true;
      constant.valid = false;
    } else if (word == "and" || word == "or" || word == "not" || word == "in") {
      Add(TokenKind::kSign, begin, std::move(word));
    } else {
      Add(TokenKind::kName, begin, std::move(word));
    }
    return {};
  }

  Checked<void> Number() {
    const size_t begin = at_;
    bool whole = true;
    while (IsDigit(Peek())) ++at_;
    if (Peek() == '.') {
      whole = false;
      ++at_;
      while (IsDigit(Peek())) ++at_;
    }
    bool malformed = false;
    if ((Peek() | 0x20) == 'e') {
      whole = false;
      ++at_;
      if (Peek() == '+' || Peek() == '-') ++at_;
      malformed = !IsDigit(Peek());
      while (IsDigit(Peek())) ++at_;
    }
    if (malformed || IsNamePart(Peek())) {
      while (IsNamePart(Peek())) ++at_;
      return SyntaxFault({begin, at_}, fmt::format("malformed number \"{}\"; numbers look like 12, 0.5 or 1.5e3",
                                                   base::Shorten(text_.substr(begin, at_ - begin))));
    }
    const char* first = text_.data() + begin;
    const char* last = text_.data() + at_;
    Constant constant;
    if (whole) {
      constant.type = ScalarType::kInteger;
      if (std::from_chars(first, last, constant.integer).ec != std::errc{}) {
        return SyntaxFault({begin, at_}, "integer past 64 bits; write it as a number, e.g. 1e19");
      }
    } else if (std::from_chars(first, last, constant.number).ec != std::errc{}) {
      return SyntaxFault({begin, at_}, "number outside what 64-bit floating point can hold (about 1e-308 to 1.8e308)");
    }
    Add(TokenKind::kLiteral, begin, {}).constant = std::move(constant);
    return {};
  }

  Checked<void> Text() {
    const size_t begin = at_;
    const char quote = Peek();
    std::string value;
    for (++at_;;) {
      if (at_ == text_.size()) {
        return SyntaxFault({begin, begin + 1}, fmt::format("text without its closing {}", quote));
      }
      const char c = text_[at_++];
      if (c == quote) break;
      if (c != '\\') {
        value += c;
        continue;
      }
      SLIPWAY_TRY(Escape(value));
    }
    Constant& constant = Add(TokenKind::kLiteral, begin, {}).constant;
    constant.type = ScalarType::kString;
    constant.text = std::move(value);
    return {};
  }

  // After a backslash. An unknown escape keeps its backslash, so that regular expressions read naturally: '\d+'.
  Checked<void> Escape(std::string& value) {
    const char c = Peek();
    if (c == 'u') {
      uint32_t point = 0;
      const std::string_view digits = text_.substr(std::min(at_ + 1, text_.size()), 4);
      const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), point, 16);
      if (digits.size() != 4 || parsed.ptr != digits.data() + 4 || (point >= 0xD800 && point < 0xE000)) {
        return SyntaxFault({at_ - 1, std::min(at_ + 5, text_.size())},
                           "\\u takes four hexadecimal digits of a character, e.g. \\u00e9");
      }
      AppendUtf8(value, point);
      at_ += 5;
      return {};
    }
    constexpr std::string_view kEscapes = "n\nt\tr\r\\\\''\"\"";
    for (size_t i = 0; i < kEscapes.size(); i += 2) {
      if (kEscapes[i] == c) {
        value += kEscapes[i + 1];
        ++at_;
        return {};
      }
    }
    value += '\\';
    return {};
  }

  Checked<void> Quoted() {
    const size_t begin = at_;
    const size_t close = text_.find('`', begin + 1);
    if (close == std::string_view::npos) return SyntaxFault({begin, begin + 1}, "column name without its closing `");
    at_ = close + 1;
    Add(TokenKind::kQuoted, begin, std::string(text_.substr(begin + 1, close - begin - 1)));
    return {};
  }

  Checked<void> Sign() {
    // Longest first. An empty meaning: not an operator here, with the cure.
    struct Known {
      std::string_view written, meaning, cure;
    };
    static constexpr std::array<Known, 33> kSigns{{
        {"===", "", "use =="},
        {"<=>", "", "use <, == or >"},
        {"**", "**", ""},
        {"//", "//", ""},
        {"==", "==", ""},
        {"!=", "!=", ""},
        {"<>", "", "use !="},
        {"<=", "<=", ""},
        {">=", ">=", ""},
        {"&&", "and", ""},
        {"||", "or", ""},
        {"+", "+", ""},
        {"-", "-", ""},
        {"*", "*", ""},
        {"/", "/", ""},
        {"%", "%", ""},
        {"<", "<", ""},
        {">", ">", ""},
        {"!", "!", ""},
        {"(", "(", ""},
        {")", ")", ""},
        {"[", "[", ""},
        {"]", "]", ""},
        {",", ",", ""},
        {"?", "?", ""},
        {":", ":", ""},
        {"=", "", "use == to compare"},
        {"&", "", "use and"},
        {"|", "", "use or"},
        {"^", "", "use ** for powers"},
        {"~", "", "use not"},
        {".", "", "write a name with a dot in back quotes"},
        {";", "", "an expression is one value without ;"},
    }};
    const size_t begin = at_;
    for (const Known& sign : kSigns) {
      if (!text_.substr(at_).starts_with(sign.written)) continue;
      at_ += sign.written.size();
      if (sign.meaning.empty()) {
        return SyntaxFault({begin, at_}, fmt::format("\"{}\" is no operator here; {}", sign.written, sign.cure));
      }
      Add(TokenKind::kSign, begin, std::string(sign.meaning));
      return {};
    }
    size_t end = at_ + 1;
    while (end < text_.size() && (static_cast<unsigned char>(text_[end]) & 0xC0) == 0x80) ++end;
    const std::string_view shown = text_.substr(begin, end - begin);
    return SyntaxFault({begin, end},
                       fmt::format("unexpected character \"{}\"; names with other characters than letters, "
                                   "digits and _ stand in back quotes: `a name`",
                                   base::Shorten(shown)));
  }

  std::string_view text_;
  size_t at_ = 0;
  std::vector<Token> tokens_;
};

}  // namespace

Checked<std::vector<Token>> Tokenize(std::string_view text) {
  if (!base::IsValidUtf8(text)) return SyntaxFault({0, 0}, "the expression is not valid UTF-8");
  return Cutter(text).Run();
}

}  // namespace slipway::expr
