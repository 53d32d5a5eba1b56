#include "expr/parser.h"

#include <fmt/core.h>

#include <utility>

#include "base/text.h"
#include "expr/lexer.h"

namespace slipway::expr {
namespace {

// Binding strength of binary operators; 0: not one.
int Strength(std::string_view sign) {
  if (sign == "or") return 1;
  if (sign == "and") return 2;
  if (sign == "==" || sign == "!=" || sign == "<" || sign == "<=" || sign == ">" || sign == ">=") return 4;
  if (sign == "in" || sign == "not") return 4;  // `not` here is the first word of `not in`
  if (sign == "+" || sign == "-") return 5;
  if (sign == "*" || sign == "/" || sign == "//" || sign == "%") return 6;
  if (sign == "**") return 8;
  return 0;
}
constexpr int kNotStrength = 3;
constexpr int kComparison = 4;
constexpr int kUnaryStrength = 7;
constexpr int kPower = 8;

std::string Describe(const Token& token, std::string_view text) {
  if (token.kind == TokenKind::kEnd) return "the end of the expression";
  return fmt::format("\"{}\"", base::Shorten(text.substr(token.span.begin, token.span.end - token.span.begin)));
}

class Parser {
 public:
  Parser(std::string_view text, std::vector<Token> tokens, const ProgramLimits& limits)
      : text_(text), tokens_(std::move(tokens)), limits_(limits) {}

  Checked<Tree> Run() {
    SLIPWAY_TRY(Conditional());
    if (Current().kind != TokenKind::kEnd) return Unexpected("an operator");
    return std::move(tree_);
  }

 private:
  using Index = uint32_t;

  const Token& Current() const { return tokens_[at_]; }
  bool Sees(std::string_view sign) const { return Current().kind == TokenKind::kSign && Current().text == sign; }
  bool Take(std::string_view sign) {
    if (!Sees(sign)) return false;
    ++at_;
    return true;
  }
  const Span& SpanOf(Index node) const { return tree_.nodes[node].span; }

  std::unexpected<Fault> Unexpected(std::string_view expected) const {
    if (Current().kind == TokenKind::kName && at_ > 0 && tokens_[at_ - 1].kind == TokenKind::kName) {
      return SyntaxFault(Current().span,
                         fmt::format("expected {}, found {}; a name with spaces stands in back quotes: `a name`",
                                     expected, Describe(Current(), text_)));
    }
    return SyntaxFault(Current().span, fmt::format("expected {}, found {}", expected, Describe(Current(), text_)));
  }

  Checked<void> Expect(std::string_view sign, Span opened) {
    if (Take(sign)) return {};
    if (Current().kind == TokenKind::kEnd) {
      return SyntaxFault(opened, fmt::format("\"{}\" without its closing \"{}\"",
                                             text_.substr(opened.begin, opened.end - opened.begin), sign));
    }
    return Unexpected(fmt::format("\"{}\"", sign));
  }

  Checked<Index> Add(Node node) {
    if (tree_.nodes.size() >= static_cast<size_t>(limits_.nodes)) {
      return LimitFault(
          node.span, fmt::format("the expression has more than {} parts; split it into several steps", limits_.nodes));
    }
    tree_.nodes.push_back(std::move(node));
    return static_cast<Index>(tree_.nodes.size() - 1);
  }

  Checked<Index> Call(std::string name, Span mark, Span span, std::vector<Index> children) {
    return Add({.kind = NodeKind::kCall,
                .span = span,
                .mark = mark,
                .text = std::move(name),
                .constant = {},
                .children = std::move(children)});
  }

  // Counts one level of nesting for as long as it lives.
  struct Level {
    explicit Level(int& depth) : depth(depth) { ++depth; }
    ~Level() { --depth; }
    int& depth;
  };
  Checked<void> CheckDepth() const {
    if (depth_ <= limits_.depth) return {};
    return LimitFault(
        Current().span,
        fmt::format("the expression nests deeper than {} levels; split it into several steps", limits_.depth));
  }

  Checked<Index> Conditional() {
    const Level level(depth_);
    SLIPWAY_TRY(CheckDepth());
    SLIPWAY_ASSIGN(const Index condition, Binary(1));
    const Span mark = Current().span;
    if (!Take("?")) return condition;
    SLIPWAY_ASSIGN(const Index then, Conditional());
    SLIPWAY_TRY(Expect(":", mark));
    SLIPWAY_ASSIGN(const Index otherwise, Conditional());
    return Call("if", mark, {SpanOf(condition).begin, SpanOf(otherwise).end}, {condition, then, otherwise});
  }

  // A level deeper: what follows a prefix operator or **.
  Checked<Index> Nested(int weakest) {
    const Level level(depth_);
    SLIPWAY_TRY(CheckDepth());
    return Binary(weakest);
  }

  Checked<Index> Binary(int weakest) {
    SLIPWAY_ASSIGN(Index left, Operand(weakest));
    bool compared = false;
    for (;;) {
      if (Current().kind != TokenKind::kSign) return left;
      const Token sign = Current();
      const int strength = Strength(sign.text);
      if (strength == 0 || strength < weakest) return left;
      if (sign.text == "not" && !(tokens_[at_ + 1].kind == TokenKind::kSign && tokens_[at_ + 1].text == "in"))
        return left;
      if (strength == kComparison && std::exchange(compared, true)) {
        return SyntaxFault(sign.span, "comparisons do not chain; write \"a < b and b < c\"");
      }
      ++at_;
      if (sign.text == "in" || sign.text == "not") {
        SLIPWAY_ASSIGN(left, Membership(left, sign));
        continue;
      }
      SLIPWAY_ASSIGN(const Index right, strength == kPower ? Nested(kUnaryStrength) : Binary(strength + 1));
      SLIPWAY_ASSIGN(left, Call(sign.text, sign.span, {SpanOf(left).begin, SpanOf(right).end}, {left, right}));
      if (strength < kComparison) compared = false;
    }
  }

