#include "base/text.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace slipway::base {
namespace {

const std::vector<std::string> kNames = {"distance", "carrier", "sched_dep", "on"};

TEST(NearestNameTest, FindsLikelyTypos) {
  EXPECT_EQ(NearestName("distnace", kNames), "distance");
  EXPECT_EQ(NearestName("Carrier", kNames), "carrier");
  EXPECT_EQ(NearestName("sched_departure", kNames), "");
  EXPECT_EQ(NearestName("xy", kNames), "");
  EXPECT_EQ(NearestName("", kNames), "");
}

TEST(NearestNameTest, PrefersTheFirstOfEquals) {
  const std::vector<std::string> names = {"abcx", "abcy"};
  EXPECT_EQ(NearestName("abcz", names), "abcx");
}

TEST(NearestNameTest, GivesUpOnVeryLongNames) {
  EXPECT_EQ(NearestName(std::string(1 << 20, 'a'), kNames), "");
}

TEST(DidYouMeanTest, IsEmptyWithoutCandidate) {
  EXPECT_EQ(DidYouMean("distence", kNames), " (did you mean \"distance\"?)");
  EXPECT_EQ(DidYouMean("weather", kNames), "");
}

TEST(ShortenTest, CutsAtCharacters) {
  EXPECT_EQ(Shorten("abc", 3), "abc");
  EXPECT_EQ(Shorten("abcd", 3), "abc…");
  EXPECT_EQ(Shorten("aéb", 2), "a…");
  EXPECT_EQ(Shorten("a\n\x7f\xff", 64), "a???");
}

TEST(ParseDoubleTest, ReadsWholeDecimalTexts) {
  EXPECT_EQ(ParseDouble("1.5"), 1.5);
  EXPECT_EQ(ParseDouble("+1e3"), 1000);
  EXPECT_EQ(ParseDouble("-.5"), -0.5);
  EXPECT_TRUE(std::signbit(ParseDouble("-0").value()));
  EXPECT_TRUE(std::isnan(ParseDouble("NaN").value()));
  EXPECT_EQ(ParseDouble("-Infinity"), -INFINITY);
}

TEST(ParseDoubleTest, RefusesAnythingElse) {
  const std::vector<std::string> texts = {"",  " 1",    "1 ", "1,5",    "0x10", "1e",    "+-1",   "--1",
                                          "+", "1.2.3", "e5", "nan(1)", "1_0",  "1e400", "-1e999"};
  for (const std::string& text : texts) EXPECT_EQ(ParseDouble(text), std::nullopt) << text;
}

TEST(ParseDoubleTest, TakesTheNearestOfVerySmallTexts) {
  EXPECT_EQ(ParseDouble("1e-400"), 0.0);
  EXPECT_EQ(ParseDouble("4.9e-324"), 5e-324);
}

TEST(ParseInt64Test, KnowsItsRange) {
  EXPECT_EQ(ParseInt64("9223372036854775807"), INT64_MAX);
  EXPECT_EQ(ParseInt64("-9223372036854775808"), INT64_MIN);
  EXPECT_EQ(ParseInt64("+7"), 7);
  EXPECT_EQ(ParseInt64("9223372036854775808"), std::nullopt);
  EXPECT_EQ(ParseInt64("+-7"), std::nullopt);
  EXPECT_EQ(ParseInt64("7.0"), std::nullopt);
  EXPECT_EQ(ParseInt64(""), std::nullopt);
}

TEST(IsValidUtf8Test, AcceptsTheEdgesOfEachLength) {
  EXPECT_TRUE(IsValidUtf8(""));
  EXPECT_TRUE(IsValidUtf8("\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf"));
  EXPECT_TRUE(IsValidUtf8("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"));
  EXPECT_TRUE(IsValidUtf8(std::string(1000, 'a') + "é" + std::string(1000, 'b')));
}

class InvalidUtf8Test : public testing::TestWithParam<const char*> {};

TEST_P(InvalidUtf8Test, IsRefusedAtEveryOffset) {
  for (size_t offset = 0; offset < 40; ++offset) {
    EXPECT_FALSE(IsValidUtf8(std::string(offset, 'a') + GetParam() + "zzzzzzzzzzzzzzzzzzzz")) << offset;
    EXPECT_FALSE(IsValidUtf8(std::string(offset, 'a') + GetParam())) << offset;
  }
}

INSTANTIATE_TEST_SUITE_P(All, InvalidUtf8Test,
                         testing::Values("\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xe0\x9f\xbf", "\xe2\x82",
                                         "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf0\x9f\x98",
                                         "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xc3\x28"));

TEST(Utf8Test, AgreesWithTheCodePointRangesForAllThreeByteForms) {
  int valid = 0;
  for (int code = 0; code < 1 << 16; ++code) {
    const char text[] = {static_cast<char>(0xE0 | code >> 12), static_cast<char>(0x80 | (code >> 6 & 63)),
                         static_cast<char>(0x80 | (code & 63))};
    valid += IsValidUtf8(std::string_view(text, 3));
  }
  EXPECT_EQ(valid, 0x10000 - 0x800 - 0x800);
}

TEST(TrimTest, RemovesAsciiSpaceAtBothEnds) {
  EXPECT_EQ(Trim(" \t a b \r\n"), "a b");
  EXPECT_EQ(Trim(" \n"), "");
}

TEST(EncodePercentTest, EscapesEveryByteThatIsNotUnreserved) {
  EXPECT_EQ(EncodePercent("a b/+é%=*'~_.-", true), "a%20b/%2B%C3%A9%25%3D%2A%27~_.-");
  EXPECT_EQ(EncodePercent("a/b"), "a%2Fb");
}

TEST(DecodePercentTest, TakesEscapesOfEitherCaseAndPlusInForms) {
  EXPECT_EQ(DecodePercent("a%20b%2f%2F+"), "a b//+");
  EXPECT_EQ(DecodePercent("a+b", true), "a b");
  for (const char* text : {"%", "%2", "a%", "%g0", "%0g", "%00"}) EXPECT_EQ(DecodePercent(text), std::nullopt) << text;
}

}  // namespace
}  // namespace slipway::base
