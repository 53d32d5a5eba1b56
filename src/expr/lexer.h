#pragma once
// Lexer cuts an expression into tokens. The whole text is cut at once: expressions are short and bounded.

#include <string>
#include <string_view>
#include <vector>

#include "expr/constant.h"
#include "expr/fault.h"

namespace slipway::expr {

enum class TokenKind : uint8_t {
  kEnd,
  kLiteral,  ///< integer, number, text, true, false, null
  kName,     ///< a column or function
  kQuoted,   ///< `a column`, never a function
  kSign,     ///< operators and brackets; the words and, or, not, in as "and", "or", "not", "in"
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  Span span;
  std::string text;   ///< of names and signs; `&&`, `||` arrive as "and", "or"
  Constant constant;  ///< of literals
};

/// The tokens, ended by one kEnd. Errors: "expr.syntax".
Checked<std::vector<Token>> Tokenize(std::string_view text);

}  // namespace slipway::expr
