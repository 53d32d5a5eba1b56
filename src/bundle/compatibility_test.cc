#include "bundle/compatibility.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace slipway::bundle {
namespace {

Manifest Parse(const std::string& inputs) {
  auto manifest = ParseManifest("slipway: 1\nname: a\nversion: 1.0.0\n" + inputs);
  EXPECT_TRUE(manifest.has_value()) << manifest.error().Text();
  return manifest ? *manifest : Manifest();
}

struct Step {
  const char* before;
  const char* after;
  const char* path;
  Bump bump;
};

class ColumnChange : public testing::TestWithParam<Step> {};
TEST_P(ColumnChange, DemandsItsBump) {
  const auto schema = [](const char* column) { return Parse(std::string("inputs: {x: {") + column + "}}\n").schema; };
  const auto changes = CompareSchemas(schema(GetParam().before), schema(GetParam().after));
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].path, GetParam().path);
  EXPECT_EQ(BumpName(changes[0].bump), BumpName(GetParam().bump)) << changes[0].message;
}
INSTANTIATE_TEST_SUITE_P(
    All, ColumnChange,
    testing::Values(
        Step{"type: number", "type: string", "inputs.x.type", Bump::kMajor},
        Step{"type: number", "type: number, min: 0", "inputs.x.min", Bump::kMajor},
        Step{"type: number, min: 0", "type: number, min: -1", "inputs.x.min", Bump::kMinor},
        Step{"type: number, min: 0", "type: number", "inputs.x.min", Bump::kMinor},
        Step{"type: number, max: 5", "type: number, max: 4", "inputs.x.max", Bump::kMajor},
        Step{"type: integer, max: 5", "type: integer, max: 6", "inputs.x.max", Bump::kMinor},
        Step{"type: string, max_length: 5", "type: string, max_length: 4", "inputs.x.max_length", Bump::kMajor},
        Step{"type: string, values: [a, b]", "type: string, values: [a, b, c]", "inputs.x.values", Bump::kMinor},
        Step{"type: string, values: [a, b]", "type: string, values: [a]", "inputs.x.values", Bump::kMajor},
        Step{"type: string", "type: string, values: [a]", "inputs.x.values", Bump::kMajor},
        Step{"type: string, values: [a]", "type: string", "inputs.x.values", Bump::kMinor},
        Step{"type: string, values: [a, b]", "type: string, values: [a], unknown: other", "inputs.x.values",
             Bump::kMinor},
        Step{"type: string, values: [a], unknown: other", "type: string, values: [a]", "inputs.x.values", Bump::kMajor},
        Step{"type: string", "type: string, pattern: 'a+'", "inputs.x.pattern", Bump::kMajor},
        Step{"type: string, pattern: 'a+'", "type: string", "inputs.x.pattern", Bump::kMinor},
        Step{"type: number, unit: mi", "type: number, unit: km", "inputs.x.unit", Bump::kMajor},
        Step{"type: number", "type: number, description: d", "inputs.x.description", Bump::kPatch},
        Step{"type: number, min: 0", "type: number, min: 0, on_violation: clamp", "inputs.x.on_violation",
             Bump::kMinor},
        Step{"type: number, min: 0, on_violation: clamp", "type: number, min: 0", "inputs.x.on_violation",
             Bump::kMajor}));

Bump SchemaBump(const std::string& before, const std::string& after) {
  const auto changes = CompareSchemas(Parse(before).schema, Parse(after).schema);
  return DemandedBump(changes);
}

TEST(CompareSchemas, FindsNothingInTheSameSchema) {
  const std::string inputs =
      "inputs: {x: {type: number, min: 0}, y: {type: string, optional: true}}\nrules: [{check: x > 1, message: m}]\n";
  EXPECT_TRUE(CompareSchemas(Parse(inputs).schema, Parse(inputs).schema).empty());
}

TEST(CompareSchemas, NewRequiredFieldBreaksAndNewOptionalFieldAdds) {
  const std::string before = "inputs: {x: {type: number}}\n";
  EXPECT_EQ(SchemaBump(before, "inputs: {x: {type: number}, y: {type: number}}\n"), Bump::kMajor);
  EXPECT_EQ(SchemaBump(before, "inputs: {x: {type: number}, y: {type: number, optional: true}}\n"), Bump::kMinor);
}

TEST(CompareSchemas, RemovedFieldBreaksUnlessUnknownFieldsAreIgnored) {
  const std::string both = "inputs: {x: {type: number}, y: {type: number}}\n";
  const std::string one = "inputs: {x: {type: number}}\n";
  EXPECT_EQ(SchemaBump(both, one), Bump::kMajor);
  EXPECT_EQ(SchemaBump(both + "unknown_fields: ignore\n", one + "unknown_fields: ignore\n"), Bump::kMinor);
}

