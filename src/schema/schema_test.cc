#include "schema/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/value.h"

namespace slipway::schema {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

base::Result<Schema> Parse(std::string_view json) {
  return ParseSchema(*base::ParseJson(json));
}

ColumnRules Column(const std::string& body) {
  const auto schema = Parse(R"({"inputs": {"x": )" + body + "}}");
  EXPECT_TRUE(schema.has_value()) << schema.error().Text();
  return schema ? schema->columns[0] : ColumnRules{};
}

base::Error Refusal(const std::string& body) {
  const auto schema = Parse(R"({"inputs": {"x": )" + body + "}}");
  EXPECT_FALSE(schema.has_value()) << "accepted: " << body;
  return schema ? base::Error{} : schema.error();
}

void ExpectContradiction(const std::string& body, const std::string& words) {
  const auto error = Refusal(body);
  EXPECT_EQ(error.reason, "manifest.contradiction") << body << ": " << error.Text();
  EXPECT_THAT(error.message, HasSubstr(words));
}

TEST(Schema, ReadsTypeAndShorthand) {
  EXPECT_EQ(Column(R"({"type": "integer"})").field.type.ToString(), "integer");
  EXPECT_EQ(Column(R"("timestamp")").field.type.ToString(), "timestamp");
}

TEST(Schema, ReadsShapesInTypeOrApart) {
  EXPECT_THAT(Column(R"({"type": "number[28,28]"})").field.type.shape, ElementsAre(28, 28));
  EXPECT_THAT(Column(R"({"type": "integer[?]"})").field.type.shape, ElementsAre(-1));
  EXPECT_THAT(Column(R"({"type": "number", "shape": [4, "?"]})").field.type.shape, ElementsAre(4, -1));
}

TEST(Schema, RefusesUnreadableShapes) {
  EXPECT_THAT(Refusal(R"({"type": "number["})").message, HasSubstr("no readable shape"));
  EXPECT_THAT(Refusal(R"({"type": "number[]"})").message, HasSubstr("no readable shape"));
  EXPECT_THAT(Refusal(R"({"type": "number[0]"})").message, HasSubstr("no readable shape"));
  EXPECT_THAT(Refusal(R"({"type": "number[4,]"})").message, HasSubstr("no readable shape"));
  EXPECT_THAT(Refusal(R"({"type": "number[4]", "shape": [4]})").message, HasSubstr("gives its shape twice"));
}

TEST(Schema, BoundsTheElementsOfARow) {
  EXPECT_EQ(Refusal(R"({"type": "number[9223372036854775807,9223372036854775807]"})").reason, "manifest.limit");
  EXPECT_EQ(Refusal(R"({"type": "number[1,1,1,1,1,1,1,1,1]"})").reason, "manifest.limit");
}

TEST(Schema, NamesTheNearestKeyWithItsLine) {
  const auto error = Parse("{\"inputs\": {\n  \"x\": {\"type\": \"number\",\n    \"mim\": 3}}}").error();
  EXPECT_EQ(error.reason, "manifest.unknown_key");
  EXPECT_THAT(error.message, HasSubstr("did you mean \"min\"?"));
  EXPECT_THAT(error.where, ::testing::StartsWith("3:"));
}

TEST(Schema, TranslatesTypeNamesOfOtherLanguages) {
  EXPECT_THAT(Refusal(R"({"type": "float64"})").message, HasSubstr("(write number)"));
  EXPECT_THAT(Refusal(R"({"type": "strng"})").message, HasSubstr("did you mean \"string\"?"));
}

TEST(Schema, OptionalAloneMeansMissingBecomesNull) {
  const auto column = Column(R"({"type": "number", "optional": true})");
  EXPECT_EQ(column.missing, Missing::kNull);
  EXPECT_TRUE(column.may_be_absent());
}

TEST(Schema, DefaultAloneMeansMissingIsImputed) {
  EXPECT_EQ(Column(R"({"type": "number", "default": 1})").missing, Missing::kImpute);
  EXPECT_EQ(Column(R"({"type": "number", "optional": true, "default": 1})").missing, Missing::kImpute);
  EXPECT_EQ(Column(R"({"type": "number", "on_violation": "impute", "default": 1})").missing, Missing::kReject);
}

TEST(Schema, OptionalMayRejectNulls) {
  const auto column = Column(R"({"type": "number", "optional": true, "missing": "reject"})");
  EXPECT_EQ(column.missing, Missing::kReject);
  EXPECT_TRUE(column.may_be_absent());
}

TEST(Schema, NullableMayHaveToBePresent) {
  EXPECT_TRUE(Column(R"({"type": "number", "nullable": true})").may_be_absent());
  EXPECT_FALSE(Column(R"({"type": "number", "nullable": true, "optional": false})").may_be_absent());
}

TEST(Schema, TakesYamlsUnquotedNullAsTheWord) {
  EXPECT_EQ(Column(R"({"type": "number", "missing": null})").missing, Missing::kNull);
  EXPECT_EQ(Column(R"({"type": "number", "on_violation": null})").on_violation, Policy::kNull);
  EXPECT_EQ(Column(R"({"type": "string", "values": ["a"], "unknown": null})").unknown, UnknownValue::kNull);
}

TEST(Schema, ReadsZones) {
  EXPECT_EQ(Column(R"({"type": "timestamp", "zone": "+05:30"})").field.zone_minutes, 330);
  EXPECT_EQ(Column(R"({"type": "timestamp", "zone": "-08:00"})").field.zone_minutes, -480);
  EXPECT_EQ(Column(R"({"type": "timestamp", "zone": "UTC"})").field.zone_minutes, 0);
  EXPECT_THAT(Refusal(R"({"type": "timestamp", "zone": "Europe/Berlin"})").message, HasSubstr("offset from UTC"));
}

TEST(Schema, KeepsIntegerBoundsExact) {
  EXPECT_EQ(Column(R"({"type": "integer", "max": 9007199254740993})").max_integer, 9007199254740993);
}

TEST(Schema, ReadsTimestampBoundsAtTheColumnsZone) {
  EXPECT_EQ(Column(R"({"type": "timestamp", "zone": "+01:00", "min": "1970-01-01T01:00:00"})").min_integer, 0);
}

TEST(Schema, MarksPersonalColumns) {
  EXPECT_TRUE(Column(R"({"type": "string", "personal": true})").field.personal);
  EXPECT_EQ(Column(R"({"type": "string", "personal": "drop"})").personal, Personal::kDrop);
  EXPECT_FALSE(Column(R"({"type": "string", "personal": false})").field.personal);
}

TEST(Schema, RefusesKeysThatDoNotFitTheType) {
  ExpectContradiction(R"({"type": "number", "pattern": "a"})", "pattern is for single strings");
  ExpectContradiction(R"({"type": "string", "min": 1})", "min is for integers, numbers and timestamps");
  ExpectContradiction(R"({"type": "integer", "max_length": 1})", "max_length is for single strings");
  ExpectContradiction(R"({"type": "number[4]", "values": [1]})", "values is for single");
  ExpectContradiction(R"({"type": "string[4]", "pattern": "a"})", "pattern is for single strings");
  ExpectContradiction(R"({"type": "integer", "allow_non_finite": true})", "allow_non_finite is for numbers");
  ExpectContradiction(R"({"type": "number", "zone": "UTC"})", "zone is for timestamps");
  ExpectContradiction(R"({"type": "number[2]", "default": 1})", "default is for single values");
}

TEST(Schema, RefusesRulesThatNothingPasses) {
  ExpectContradiction(R"({"type": "number", "min": 2, "max": 1})", "min 2 of x is above its max 1");
  ExpectContradiction(R"({"type": "integer", "min": 2, "max": 1})", "min 2 of x is above its max 1");
  ExpectContradiction(R"({"type": "string", "min_length": 2, "max_length": 1})", "no value could pass");
  ExpectContradiction(R"({"type": "integer", "values": [5], "max": 3})", "breaks its own rule max");
  ExpectContradiction(R"({"type": "string", "values": ["ab"], "pattern": "[A-Z]+"})", "breaks its own rule pattern");
}

TEST(Schema, RefusesPoliciesWithoutMeans) {
  ExpectContradiction(R"({"type": "number", "on_violation": "clamp"})", "nothing to clamp to");
  ExpectContradiction(R"({"type": "string", "unknown": "other"})", "there are none");
  ExpectContradiction(R"({"type": "integer", "values": [1], "unknown": "other"})", "makes a text");
  ExpectContradiction(R"({"type": "number[2]", "missing": "impute"})", "cannot be imputed");
  ExpectContradiction(R"({"type": "number", "default": 1, "missing": "null"})", "never used");
  ExpectContradiction(R"({"type": "number", "nullable": true, "missing": "reject"})", "keep one of them");
  ExpectContradiction(R"({"type": "string", "length": 3, "max_length": 4})", "keep one of them");
}

TEST(Schema, RefusesADefaultThatBreaksItsOwnRules) {
  ExpectContradiction(R"({"type": "number", "min": 1, "default": 0})", "breaks the column's own rule min");
  ExpectContradiction(R"({"type": "string", "values": ["a"], "default": "b"})", "breaks the column's own rule values");
  Column(R"({"type": "string", "values": ["a"], "unknown": "other", "default": "other"})");
}

TEST(Schema, RefusesRepeatedValues) {
  ExpectContradiction(R"({"type": "string", "values": ["a", "b", "a"]})", "twice");
  ExpectContradiction(R"({"type": "number", "values": [1, 1.0]})", "twice");
  ExpectContradiction(R"({"type": "boolean", "values": [true, true]})", "twice");
}

TEST(Schema, RefusesValuesOfAnotherType) {
  EXPECT_THAT(Refusal(R"({"type": "string", "values": ["a", 1]})").message, HasSubstr("write it in quotes"));
  EXPECT_THAT(Refusal(R"({"type": "integer", "values": [1.5]})").message, HasSubstr("whole number"));
  EXPECT_THAT(Refusal(R"({"type": "integer", "min": 0.5})").message, HasSubstr("min of x is 0.5"));
  EXPECT_THAT(Refusal(R"({"type": "timestamp", "min": "yesterday"})").message, HasSubstr("write it as"));
}

TEST(Schema, RefusesAPatternThatRe2DoesNotKnow) {
  const auto error = Refusal(R"json({"type": "string", "pattern": "(?=a)"})json");
  EXPECT_EQ(error.reason, "manifest.value");
  EXPECT_THAT(error.message, HasSubstr("look-around"));
}

TEST(Schema, BoundsItsCounts) {
  base::Value manifest = base::Value::Map();
  base::ValueMap columns;
  for (int64_t i = 0; i <= kMaxColumns; ++i) columns.emplace_back("c" + std::to_string(i), base::Value("number"));
  manifest.Set("inputs", std::move(columns));
  EXPECT_EQ(ParseSchema(manifest).error().reason, "manifest.limit");
}

TEST(Schema, ReadsRules) {
  const auto schema = Parse(R"({"inputs": {}, "rules": [{"check": "a > b", "message": "m"}, "b > c"]})");
  ASSERT_TRUE(schema.has_value());
  EXPECT_EQ(schema->rules[0].check, "a > b");
  EXPECT_EQ(schema->rules[0].message, "m");
  EXPECT_EQ(schema->rules[1].check, "b > c");
}

TEST(Schema, RefusesUnreadableRules) {
  EXPECT_THAT(Parse(R"({"rules": [{"chek": "a"}]})").error().message, HasSubstr("did you mean \"check\"?"));
  EXPECT_EQ(Parse(R"({"rules": [{"message": "a"}]})").error().reason, "manifest.missing_key");
  EXPECT_EQ(Parse(R"({"rules": {}})").error().reason, "manifest.type");
  EXPECT_EQ(Parse(R"({"rules": [1]})").error().reason, "manifest.type");
}

TEST(Schema, ReadsUnknownFields) {
  EXPECT_EQ(Parse(R"({"unknown_fields": "ignore"})")->unknown_fields, data::UnknownFields::kIgnore);
  EXPECT_EQ(Parse("{}")->unknown_fields, data::UnknownFields::kReject);
  EXPECT_THAT(Parse(R"({"unknown_fields": "ignor"})").error().message, HasSubstr("did you mean \"ignore\"?"));
}

TEST(Schema, WritesWhatItReads) {
  const std::string_view text = R"({"inputs":{)"
                                R"("a":{"type":"string","values":["AA","B6"],"unknown":"other"},)"
                                R"("b":{"type":"number","unit":"mi","missing":"impute","default":50,)"
                                R"("on_violation":"clamp","min":10.0,"max":6000.0},)"
                                R"("c":{"type":"string","missing":"null","length":6,"personal":"pseudonymize"},)"
                                R"("d":{"type":"timestamp","min":"2013-01-01T00:00:00Z","zone":"-05:00"},)"
                                R"("e":{"type":"integer[?,16]","on_violation":"warn","max":9007199254740993},)"
                                R"("f":{"type":"number","optional":true,"missing":"reject","null_values":["NA"]},)"
                                R"("g":{"type":"number","missing":"null","optional":false,"allow_non_finite":true}},)"
                                R"("rules":[{"check":"b > 1","message":"m"}],"unknown_fields":"ignore"})";
  const auto schema = Parse(text);
  ASSERT_TRUE(schema.has_value()) << schema.error().Text();
  EXPECT_EQ(base::ToJson(ToValue(*schema)), text);
}

TEST(Schema, WritesTheShortestForm) {
  const auto schema = Parse(R"({"inputs": {"a": {"type": "number", "optional": true, "on_violation": "reject"}}})");
  EXPECT_EQ(base::ToJson(ToValue(*schema)), R"({"inputs":{"a":{"type":"number","missing":"null"}}})");
}

TEST(Schema, ForFittingNothingIsImputed) {
  const auto schema = Parse(R"({"inputs": {"a": {"type": "number", "missing": "impute", "on_violation": "impute"},
                                           "b": {"type": "number", "default": 1}}})");
  EXPECT_THAT(ColumnsToLearn(*schema), ElementsAre(0));
  const auto fitting = WithoutImputing(*schema);
  EXPECT_EQ(fitting.columns[0].missing, Missing::kNull);
  EXPECT_EQ(fitting.columns[0].on_violation, Policy::kNull);
  EXPECT_FALSE(fitting.columns[1].default_value.has_value());
}

}  // namespace
}  // namespace slipway::schema
