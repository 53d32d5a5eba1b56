#include "tables/sql_text.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <vector>

namespace slipway::tables {
namespace {

bool IsWordCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}

constexpr std::string_view kQuestions[] = {"SELECT", "WITH", "VALUES", "TABLE", "("};

/// But for capitals.
bool IsSame(std::string_view word, std::string_view known) {
  return word.size() == known.size() && strncasecmp(word.data(), known.data(), word.size()) == 0;
}

bool IsBlank(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

/// Steps over a text token by token.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  size_t at() const { return at_; }
  bool ended() const { return at_ >= text_.size(); }

  void SkipBlanks() {
    while (!ended()) {
      if (IsBlank(text_[at_])) {
        ++at_;
      } else if (rest().starts_with("--")) {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (rest().starts_with("/*")) {
        SkipComment();
      } else {
        return;
      }
    }
  }

  /// The token here, which may be a whole quoted text; the scanner stands behind it.
  std::string_view Next() {
    const size_t begin = at_;
    const char c = text_[at_];
    if (c == '\'' || c == '"') {
      SkipQuoted(c, false);
    } else if ((c == 'e' || c == 'E') && at_ + 1 < text_.size() && text_[at_ + 1] == '\'') {
      ++at_;
      SkipQuoted('\'', true);
    } else if (c == '$' && SkipDollars()) {
      // a text between $tags$
    } else if (IsWordCharacter(c)) {
      while (!ended() && IsWordCharacter(text_[at_])) ++at_;
    } else {
      ++at_;
    }
    return text_.substr(begin, at_ - begin);
  }

 private:
  std::string_view rest() const { return text_.substr(at_); }

  /// Comments may hold comments.
  void SkipComment() {
    int depth = 0;
    do {
      if (rest().starts_with("/*")) {
        ++depth;
        at_ += 2;
      } else if (rest().starts_with("*/")) {
        --depth;
        at_ += 2;
      } else {
        ++at_;
      }
    } while (depth > 0 && !ended());
    at_ = std::min(at_, text_.size());
  }

  void SkipQuoted(char quote, bool escapes) {
    for (++at_; !ended(); ++at_) {
      if (escapes && text_[at_] == '\\') {
        ++at_;
      } else if (text_[at_] == quote) {
        ++at_;
        if (ended() || text_[at_] != quote) return;
      }
    }
    at_ = std::min(at_, text_.size());
  }

  bool SkipDollars() {
    size_t end = at_ + 1;
    while (end < text_.size() && text_[end] != '$' && IsWordCharacter(text_[end])) ++end;
    if (end >= text_.size() || text_[end] != '$') return false;
    const std::string_view tag = text_.substr(at_, end + 1 - at_);
    const size_t close = text_.find(tag, end + 1);
    at_ = close == std::string_view::npos ? text_.size() : close + tag.size();
    return true;
  }

  std::string_view text_;
  size_t at_ = 0;
};

/// "read_csv", "parquet_scan" and their like.
bool ReadsFiles(std::string_view function) {
  constexpr std::string_view kReads = "read_", kScan = "_scan";
  return IsSame(function.substr(0, kReads.size()), kReads) ||
         (function.size() > kScan.size() && IsSame(function.substr(function.size() - kScan.size()), kScan));
}

/// What stands between quotes of either kind.
std::string Unquoted(std::string_view token) {
  const char quote = token.front();
  std::string text;
  for (size_t i = 1; i + 1 < token.size(); ++i) {
    text += token[i];
    if (token[i] == quote) ++i;
  }
  return text;
}

std::string InQuotes(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? "''" : std::string(1, c);
  return quoted + "'";
}

}  // namespace

bool BeginsAsQuestion(std::string_view sql) {
  Scanner scanner(sql);
  scanner.SkipBlanks();
  if (scanner.ended()) return false;
  const std::string_view word = scanner.Next();
  return std::ranges::any_of(kQuestions, [&](std::string_view known) { return IsSame(word, known); });
}

std::optional<std::string> CallsOf(std::string_view function, std::string_view sql) {
  constexpr std::string_view kOpened = "struct_pack(*COLUMNS(", kClosed = "))";
  Scanner scanner(sql);
  std::string text;
  size_t copied = 0;
  const auto put_in = [&](size_t at, std::string_view added) {
    text += sql.substr(copied, at - copied);
    text += added;
    copied = at;
  };
  bool found = false, called = false;  // whether the last word was the function
  std::vector<bool> brackets;          // those that are open; true: of a call with a star
  while (true) {
    scanner.SkipBlanks();
    if (scanner.ended()) break;
    const size_t begin = scanner.at();
    const std::string_view token = scanner.Next();
    const bool opens = token == "(", calls = opens && called;
    called = IsSame(token, function);
    found = found || calls;
    if (opens) {
      scanner.SkipBlanks();
      brackets.push_back(calls && !scanner.ended() && sql[scanner.at()] == '*');
      if (brackets.back()) put_in(scanner.at(), kOpened);
    } else if (token == ")" && !brackets.empty()) {
      if (brackets.back()) put_in(begin, kClosed);
      brackets.pop_back();
    }
  }
  if (!found) return std::nullopt;
  put_in(sql.size(), {});
  for (const bool star : brackets) text += star ? kClosed : std::string_view();
  return text;
}

std::string WithFilesReplaced(std::string_view sql,
                              const std::function<std::optional<std::string>(const std::string& name)>& replace) {
  Scanner scanner(sql);
  std::string text, before;
  size_t copied = 0;
  std::vector<bool> brackets;  // those that are open; true: of a function that reads files
  while (true) {
    scanner.SkipBlanks();
    if (scanner.ended()) break;
    const size_t begin = scanner.at();
    const std::string_view token = scanner.Next();
    const bool in_reader = !brackets.empty() && brackets.back();
    const bool is_item = before == "(" || before == "[" || before == ",";
    if (token == "(") {
      brackets.push_back(ReadsFiles(before));
    } else if (token == "[") {
      brackets.push_back(in_reader && is_item);
    } else if ((token == ")" || token == "]") && !brackets.empty()) {
      brackets.pop_back();
    }
    const bool is_quoted =
        token.size() > 1 && token.front() == token.back() && (token.front() == '\'' || token.front() == '"');
    const bool is_table = IsSame(before, "FROM") || IsSame(before, "JOIN");
    if (is_quoted && (is_table || (in_reader && is_item))) {
      if (const auto other = replace(Unquoted(token))) {
        text += sql.substr(copied, begin - copied);
        text += InQuotes(*other);
        copied = scanner.at();
      }
    }
    before = token;
  }
  return text + std::string(sql.substr(copied));
}

std::string ExactPattern(std::string_view path) {
  std::string exact;
  for (const char c : path) {
    if (c == '*' || c == '?' || c == '[') {
      exact += {'[', c, ']'};
    } else {
      exact += c;
    }
  }
  return exact;
}

}  // namespace slipway::tables
