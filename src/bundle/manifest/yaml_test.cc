#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "bundle/manifest.h"

namespace slipway::bundle {
namespace {

using base::Value;
using testing::HasSubstr;

Value Parse(std::string_view yaml) {
  auto value = ParseYaml(yaml);
  EXPECT_TRUE(value.has_value()) << value.error().Text();
  return value ? *value : Value();
}

Value Only(std::string_view scalar) {
  return *Parse("k: " + std::string(scalar)).Find("k");
}

base::Error ErrorOf(std::string_view yaml, const YamlLimits& limits = {}) {
  auto value = ParseYaml(yaml, limits);
  EXPECT_FALSE(value.has_value()) << ToJson(*value);
  return value ? base::Error{} : value.error();
}

struct Typing {
  const char* text;
  Value value;
};
class PlainScalar : public testing::TestWithParam<Typing> {};
TEST_P(PlainScalar, HasTheTypeOfTheCoreSchema) {
  EXPECT_EQ(ToJson(Only(GetParam().text)), ToJson(GetParam().value));
  EXPECT_EQ(Only(GetParam().text).kind(), GetParam().value.kind());
}
INSTANTIATE_TEST_SUITE_P(
    All, PlainScalar,
    testing::Values(Typing{"~", Value()}, Typing{"null", Value()}, Typing{"", Value()}, Typing{"nil", Value("nil")},
                    Typing{"true", Value(true)}, Typing{"False", Value(false)}, Typing{"yes", Value("yes")},
                    Typing{"no", Value("no")}, Typing{"on", Value("on")}, Typing{"tRUE", Value("tRUE")},
                    Typing{"12", Value(12)}, Typing{"-12", Value(-12)}, Typing{"+12", Value(12)}, Typing{"0", Value(0)},
                    Typing{"-0", Value(0)}, Typing{"0x1F", Value(31)}, Typing{"0o17", Value(15)},
                    Typing{"0x", Value("0x")}, Typing{"0x-1", Value("0x-1")}, Typing{"0o8", Value("0o8")},
                    Typing{"9223372036854775807", Value(std::numeric_limits<int64_t>::max())},
                    Typing{"007", Value("007")}, Typing{"-01", Value("-01")}, Typing{"00.5", Value("00.5")},
                    Typing{"1.10", Value(1.1)}, Typing{"1.0", Value(1.0)}, Typing{"1.", Value(1.0)},
                    Typing{".5", Value(0.5)}, Typing{"-.5", Value(-0.5)}, Typing{"1e3", Value(1000.0)},
                    Typing{"1E-2", Value(0.01)}, Typing{"1e", Value("1e")}, Typing{".", Value(".")},
                    Typing{"1.0.0", Value("1.0.0")}, Typing{"1_000", Value("1_000")}, Typing{"12abc", Value("12abc")},
                    Typing{"nan", Value("nan")}, Typing{"inf", Value("inf")}, Typing{"+-1", Value("+-1")},
                    Typing{"2013-07-04", Value("2013-07-04")}, Typing{"10:30", Value("10:30")},
                    Typing{"'5'", Value("5")}, Typing{"\"true\"", Value("true")}, Typing{"''", Value("")},
                    Typing{"! 5", Value("5")}, Typing{"!!str 5", Value("5")}, Typing{"!!float 5", Value(5.0)},
                    Typing{"!!int \"5\"", Value(5)}, Typing{"\"a\\u00e9\"", Value("a\xC3\xA9")}));

TEST(Yaml, KnowsInfinitiesAndNan) {
  EXPECT_EQ(Only(".inf").number(), std::numeric_limits<double>::infinity());
  EXPECT_EQ(Only("-.INF").number(), -std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(Only(".NaN").number()));
}

TEST(Yaml, KeepsTheOrderOfKeysAndTheirTextAsWritten) {
  EXPECT_EQ(ToJson(Parse("b: 1\na: {no: 1, 01: 2, 'x y': 3}\n")), R"({"b":1,"a":{"no":1,"01":2,"x y":3}})");
}

TEST(Yaml, PointsEntriesAtTheirKeyInCharacters) {
  const Value document = Parse("first: 1\n\"é\": {größe: 2, next: [7,\n  8]}\nblock:\n  inner: 3\n");
  const Value& map = *document.Find("\xC3\xA9");
  EXPECT_EQ(map.position().line, 2);
  EXPECT_EQ(map.position().column, 1);
  EXPECT_EQ(map.Find("next")->position().column, 17);
  EXPECT_EQ(map.Find("next")->list()[1].position().line, 3);
  EXPECT_EQ(document.Find("block")->position().line, 4);
  EXPECT_EQ(document.Find("block")->Find("inner")->position().column, 3);
}

TEST(Yaml, SkipsByteOrderMarkAndTakesCarriageReturns) {
  const Value document = Parse(
      "\xEF\xBB\xBF"
      "a: 1\r\nb: two\r\n");
  EXPECT_EQ(ToJson(document), R"({"a":1,"b":"two"})");
  EXPECT_EQ(document.Find("b")->position().line, 2);
}

TEST(Yaml, RefusesASecondByteOrderMark) {
  const auto parsed = ParseYaml("\xEF\xBB\xBF\xEF\xBB\xBF{a: 1}");
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().reason, "manifest.syntax");
}

TEST(Yaml, EmptyTextIsNull) {
  EXPECT_TRUE(Parse("").is_null());
  EXPECT_TRUE(Parse("# only a comment\n").is_null());
}

struct Refusal {
  const char* yaml;
  const char* where;
  const char* message;
};
class RefusedYaml : public testing::TestWithParam<Refusal> {};
TEST_P(RefusedYaml, NamesPlaceAndFault) {
  const base::Error error = ErrorOf(GetParam().yaml);
  EXPECT_EQ(error.reason, "manifest.syntax");
  EXPECT_EQ(error.where, GetParam().where);
  EXPECT_THAT(error.message, HasSubstr(GetParam().message));
}
INSTANTIATE_TEST_SUITE_P(
    All, RefusedYaml,
    testing::Values(
        Refusal{"a: 1\na: 2\n", "2:1", "duplicate key \"a\""},
        Refusal{"x: {a: 1, 'a': 2}\n", "1:11", "duplicate key \"a\""}, Refusal{"a: &x 1\n", "1:4", "anchors"},
        Refusal{"a: &x [1]\nb: *x\n", "1:4", "anchors"}, Refusal{"<<: {a: 1}\n", "1:1", "merge keys"},
        Refusal{"a: !ruby/object 1\n", "1:4", "tag"}, Refusal{"a: !!binary aGk=\n", "1:4", "tag"},
        Refusal{"a: !!int x\n", "1:4", "does not fit its tag"}, Refusal{"a: !!map [1]\n", "1:4", "does not fit here"},
        Refusal{"a: 1\n---\nb: 2\n", "2:1", "one YAML document only"},
        Refusal{"[a]\nb: 1\n", "2:1", "one YAML document only"},
        Refusal{"[a, b]: 1\n", "1:1", "stands where a key should"}, Refusal{"~: 1\n", "1:1", "key is empty or null"},
        Refusal{"a:\n\tb: 1\n", "2:3", "not valid YAML"}, Refusal{"a: 1\n\tb: 2\n", "2:1", "tab"},
        Refusal{"a: [1\n", "2:1", "end of sequence flow not found"}, Refusal{"a: b: c\n", "1:5", "illegal map value"},
        Refusal{"a: @x\n", "1:4", "unknown token"}, Refusal{"a: 'x\nb: 1\n", "1:4", "no closing '"},
        Refusal{"a: \"x\\\"\nb: 1\n", "1:4", "no closing \""}, Refusal{"a: !!str 'x\n", "1:4", "no closing '"},
        Refusal{"a: 12345678901234567890\n", "1:4", "past 64 bits"},
        Refusal{"a: 0xFFFFFFFFFFFFFFFFFF\n", "1:4", "past 64 bits"}, Refusal{"a: 1e999\n", "1:4", "past the range"},
        Refusal{"a: 1\nb: \xFF\n", "2:1", "UTF-8"}, Refusal{"a: 1\nb: \x01\n", "2:1", "control character (0x01)"}));

TEST(Yaml, TakesQuotesThatAreClosed) {
  EXPECT_EQ(Only("'it''s'").string(), "it's");
  EXPECT_EQ(Only("\"a\\\\\"").string(), "a\\");
  EXPECT_EQ(Only("!!str\n  'x'").string(), "x");
}

std::string Repeat(std::string_view text, size_t times) {
  std::string out;
  for (size_t i = 0; i < times; ++i) out += text;
  return out;
}

struct Nesting {
  const char* open;
  const char* close;
};
class DeepYaml : public testing::TestWithParam<Nesting> {};
TEST_P(DeepYaml, EndsAtTheDepthLimit) {
  const base::Error error = ErrorOf(Repeat(GetParam().open, 20'000) + Repeat(GetParam().close, 20'000));
  EXPECT_EQ(error.reason, "manifest.limit");
  EXPECT_THAT(error.message, HasSubstr("deeper than 32 levels"));
}
INSTANTIATE_TEST_SUITE_P(All, DeepYaml,
                         testing::Values(Nesting{"[", "]"}, Nesting{"{a: ", "}"}, Nesting{"- ", ""},
                                         Nesting{"[{a: ", "}]"}));

class UnclosedYaml : public testing::TestWithParam<const char*> {};
TEST_P(UnclosedYaml, IsRefusedHoweverDeep) {
  EXPECT_THAT(ErrorOf(Repeat(GetParam(), 20'000)).reason, HasSubstr("manifest."));
}
INSTANTIATE_TEST_SUITE_P(All, UnclosedYaml,
                         testing::Values("[", "{", "{a: ", "? ", "[{a: ", "- a: [\n", "!", "*a ", "\"", "|\n"));

TEST(Yaml, TakesTheDepthLimitItself) {
  EXPECT_TRUE(ParseYaml(Repeat("[", 32) + Repeat("]", 32)).has_value());
  EXPECT_EQ(ErrorOf(Repeat("[", 33) + Repeat("]", 33)).reason, "manifest.limit");
}

TEST(Yaml, EndsAtTheNodeLimit) {
  EXPECT_TRUE(ParseYaml("[a, b, c]", {.nodes = 4}).has_value());
  EXPECT_THAT(ErrorOf("[a, b, c, d]", {.nodes = 4}).message, HasSubstr("more than 4 keys and values"));
  EXPECT_EQ(ErrorOf(Repeat("- a\n", 262'144)).reason, "manifest.limit");
}

TEST(Yaml, EndsAtTheByteLimit) {
  EXPECT_TRUE(ParseYaml(std::string(size_t{1} << 20, '#')).has_value());
  EXPECT_EQ(ErrorOf(std::string((size_t{1} << 20) + 1, '#')).reason, "manifest.limit");
}

}  // namespace
}  // namespace slipway::bundle
