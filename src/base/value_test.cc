#include "base/value.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace slipway::base {
namespace {

Value Parsed(std::string_view text) {
  auto value = ParseJson(text);
  EXPECT_TRUE(value.has_value()) << text << ": " << value.error().Text();
  return value.value_or(Value("unparsed"));
}

Error Refused(std::string_view text, const JsonLimits& limits = {}) {
  auto value = ParseJson(text, limits);
  EXPECT_FALSE(value.has_value()) << text;
  return value ? Error{} : value.error();
}

std::string NumberText(double value) {
  std::string out;
  AppendJsonNumber(out, value);
  return out;
}

std::string StringText(std::string_view text) {
  std::string out;
  AppendJsonString(out, text);
  return out;
}

TEST(ValueTest, FindsEntriesOfMapsOnly) {
  Value map = Value::Map();
  map.Set("a", 1).Set("b", "two").Set("a", 3);
  ASSERT_EQ(map.map().size(), 2u);
  EXPECT_EQ(map.Find("a")->integer(), 3);
  EXPECT_EQ(map.Find("c"), nullptr);
  EXPECT_EQ(Value(1).Find("a"), nullptr);
}

TEST(ValueTest, ANullBecomesAMapOrAListWhenFilled) {
  EXPECT_TRUE(Value().Set("a", 1).is_map());
  EXPECT_TRUE(Value().Add(1).is_list());
}

TEST(ValueTest, NumbersCompareByBits) {
  EXPECT_EQ(Value(std::nan("")), Value(std::nan("")));
  EXPECT_FALSE(Value(0.0) == Value(-0.0));
  EXPECT_FALSE(Value(1.0) == Value(1));
}

TEST(ParseJsonTest, KeepsIntegersAndNumbersApart) {
  const Value list = Parsed("[1, 1.0, 1e0, -0.0, 9223372036854775807, -9223372036854775808]");
  EXPECT_TRUE(list.list()[0].is_integer());
  EXPECT_EQ(list.list()[1].kind(), Value::Kind::kNumber);
  EXPECT_EQ(list.list()[2].kind(), Value::Kind::kNumber);
  EXPECT_TRUE(std::signbit(list.list()[3].number()));
  EXPECT_EQ(list.list()[4].integer(), INT64_MAX);
  EXPECT_EQ(list.list()[5].integer(), INT64_MIN);
}

TEST(ParseJsonTest, MakesIntegersPast64BitsNumbers) {
  const Value list =
      Parsed("[9223372036854775808, 18446744073709551615, -9223372036854775809, 123456789012345678901234]");
  EXPECT_EQ(list.list()[0], Value(9223372036854775808.0));
  EXPECT_EQ(list.list()[1], Value(18446744073709551615.0));
  EXPECT_EQ(list.list()[2], Value(-9223372036854775809.0));
  EXPECT_EQ(list.list()[3], Value(123456789012345678901234.0));
}

TEST(ParseJsonTest, RemembersWhereValuesStand) {
  const Value value = Parsed("{\n  \"a\" : [1, \"é\", 2],\n  \"b\": {\"c\": -12.5 }}");
  EXPECT_EQ(value.position().line, 1);
  EXPECT_EQ(value.position().column, 1);
  EXPECT_EQ(value.Find("a")->position().line, 2);
  EXPECT_EQ(value.Find("a")->position().column, 9);
  EXPECT_EQ(value.Find("a")->list()[2].position().column, 18) << "columns count characters, not bytes";
  EXPECT_EQ(value.Find("b")->Find("c")->position().line, 3);
  EXPECT_EQ(value.Find("b")->Find("c")->position().column, 14);
}

TEST(ParseJsonTest, RefusesDuplicateKeysWithTheirPlace) {
  const Error error = Refused("{\"a\": 1,\n \"a\": 2}");
  EXPECT_EQ(error.reason, "json.malformed");
  EXPECT_EQ(error.where, "2:2");
  EXPECT_THAT(error.message, testing::HasSubstr("\"a\""));
}

TEST(ParseJsonTest, RefusesDuplicateKeysInLargeMaps) {
  std::string text = "{";
  for (int i = 0; i < 100; ++i) text += "\"key" + std::to_string(i) + "\":0,";
  EXPECT_EQ(Parsed(text + "\"last\":0}").map().size(), 101u);
  EXPECT_EQ(Refused(text + "\"key5\":0}").reason, "json.malformed");
}

TEST(ParseJsonTest, PointsAtTheFault) {
  const Error error = Refused("{\"a\": 1,\n  \"b\" 2}");
  EXPECT_EQ(error.reason, "json.malformed");
  EXPECT_EQ(error.where, "2:7");
  EXPECT_THAT(error.message, testing::HasSubstr("expected ':'"));
}

class MalformedJsonTest : public testing::TestWithParam<const char*> {};

TEST_P(MalformedJsonTest, IsRefused) {
  EXPECT_EQ(Refused(GetParam()).reason, "json.malformed");
}

INSTANTIATE_TEST_SUITE_P(All, MalformedJsonTest,
                         testing::Values("", " ", "{", "[1,]", "{\"a\":1,}", "[1] 2", "nul", "01", "1.", ".5", "+1",
                                         "NaN", "1e400", "\"a", "\"\\x\"", "\"\x01\"", "\"\xff\"", "\"\xed\xa0\x80\"",
                                         "\"\\ud800\"", "{1:2}", "// x\n1"));

// Texts with a NUL byte, which ends no text.
class JsonWithNulTest : public testing::TestWithParam<std::string_view> {};

TEST_P(JsonWithNulTest, IsRefused) {
  EXPECT_EQ(Refused(GetParam()).reason, "json.malformed");
}

using namespace std::string_view_literals;
INSTANTIATE_TEST_SUITE_P(All, JsonWithNulTest,
                         testing::Values("{}\0"sv, "{}\0garbage"sv, "{}\n\0{}"sv, "1\0"sv, "\"a\"\0x"sv, "null\0"sv,
                                         "\0"sv, "\0{}"sv, "[1,\0 2]"sv, "{\"a\"\0:1}"sv, "\"a\0b\""sv));

TEST(ParseJsonTest, SaysWhereANulByteStands) {
  const Error error = Refused("{\"a\": 1}\n \0{}"sv);
  EXPECT_EQ(error.where, "2:2");
  EXPECT_THAT(error.message, testing::HasSubstr("a NUL byte"));
  EXPECT_EQ(Parsed("\"\\u0000\"").string(), "\0"sv);
}

TEST(ParseJsonTest, LimitsDepth) {
  const std::string deep(1'000'000, '[');
  EXPECT_EQ(Refused(deep).reason, "json.limit");
  EXPECT_EQ(Refused(deep, {.depth = 2'000'000}).reason, "json.limit");
  EXPECT_EQ(Refused("[[1]]", {.depth = 1}).reason, "json.limit");
  EXPECT_TRUE(ParseJson("[[1]]", {.depth = 2}).has_value());
}

TEST(ParseJsonTest, LimitsBytesAndValues) {
  EXPECT_EQ(Refused("[1, 2]", {.bytes = 5}).reason, "json.limit");
  EXPECT_EQ(Refused("[1, 2]", {.values = 2}).code, Code::kResourceExhausted);
  EXPECT_TRUE(ParseJson("[1, 2]", {.bytes = 6, .values = 3}).has_value());
}

TEST(ParseJsonTest, SkipsAByteOrderMark) {
  EXPECT_EQ(Parsed("\xEF\xBB\xBF{}"), Value::Map());
  EXPECT_EQ(Refused("\xEF\xBB\xBF\xEF\xBB\xBF{}").reason, "json.malformed");
  EXPECT_EQ(Refused("{}\xEF\xBB\xBF").reason, "json.malformed");
}

TEST(ToJsonTest, ReadsBackTheSame) {
  const std::string text = R"({"b":[1,-0.0,0.1,1e+300,null,true,"\"\\\n\u0001é"],"a":{}})";
  EXPECT_EQ(ToJson(Parsed(text)), text);
}