  // After `in`, or after the `not` of `not in`.
  Checked<Index> Membership(Index value, const Token& sign) {
    Span mark = sign.span;
    const bool negated = sign.text == "not";
    if (negated) mark.end = tokens_[at_++].span.end;
    const Span opened = Current().span;
    if (!Take("[")) return Unexpected("a list like [1, 2, 3]");
    std::vector<Index> children{value};
    SLIPWAY_TRY(List("]", opened, children));
    const Span span{SpanOf(value).begin, tokens_[at_ - 1].span.end};
    if (children.size() == 1) return SyntaxFault({opened.begin, span.end}, "the list is empty; nothing is ever in it");
    SLIPWAY_ASSIGN(const Index membership, Add({.kind = NodeKind::kMembership,
                                                .span = span,
                                                .mark = mark,
                                                .text = "in",
                                                .constant = {},
                                                .children = std::move(children)}));
    if (!negated) return membership;
    return Call("not", mark, span, {membership});
  }

  // The rest of a list whose opening bracket is taken; takes the closing one.
  Checked<void> List(std::string_view close, Span opened, std::vector<Index>& out) {
    if (Take(close)) return {};
    for (;;) {
      SLIPWAY_ASSIGN(const Index item, Conditional());
      out.push_back(item);
      if (!Take(",")) return Expect(close, opened);
    }
  }

  Checked<Index> Operand(int weakest) {
    const Token sign = Current();
    if (sign.kind == TokenKind::kSign) {
      if (sign.text == "not") {
        if (weakest > kNotStrength) {
          return SyntaxFault(sign.span, "\"not\" binds weaker than the operator before it; write (not x) or !x");
        }
        ++at_;
        SLIPWAY_ASSIGN(const Index operand, Nested(kNotStrength));
        return Call("not", sign.span, {sign.span.begin, SpanOf(operand).end}, {operand});
      }
      if (sign.text == "!" || sign.text == "-" || sign.text == "+") {
        ++at_;
        SLIPWAY_ASSIGN(const Index operand, Nested(kUnaryStrength));
        const std::string name = sign.text == "!" ? "not" : "unary " + sign.text;
        return Call(name, sign.span, {sign.span.begin, SpanOf(operand).end}, {operand});
      }
    }
    return Primary();
  }

  Checked<Index> Primary() {
    const Token token = Current();
    const Span span = token.span;
    if (token.kind == TokenKind::kLiteral) {
      ++at_;
      if (Sees("["))
        return SyntaxFault(Current().span, "only a column can be indexed; substring(text, start, count) cuts texts");
      return Add({.kind = NodeKind::kLiteral,
                  .span = span,
                  .mark = span,
                  .text = {},
                  .constant = token.constant,
                  .children = {}});
    }
    if (token.kind == TokenKind::kName || token.kind == TokenKind::kQuoted) {
      ++at_;
      if (token.kind == TokenKind::kName && Sees("(")) return FunctionCall(token);
      if (Sees("[")) return Element(token);
      return Add(
          {.kind = NodeKind::kName, .span = span, .mark = span, .text = token.text, .constant = {}, .children = {}});
    }
    if (Take("(")) {
      SLIPWAY_ASSIGN(const Index inner, Conditional());
      SLIPWAY_TRY(Expect(")", span));
      if (Sees("[")) return SyntaxFault(Current().span, "only a column can be indexed");
      return inner;
    }
    if (Sees("[")) return SyntaxFault(span, "a list stands only after \"in\"");
    return Unexpected("a value");
  }

  Checked<Index> FunctionCall(const Token& name) {
    const Span opened = Current().span;
    ++at_;
    std::vector<Index> children;
    SLIPWAY_TRY(List(")", opened, children));
    const Span span{name.span.begin, tokens_[at_ - 1].span.end};
    if (Sees("[")) return SyntaxFault(Current().span, "only a column can be indexed");
    return Call(name.text, name.span, span, std::move(children));
  }

  Checked<Index> Element(const Token& name) {
    std::vector<Index> children;
    while (Sees("[")) {
      const Span opened = Current().span;
      ++at_;
      const size_t before = children.size();
      SLIPWAY_TRY(List("]", opened, children));
      if (children.size() == before)
        return SyntaxFault({opened.begin, tokens_[at_ - 1].span.end}, "an index is missing");
    }
    const Span span{name.span.begin, tokens_[at_ - 1].span.end};
    return Add({.kind = NodeKind::kElement,
                .span = span,
                .mark = name.span,
                .text = name.text,
                .constant = {},
                .children = std::move(children)});
  }

  std::string_view text_;
  std::vector<Token> tokens_;
  const ProgramLimits& limits_;
  size_t at_ = 0;
  int depth_ = 0;
  Tree tree_;
};

}  // namespace

Checked<Tree> Parse(std::string_view text, const ProgramLimits& limits) {
  if (text.size() > limits.bytes) {
    return LimitFault({0, 1},
                      fmt::format("the expression has {} bytes, more than the limit of {}; split it into several "
                                  "steps",
                                  text.size(), limits.bytes));
  }
  SLIPWAY_ASSIGN(std::vector<Token> tokens, Tokenize(text));
  if (tokens.size() == 1) return SyntaxFault({0, 0}, "the expression is empty");
  return Parser(text, std::move(tokens), limits).Run();
}

}  // namespace slipway::expr
