#include "expr/expression_fixture.h"

namespace slipway::expr {
namespace {

std::string At(std::string_view text, std::string_view s) {
  return Value(text, {Text("s", s)});
}

TEST(Length, CountsCodePoints) {
  EXPECT_EQ(At("length(s)", "a\u00e9\U0001F600"), "3");
}
TEST(Length, OfNullIsNull) {
  EXPECT_EQ(Value("length(s)", {Null("s", data::ScalarType::kString)}), "null");
}
TEST(Case, LowersAscii) {
  EXPECT_EQ(At("lower(s)", "Ab-1Z["), "'ab-1z['");
}
TEST(Case, UppersAscii) {
  EXPECT_EQ(At("upper(s)", "ab-1z{"), "'AB-1Z{'");
}
TEST(Case, LowersBeyondAscii) {
  EXPECT_EQ(At("lower(s)", "ÀÉΣЖ"), "'àéσж'");
}
TEST(Case, UppersBeyondAscii) {
  EXPECT_EQ(At("upper(s)", "straat éж"), "'STRAAT ÉЖ'");
}
TEST(Case, KeepsBrokenBytes) {
  EXPECT_EQ(At("lower(s)", "A\xFFZ"), "'a\xFFz'");
}
TEST(Case, LeavesSmallLettersAlone) {
  EXPECT_EQ(At("lower(s)", "abc"), "'abc'");
}
TEST(Trim, TakesWhiteSpaceOffBothEnds) {
  EXPECT_EQ(At("trim(s)", " \t\na b\r\n"), "'a b'");
}
TEST(Trim, OfWhiteSpaceIsEmpty) {
  EXPECT_EQ(At("trim(s)", "  "), "''");
}
TEST(Questions, AboutTheBeginning) {
  EXPECT_EQ(At("starts_with(s, 'N1')", "N123"), "true");
}
TEST(Questions, AboutTheEnd) {
  EXPECT_EQ(At("ends_with(s, 'N1')", "N123"), "false");
}
TEST(Questions, AboutTheMiddle) {
  EXPECT_EQ(At("contains(s, '23')", "N123"), "true");
}
TEST(Questions, AboutMissingParts) {
  EXPECT_EQ(At("contains(s, '32')", "N123"), "false");
}
TEST(Questions, AboutEmptyParts) {
  EXPECT_EQ(At("contains(s, '')", ""), "true");
}
TEST(Replace, ReplacesEveryOccurrence) {
  EXPECT_EQ(At("replace(s, 'aa', 'b')", "aaaaxaa"), "'bbxb'");
}
TEST(Replace, MayLengthen) {
  EXPECT_EQ(At("replace(s, 'a', 'bbb')", "xaxa"), "'xbbbxbbb'");
}
TEST(Replace, OfNothingChangesNothing) {
  EXPECT_EQ(At("replace(s, '', 'b')", "aa"), "'aa'");
}
TEST(Replace, PastTheAllowanceIsNull) {
  EXPECT_EQ(At("replace(s, 'a', concat(s, s, s, s, s, s, s, s, s, s, s))", std::string(500, 'a')), "null");
}
TEST(Substring, StartsAtACodePoint) {
  EXPECT_EQ(At("substring(s, 1, 2)", "héllo"), "'él'");
}
TEST(Substring, RunsToTheEnd) {
  EXPECT_EQ(At("substring(s, 3)", "héllo"), "'lo'");
}
TEST(Substring, CountsFromTheEnd) {
  EXPECT_EQ(At("substring(s, -3, 2)", "héllo"), "'ll'");
}
TEST(Substring, FarBeforeTheStartIsTheWhole) {
  EXPECT_EQ(At("substring(s, -9)", "abc"), "'abc'");
}
TEST(Substring, PastTheEndIsEmpty) {
  EXPECT_EQ(At("substring(s, 9, 2)", "abc"), "''");
}
TEST(Substring, OfNegativeCountIsEmpty) {
  EXPECT_EQ(At("substring(s, 0, -1)", "abc"), "''");
}
TEST(Substring, TakesExtremes) {
  EXPECT_EQ(At("substring(s, -9223372036854775807 - 1, 9223372036854775807)", "abc"), "'abc'");
}
TEST(Concat, JoinsMany) {
  EXPECT_EQ(At("concat(s, '-', s, '!')", "ab"), "'ab-ab!'");
}
TEST(Concat, NullMakesNull) {
  EXPECT_EQ(Value("concat('a', s)", {Null("s", data::ScalarType::kString)}), "null");
}
TEST(Matches, WantsTheWholeText) {
  EXPECT_EQ(At(R"(matches(s, 'N\d+'))", "N123A"), "false");
}
TEST(Matches, TakesThePattern) {
  EXPECT_EQ(At(R"(matches(s, 'N\d+[A-Z]?'))", "N123A"), "true");
}
TEST(Matches, OfNullIsNull) {
  EXPECT_EQ(Value("matches(s, '.*')", {Null("s", data::ScalarType::kString)}), "null");
}
TEST(ToString, OfIntegers) {
  EXPECT_EQ(Value("to_string(x)", {Integer("x", -42)}), "'-42'");
}
TEST(ToString, OfWholeNumbersKeepsThePoint) {
  EXPECT_EQ(Value("to_string(x)", {Number("x", 2)}), "'2.0'");
}
TEST(ToString, OfFractionsIsTheShortest) {
  EXPECT_EQ(Value("to_string(x)", {Number("x", 0.1)}), "'0.1'");
}
TEST(ToString, OfNan) {
  EXPECT_EQ(Value("to_string(0.0 / x)", {Number("x", 0)}), "'nan'");
}
TEST(ToString, OfInfinity) {
  EXPECT_EQ(Value("to_string(-1 / x)", {Number("x", 0)}), "'-inf'");
}
TEST(ToString, OfBooleans) {
  EXPECT_EQ(Value("to_string(x)", {Boolean("x", true)}), "'true'");
}
TEST(ToString, OfTimesIsAtUtc) {
  EXPECT_EQ(Value("to_string(x)", {Time("x", "2013-07-04T08:15:00Z", 60)}), "'2013-07-04T08:15:00Z'");
}
TEST(ToString, OfNullIsNull) {
  EXPECT_EQ(Value("to_string(x)", {Null("x", data::ScalarType::kNumber)}), "null");
}

std::string Appended(int times) {
  std::string sum = "s";
  for (int i = 0; i < times; ++i) sum += " + 'a'";
  return "length(" + sum + ")";
}

TEST(TextAllowance, CountsAllStepsOfARow) {
  const std::string text(20 << 10, 'a');
  EXPECT_EQ(At(Appended(50), text), "20530");
  EXPECT_EQ(At(Appended(52), text), "null");
}

}  // namespace
}  // namespace slipway::expr