TEST(ToJsonTest, WritesWhatJsonLacksAsText) {
  const Value value(ValueList{Value(std::nan("")), Value(INFINITY), Value(-INFINITY)});
  EXPECT_EQ(ToJson(value), R"(["NaN","Infinity","-Infinity"])");
}

TEST(ToJsonTest, KeepsShortListsAndMapsOnOneLine) {
  const Value value = Parsed(R"({"short":[1,2,3],"empty":[],"long":["aaaaaaaaaa","bbbbbbbbbb","cccccccccc"]})");
  EXPECT_EQ(ToJson(value, {.indent = 2, .trailing_newline = true, .inline_width = 30}),
            "{\n"
            "  \"short\": [1, 2, 3],\n"
            "  \"empty\": [],\n"
            "  \"long\": [\n"
            "    \"aaaaaaaaaa\",\n"
            "    \"bbbbbbbbbb\",\n"
            "    \"cccccccccc\"\n"
            "  ]\n"
            "}\n");
}

TEST(AppendJsonNumberTest, WritesTheShortestTextThatReadsBack) {
  EXPECT_EQ(NumberText(0.1), "0.1");
  EXPECT_EQ(NumberText(1.0 / 3), "0.3333333333333333");
  EXPECT_EQ(NumberText(5e-324), "5e-324");
  EXPECT_EQ(NumberText(std::numeric_limits<double>::max()), "1.7976931348623157e+308");
}