TEST(CompareSchemas, OptionalFieldMadeRequiredBreaks) {
  const std::string optional = "inputs: {x: {type: number, optional: true}}\n";
  const std::string required = "inputs: {x: {type: number}}\n";
  EXPECT_EQ(SchemaBump(optional, required), Bump::kMajor);
  EXPECT_EQ(SchemaBump(required, optional), Bump::kMinor);
}

TEST(CompareSchemas, NewRuleBreaksAndRemovedRuleWidens) {
  const std::string without = "inputs: {x: {type: number}}\n";
  const std::string with = without + "rules: [{check: x > 1, message: m}]\n";
  EXPECT_EQ(SchemaBump(without, with), Bump::kMajor);
  EXPECT_EQ(SchemaBump(with, without), Bump::kMinor);
}

TEST(CompareSchemas, RefusingUnknownFieldsBreaks) {
  const std::string reject = "inputs: {x: {type: number}}\n";
  EXPECT_EQ(SchemaBump(reject + "unknown_fields: ignore\n", reject), Bump::kMajor);
  EXPECT_EQ(SchemaBump(reject, reject + "unknown_fields: ignore\n"), Bump::kMinor);
}

Bump OutputBump(const std::string& before, const std::string& after) {
  const auto changes = CompareOutputs(Parse(before).outputs, Parse(after).outputs);
  return DemandedBump(changes);
}

TEST(CompareOutputs, RemovedRetypedAndHiddenFieldsBreak) {
  EXPECT_EQ(OutputBump("outputs: {a: x, b: y}\n", "outputs: {a: x}\n"), Bump::kMajor);
  EXPECT_EQ(OutputBump("outputs: {a: x, b: y}\n", "outputs: {a: x, b: {from: y, hidden: true}}\n"), Bump::kMajor);
  EXPECT_EQ(OutputBump("outputs: {a: {from: x, type: number}}\n", "outputs: {a: {from: x, type: string}}\n"),
            Bump::kMajor);
}

TEST(CompareOutputs, NewFieldAddsAndNewThresholdIsMinor) {
  EXPECT_EQ(OutputBump("outputs: {a: x}\n", "outputs: {a: x, b: y}\n"), Bump::kMinor);
  EXPECT_EQ(OutputBump("outputs: {a: {when: x > 1}}\n", "outputs: {a: {when: x > 2}}\n"), Bump::kMinor);
  EXPECT_EQ(OutputBump("outputs: {a: x}\n", "outputs: {a: x}\n"), Bump::kPatch);
}

struct Move {
  const char* before;
  const char* after;
  Bump demanded;
  bool fine;
};
class VersionBump : public testing::TestWithParam<Move> {};
TEST_P(VersionBump, FollowsTheDemand) {
  const std::vector<Change> changes = {{"inputs.x", GetParam().demanded, "changed"}};
  const auto result =
      CheckBump(Version::Parse(GetParam().before).value(), Version::Parse(GetParam().after).value(), changes);
  EXPECT_EQ(result.has_value(), GetParam().fine);
}
INSTANTIATE_TEST_SUITE_P(
    All, VersionBump,
    testing::Values(Move{"1.0.0", "1.0.1", Bump::kPatch, true}, Move{"1.0.0", "1.0.1", Bump::kMinor, false},
                    Move{"1.0.0", "1.1.0", Bump::kMinor, true}, Move{"1.0.0", "1.1.0", Bump::kMajor, false},
                    Move{"1.0.0", "2.0.0", Bump::kMajor, true}, Move{"1.0.0", "1.0.0", Bump::kPatch, false},
                    Move{"1.1.0", "1.0.1", Bump::kPatch, false}, Move{"0.1.0", "0.1.1", Bump::kMinor, true},
                    Move{"0.1.0", "0.1.1", Bump::kMajor, false}, Move{"0.1.0", "0.2.0", Bump::kMajor, true},
                    Move{"2.0.0-rc.1", "2.0.0", Bump::kMajor, true}));

TEST(VersionBumpMessage, NamesTheChangeAndTheStep) {
  const std::vector<Change> changes = {{"inputs.x", Bump::kMajor, "field removed"}};
  const auto result = CheckBump(Version{.major = 1}, Version{.major = 1, .patch = 1}, changes);
  EXPECT_EQ(result.error().reason, "version.not_bumped");
  EXPECT_THAT(result.error().message, testing::HasSubstr("inputs.x: field removed, which asks for a major step"));
}

}  // namespace
}  // namespace slipway::bundle
