#include "serving/openapi/json_schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace slipway::serving::openapi {
namespace {

std::string RecordOf(const std::string& column) {
  const auto manifest = base::ParseJson(R"({"inputs": {"x": )" + column + "}}");
  EXPECT_TRUE(manifest) << column;
  const auto schema = schema::ParseSchema(*manifest);
  EXPECT_TRUE(schema) << schema.error().Text();
  return base::ToJson(*RecordSchema(*schema).Find("properties")->Find("x"));
}

struct Case {
  const char* name;
  const char* column;
  const char* schema;
};

class Columns : public testing::TestWithParam<Case> {};

TEST_P(Columns, SayWhatIsAccepted) {
  EXPECT_EQ(RecordOf(GetParam().column), GetParam().schema);
}

INSTANTIATE_TEST_SUITE_P(
    JsonSchema, Columns,
    testing::Values(
        Case{"Number", R"({"type":"number","min":-1.5,"max":2})",
             R"({"type":"number","format":"double","minimum":-1.5,"maximum":2.0})"},
        Case{"Integer", R"({"type":"integer","min":0})",
             R"({"type":"integer","format":"int64","minimum":0,"maximum":9223372036854775807})"},
        Case{"Boolean", R"("boolean")", R"({"anyOf":[{"type":"boolean"},{"enum":[0,1]}]})"},
        Case{"ClosedSet", R"({"type":"string","values":["a","b"]})", R"({"enum":["a","b"]})"},
        Case{"OpenSet", R"({"type":"string","values":["a"],"unknown":"other"})",
             R"({"type":"string","description":"Anything but \"a\" counts as \"other\"."})"},
        Case{"Clamped", R"({"type":"number","min":0,"max":1,"on_violation":"clamp"})",
             R"({"type":"number","format":"double","description":"Clamped to its range."})"},
        Case{"Warned", R"({"type":"number","min":0,"on_violation":"warn"})",
             R"({"not":{"enum":[null]},"description":"A wrong value is scored with a warning."})"},
        Case{"ImputedWhenWrongButNotNull",
             R"({"type":"number","on_violation":"impute","default":1,"null_values":["-"]})",
             R"({"not":{"enum":["-",null]},"default":1})"},
        Case{"BoundedTime", R"({"type":"timestamp","min":"2020-01-01","max":"2030-01-01T12:00:00Z"})",
             R"({"type":"string","format":"date-time","description":"ISO 8601; without an offset it is in +00:00. )"
             R"(Not before 2020-01-01T00:00:00Z. Not after 2030-01-01T12:00:00Z."})"},
        Case{"Nullable", R"({"type":"string","nullable":true})", R"({"anyOf":[{"type":"string"},{"type":"null"}]})"},
        Case{"Pattern", R"({"type":"string","pattern":"[A-Z]{3}","max_length":3})",
             R"({"type":"string","maxLength":3,"pattern":"^(?:[A-Z]{3})$"})"},
        Case{"PatternOfRe2", R"({"type":"string","pattern":"(?i)abc"})",
             R"({"type":"string","description":"Matches the RE2 expression (?i)abc"})"},
        Case{"Tensor", R"({"type":"number[2,3]","max":1})",
             R"({"type":"array","items":{"type":"array","items":{"type":"number","format":"double","maximum":1.0},)"
             R"("minItems":3,"maxItems":3},"minItems":2,"maxItems":2})"},
        Case{"OpenTensor", R"({"type":"number[2,?]"})",
             R"({"type":"array","items":{"type":"array","items":{"type":"number","format":"double"}},"minItems":2,)"
             R"("maxItems":2,"description":"Lists at one depth have one length."})"},
        Case{"TensorWithGaps", R"({"type":"number[2]","allow_non_finite":true})",
             R"({"type":"array","items":{"anyOf":[{"type":"number","format":"double"},{"type":"null"}]},"minItems":2,)"
             R"("maxItems":2})"},
        Case{"NullTexts", R"({"type":"string","null_values":["NA"]})", R"({"type":"string","not":{"enum":["NA"]}})"}),
    [](const auto& info) { return info.param.name; });

TEST(RecordSchema, RequiresWhatMayNotBeAbsent) {
  const auto manifest =
      base::ParseJson(R"({"inputs": {"a": "number", "b": {"type": "number", "optional": true}}, "rules": ["a < b"]})");
  const auto record = RecordSchema(*schema::ParseSchema(*manifest));
  EXPECT_EQ(base::ToJson(*record.Find("required")), R"(["a"])");
  EXPECT_EQ(base::ToJson(*record.Find("additionalProperties")), "false");
  EXPECT_THAT(record.Find("description")->string(), testing::HasSubstr("`a < b`"));
}

TEST(PredictionSchema, NamesLabelledVectorsAsObjects) {
  data::Field field;
  field.name = "classes";
  field.type = {data::ScalarType::kNumber, {2}};
  field.labels = {"yes", "no"};
  EXPECT_EQ(base::ToJson(*PredictionSchema({field}).Find("properties")->Find("classes")->Find("anyOf")),
            R"([{"type":"object","properties":{"yes":{"anyOf":[{"type":"number","format":"double"},{"type":"null"}]},)"
            R"("no":{"anyOf":[{"type":"number","format":"double"},{"type":"null"}]}},"required":["yes","no"]},)"
            R"({"type":"null"}])");
}

}  // namespace
}  // namespace slipway::serving::openapi