TEST(AppendJsonNumberTest, KeepsTheTypeOfWholeNumbers) {
  EXPECT_EQ(NumberText(1), "1.0");
  EXPECT_EQ(NumberText(-0.0), "-0.0");
  EXPECT_EQ(NumberText(123456789), "123456789.0");
  EXPECT_EQ(NumberText(1e22), "1e+22");
  EXPECT_EQ(Parsed(NumberText(1e22)).kind(), Value::Kind::kNumber);
}

TEST(AppendJsonNumberTest, WritesNullForWhatJsonLacks) {
  EXPECT_EQ(NumberText(std::nan("")), "null");
  EXPECT_EQ(NumberText(-INFINITY), "null");
}

TEST(AppendJsonFloatTest, IsShorterThanTheDouble) {
  std::string out;
  AppendJsonFloat(out, 0.1f);
  EXPECT_EQ(out, "0.1");
  EXPECT_EQ(NumberText(static_cast<double>(0.1f)), "0.10000000149011612");
}

TEST(AppendJsonStringTest, EscapesWhatItMust) {
  EXPECT_EQ(StringText("plain and long enough for the fast path"), "\"plain and long enough for the fast path\"");
  EXPECT_EQ(StringText("a\"b\\c\n\r\t\b\f"), R"("a\"b\\c\n\r\t\b\f")");
  EXPECT_EQ(StringText(std::string_view("\0\x1f\x7f", 3)), "\"\\u0000\\u001f\x7f\"");
}

TEST(AppendJsonStringTest, EscapesAtEveryPlaceOfALongText) {
  for (size_t i = 0; i < 24; ++i) {
    std::string text(24, 'x');
    text[i] = '"';
    EXPECT_EQ(Parsed(StringText(text)).string(), text);
  }
}

TEST(AppendJsonStringTest, KeepsUtf8AndReplacesWhatIsNone) {
  EXPECT_EQ(StringText("é€😀"), "\"é€😀\"");
  EXPECT_EQ(StringText("a\xff\xc3"), "\"a\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

}  // namespace
}  // namespace slipway::base
