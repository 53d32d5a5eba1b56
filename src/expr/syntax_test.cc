#include "expr/expression_fixture.h"

namespace slipway::expr {
namespace {

TEST(Syntax, MultiplicationBindsBeforeAddition) {
  EXPECT_EQ(Value("2 + 3 * 4"), "14");
}
TEST(Syntax, SubtractionGroupsFromTheLeft) {
  EXPECT_EQ(Value("10 - 3 - 2"), "5");
}
TEST(Syntax, PowerGroupsFromTheRight) {
  EXPECT_EQ(Value("2 ** 3 ** 2"), "512.0");
}
TEST(Syntax, MinusBindsWeakerThanPower) {
  EXPECT_EQ(Value("-2 ** 2"), "-4.0");
}
TEST(Syntax, PowerTakesANegativeExponent) {
  EXPECT_EQ(Value("2 ** -1"), "0.5");
}
TEST(Syntax, MinusBindsStrongerThanMultiplication) {
  EXPECT_EQ(Value("-x * 2", {Integer("x", 3)}), "-6");
}
TEST(Syntax, NotBindsWeakerThanComparison) {
  EXPECT_EQ(Value("not 1 == 2"), "true");
}
TEST(Syntax, ExclamationBindsStrongerThanComparison) {
  EXPECT_EQ(Value("!true == false"), "true");
}
TEST(Syntax, AndBindsBeforeOr) {
  EXPECT_EQ(Value("true or false and false"), "true");
}
TEST(Syntax, ComparisonBindsBeforeAnd) {
  EXPECT_EQ(Value("1 < 2 && 3 >= 3"), "true");
}
TEST(Syntax, ConditionalsGroupFromTheRight) {
  EXPECT_EQ(Value("false ? 1 : false ? 2 : 3"), "3");
}
TEST(Syntax, ParenthesesGroup) {
  EXPECT_EQ(Value("(2 + 3) * 4"), "20");
}
TEST(Syntax, ComparisonsInParenthesesAreBooleans) {
  EXPECT_EQ(Value("(1 < 2) == (3 < 4)"), "true");
}
TEST(Syntax, TwoComparisonsJoinedByAndAreNoChain) {
  EXPECT_EQ(Value("1 < 2 and 2 < 3 and 3 < 4"), "true");
}
TEST(Syntax, SpansSeveralLines) {
  EXPECT_EQ(Value("1 +\n  2\n"), "3");
}
TEST(Syntax, NumbersTakeEveryForm) {
  EXPECT_EQ(Value(".5 + 1. + 1e1 + 2.5E-1"), "11.75");
}
TEST(Syntax, TextsTakeEscapes) {
  EXPECT_EQ(Value(R"('a\'b\\\n\u00e9')"), "'a'b\\\n\xC3\xA9'");
}
TEST(Syntax, UnknownEscapesKeepTheirBackslash) {
  EXPECT_EQ(Value(R"("\d")"), R"('\d')");
}
TEST(Syntax, BackQuotesTakeAnyColumnName) {
  EXPECT_EQ(Value("`dep time` + `in`", {Integer("dep time", 1), Integer("in", 2)}), "3");
}
TEST(Syntax, ColumnsMayBeNamedLikeFunctions) {
  EXPECT_EQ(Value("abs(abs)", {Integer("abs", -1)}), "1");
}
TEST(Syntax, InLooksInAList) {
  EXPECT_EQ(Value("2 in [1, 2]"), "true");
}
TEST(Syntax, NotInLooksInAList) {
  EXPECT_EQ(Value("2 not in [1, 2]"), "false");
}
TEST(Syntax, NotBeforeInNegatesIt) {
  EXPECT_EQ(Value("not 2 in [1, 2]"), "false");
}

TEST(SyntaxFault, EmptyExpression) {
  EXPECT_EQ(Refusal(" "), "expr.syntax: the expression is empty\n   \n  ^");
}
TEST(SyntaxFault, ChainedComparison) {
  EXPECT_EQ(Refusal("1 < 2 < 3"),
            "expr.syntax: comparisons do not chain; write \"a < b and b < c\"\n  1 < 2 < 3\n        ^");
}
TEST(SyntaxFault, MissingOperand) {
  EXPECT_EQ(Refusal("1 +"), "expr.syntax: expected a value, found the end of the expression\n  1 +\n     ^");
}
TEST(SyntaxFault, MissingOperator) {
  EXPECT_EQ(Refusal("1 2"), "expr.syntax: expected an operator, found \"2\"\n  1 2\n    ^");
}
TEST(SyntaxFault, NameWithSpaces) {
  EXPECT_EQ(Refusal("dep time > 1"),
            "expr.syntax: expected an operator, found \"time\"; a name with spaces stands in back quotes: `a name`\n"
            "  dep time > 1\n      ^~~~");
}
TEST(SyntaxFault, UnclosedParenthesis) {
  EXPECT_EQ(Refusal("(1 + 2"), "expr.syntax: \"(\" without its closing \")\"\n  (1 + 2\n  ^");
}
TEST(SyntaxFault, WrongClosingBracket) {
  EXPECT_EQ(Refusal("(1 + 2]"), "expr.syntax: expected \")\", found \"]\"\n  (1 + 2]\n        ^");
}
TEST(SyntaxFault, UnclosedText) {
  EXPECT_EQ(Refusal("x == 'a"), "expr.syntax: text without its closing '\n  x == 'a\n       ^");
}
TEST(SyntaxFault, UnclosedColumnName) {
  EXPECT_EQ(Refusal("`a + 1"), "expr.syntax: column name without its closing `\n  `a + 1\n  ^");
}
TEST(SyntaxFault, BadUnicodeEscape) {
  EXPECT_EQ(Refusal(R"('\u12')"),
            "expr.syntax: \\u takes four hexadecimal digits of a character, e.g. \\u00e9\n  '\\u12'\n   ^~~~~");
}
TEST(SyntaxFault, SurrogateEscape) {
  EXPECT_THAT(Refusal(R"('\ud800')"), testing::StartsWith("expr.syntax: \\u takes four"));
}
TEST(SyntaxFault, MalformedNumber) {
  EXPECT_EQ(Refusal("1 + 12ab"),
            "expr.syntax: malformed number \"12ab\"; numbers look like 12, 0.5 or 1.5e3\n  1 + 12ab\n      ^~~~");
}
TEST(SyntaxFault, ExponentWithoutDigits) {
  EXPECT_THAT(Refusal("1e+"), testing::StartsWith("expr.syntax: malformed number \"1e+\""));
}
TEST(SyntaxFault, HugeInteger) {
  EXPECT_EQ(Refusal("9223372036854775808"),
            "expr.syntax: integer past 64 bits; write it as a number, e.g. 1e19\n  9223372036854775808\n  "
            "^~~~~~~~~~~~~~~~~~~");
}
TEST(SyntaxFault, HugeNumber) {
  EXPECT_THAT(Refusal("1e999"), testing::StartsWith("expr.syntax: number outside what 64-bit"));
}
TEST(SyntaxFault, SingleEqualsSign) {
  EXPECT_EQ(Refusal("a = 1"), "expr.syntax: \"=\" is no operator here; use == to compare\n  a = 1\n    ^");
}
TEST(SyntaxFault, SingleAmpersand) {
  EXPECT_THAT(Refusal("a & b"), testing::StartsWith("expr.syntax: \"&\" is no operator here; use and"));
}
TEST(SyntaxFault, Caret) {
  EXPECT_THAT(Refusal("2 ^ 3"), testing::StartsWith("expr.syntax: \"^\" is no operator here; use **"));
}
TEST(SyntaxFault, DottedName) {
  EXPECT_THAT(Refusal("a.b"), testing::StartsWith("expr.syntax: \".\" is no operator here; write a name"));
}
TEST(SyntaxFault, ForeignCharacter) {
  EXPECT_EQ(
      Refusal("1 + größe"),
      "expr.syntax: unexpected character \"ö\"; names with other characters than letters, digits and _ stand in back "
      "quotes: `a name`\n  1 + größe\n        ^");
}
TEST(SyntaxFault, InvalidUtf8) {
  EXPECT_THAT(Refusal("'\xFF'"), testing::StartsWith("expr.syntax: the expression is not valid UTF-8"));
}
TEST(SyntaxFault, NotAfterAnOperator) {
  EXPECT_EQ(Refusal("true == not false"),
            "expr.syntax: \"not\" binds weaker than the operator before it; write (not x) or !x\n"
            "  true == not false\n          ^~~");
}
TEST(SyntaxFault, EmptyList) {
  EXPECT_EQ(Refusal("1 in []"), "expr.syntax: the list is empty; nothing is ever in it\n  1 in []\n       ^~");
}
TEST(SyntaxFault, InWithoutAList) {
  EXPECT_EQ(Refusal("1 in (1, 2)"),
            "expr.syntax: expected a list like [1, 2, 3], found \"(\"\n  1 in (1, 2)\n       ^");
}
TEST(SyntaxFault, ListAlone) {
  EXPECT_EQ(Refusal("[1]"), "expr.syntax: a list stands only after \"in\"\n  [1]\n  ^");
}
TEST(SyntaxFault, IndexedCall) {
  EXPECT_EQ(Refusal("abs(1)[0]"), "expr.syntax: only a column can be indexed\n  abs(1)[0]\n        ^");
}
TEST(SyntaxFault, IndexedParentheses) {
  EXPECT_THAT(Refusal("(x)[0]"), testing::StartsWith("expr.syntax: only a column can be indexed"));
}
TEST(SyntaxFault, IndexedText) {
  EXPECT_EQ(
      Refusal("'abc'[0]"),
      "expr.syntax: only a column can be indexed; substring(text, start, count) cuts texts\n  'abc'[0]\n       ^");
}
TEST(SyntaxFault, MissingIndex) {
  EXPECT_EQ(Refusal("x[]"), "expr.syntax: an index is missing\n  x[]\n   ^~");
}
TEST(SyntaxFault, MissingSecondArm) {
  EXPECT_EQ(Refusal("true ? 1"), "expr.syntax: \"?\" without its closing \":\"\n  true ? 1\n       ^");
}
TEST(SyntaxFault, StandsOnTheFaultyLineOfSeveral) {
  EXPECT_EQ(
      Refusal("1 +\n  2 $ 3\n+ 4"),
      "expr.syntax: unexpected character \"$\"; names with other characters than letters, digits and _ stand in back "
      "quotes: `a name`\n    2 $ 3\n      ^");
}
TEST(SyntaxFault, ShowsAWindowOfALongLine) {
  const std::string message = Refusal(std::string(300, ' ') + "$" + std::string(300, ' '));
  EXPECT_THAT(message, testing::EndsWith("\n  …" + std::string(48, ' ') + "$" + std::string(47, ' ') + "…\n  " +
                                         std::string(49, ' ') + "^"));
}

TEST(SyntaxLimit, RefusesLongText) {
  EXPECT_EQ(Program::Compile("1 + 1", {}, {.bytes = 4}).error().message,
            "the expression has 5 bytes, more than the limit of 4; split it into several steps\n  1 + 1\n  ^");
}
TEST(SyntaxLimit, RefusesDeepNesting) {
  EXPECT_THAT(
      Refusal(std::string(65, '(') + "1" + std::string(65, ')')),
      testing::StartsWith("expr.limit: the expression nests deeper than 64 levels; split it into several steps"));
}
TEST(SyntaxLimit, RefusesManyPrefixOperators) {
  EXPECT_THAT(Refusal(std::string(8000, '-') + "1"), testing::StartsWith("expr.limit"));
}
TEST(SyntaxLimit, RefusesLongPowerChains) {
  std::string chain = "2";
  for (int i = 0; i < 100; ++i) chain += "**2";
  EXPECT_THAT(Refusal(chain), testing::StartsWith("expr.limit"));
}
TEST(SyntaxLimit, TakesSixtyThreeLevels) {
  EXPECT_EQ(Value(std::string(63, '(') + "1" + std::string(63, ')')), "1");
}
TEST(SyntaxLimit, RefusesManyParts) {
  EXPECT_EQ(Program::Compile("1 + 1 + 1", {}, {.nodes = 4}).error().reason, "expr.limit");
}
TEST(SyntaxLimit, TakesLongFlatChains) {
  std::string sum = "x";
  for (int i = 0; i < 1999; ++i) sum += "+x";
  EXPECT_EQ(Value(sum, {Integer("x", 1)}), "2000");
}

}  // namespace
}  // namespace slipway::expr
