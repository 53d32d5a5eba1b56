#include "bundle/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace slipway::bundle {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kHead = "slipway: 1\nname: flight-delay\nversion: 1.0.0\n";  // three lines

Manifest Parse(const std::string& rest) {
  auto manifest = ParseManifest(std::string(kHead) + rest);
  EXPECT_TRUE(manifest.has_value()) << manifest.error().Text();
  return manifest ? *manifest : Manifest();
}

constexpr const char* kWhole = R"(description: Probability that a flight arrives late
target: late
inputs:
  carrier:    {type: string, values: [AA, AS], unknown: other}
  origin:     {type: string}
  distance:   {type: number, unit: mi, min: 10, max: 6000}
features:
  - {as: distance_z, standardize: distance}
  - {as: region, lookup: origin, file: tables/region.csv}
model: {engine: onnx, file: model.onnx, input: {x: features, c: carrier, d: [distance, distance_z]}, batching: relaxed, threads: 2, isolation: process}
outputs:
  probability: {from: "probabilities[1]", type: number, min: 0, max: 1, round: 4, description: chance}
  late: {when: "probability >= 0.5"}
  raw: {expr: "probabilities", hidden: true, labels: [early, late], top: 2}
  label: label
limits: {timeout: 100ms, max_batch_rows: 16}
golden: {tolerance: 1e-6}
files: [notes.md, weights/part.bin]
fallback: [{version: previous}, {constant: {probability: 0.22, late: false}}]
lineage: {code: {repository: r, commit: c}, data: [{file: train.csv, rows: 80789}], parameters: {trees: 300, deep: {a: [1]}}}
)";

TEST(Manifest, ReadsIdentityAndSchema) {
  const Manifest manifest = Parse(kWhole);
  EXPECT_EQ(manifest.name, "flight-delay");
  EXPECT_EQ(manifest.version.ToString(), "1.0.0");
  EXPECT_EQ(manifest.target, "late");
  EXPECT_TRUE(manifest.has_inputs);
  EXPECT_EQ(manifest.schema.columns.size(), 3u);
  EXPECT_EQ(manifest.features.size(), 2u);
  EXPECT_THAT(manifest.files, ElementsAre("notes.md", "weights/part.bin"));
  EXPECT_EQ(manifest.written.Find("name")->string(), "flight-delay");
}

TEST(Manifest, ReadsModel) {
  const ModelSpec model = Parse(kWhole).model;
  EXPECT_EQ(model.engine, "onnx");
  EXPECT_EQ(model.file, "model.onnx");
  EXPECT_EQ(model.batching, Batching::kRelaxed);
  EXPECT_TRUE(model.isolated);
  EXPECT_EQ(model.options.Find("threads")->integer(), 2);
  ASSERT_EQ(model.inputs.size(), 3u);
  EXPECT_EQ(model.inputs[0].tensor, "x");
  EXPECT_THAT(model.inputs[0].features, IsEmpty());
  EXPECT_THAT(model.inputs[1].features, ElementsAre("carrier"));
  EXPECT_THAT(model.inputs[2].features, ElementsAre("distance", "distance_z"));
}

TEST(Manifest, ReadsOutputs) {
  const auto outputs = Parse(kWhole).outputs;
  ASSERT_EQ(outputs.size(), 4u);
  EXPECT_EQ(outputs[0].from, "probabilities[1]");
  EXPECT_EQ(outputs[0].max, 1.0);
  EXPECT_EQ(outputs[0].round, 4);
  EXPECT_EQ(outputs[0].description, "chance");
  EXPECT_EQ(outputs[1].when, "probability >= 0.5");
  EXPECT_TRUE(outputs[2].hidden);
  EXPECT_EQ(outputs[2].labels.size(), 2u);
  EXPECT_EQ(outputs[2].top, 2);
  EXPECT_EQ(outputs[3].from, "label");
  EXPECT_EQ(outputs[3].position.line, 18);
}

TEST(Manifest, ReadsLimitsFallbackAndLineage) {
  const Manifest manifest = Parse(kWhole);
  EXPECT_EQ(manifest.limits.timeout, milliseconds(100));
  EXPECT_EQ(manifest.limits.max_batch_rows, 16);
  EXPECT_EQ(manifest.golden_tolerance, 1e-6);
  ASSERT_EQ(manifest.fallback.size(), 2u);
  EXPECT_EQ(manifest.fallback[0].kind, FallbackStep::Kind::kPrevious);
  EXPECT_EQ(manifest.fallback[1].constant.Find("probability")->number(), 0.22);
  EXPECT_TRUE(manifest.fallback[1].on.Has(FallbackReason::kEngine));
  EXPECT_FALSE(manifest.fallback[1].on.Has(FallbackReason::kRejected));
  EXPECT_EQ(manifest.lineage.Find("data")->list()[0].Find("rows")->integer(), 80789);
}

TEST(Manifest, NeedsOnlyNameAndVersion) {
  const Manifest manifest = Parse("");
  EXPECT_FALSE(manifest.has_inputs);
  EXPECT_EQ(manifest.model.engine, "onnx");
  EXPECT_EQ(manifest.model.file, "model.onnx");
  EXPECT_THAT(manifest.model.inputs, IsEmpty());
  EXPECT_THAT(manifest.outputs, IsEmpty());
  EXPECT_EQ(manifest.limits.max_batch_rows, 4096);
  EXPECT_FALSE(manifest.limits.timeout.has_value());
  EXPECT_EQ(manifest.golden_tolerance, 1e-5);
}

TEST(Manifest, LeavesTheOptionsOfAnotherEngineToIt) {
  const ModelSpec model = Parse("model: {engine: forest, depth: 3}\n").model;
  EXPECT_EQ(model.options.Find("depth")->integer(), 3);
  EXPECT_EQ(model.file, "");
}

TEST(Manifest, UnknownFieldsMayBeIgnoredWithoutInputs) {
  EXPECT_EQ(Parse("unknown_fields: ignore\n").schema.unknown_fields, data::UnknownFields::kIgnore);
}

struct Fault {
  const char* rest;  ///< from line 4
  const char* where;
  const char* reason;
  const char* message;
};
class FaultyManifest : public testing::TestWithParam<Fault> {};
TEST_P(FaultyManifest, NamesPlaceKeyAndRule) {
  const auto manifest = ParseManifest(std::string(kHead) + GetParam().rest);
  ASSERT_FALSE(manifest.has_value());
  EXPECT_EQ(manifest.error().where, std::string("slipway.yaml:") + GetParam().where) << manifest.error().message;
  EXPECT_EQ(manifest.error().reason, std::string("manifest.") + GetParam().reason) << manifest.error().message;
  EXPECT_THAT(manifest.error().message, HasSubstr(GetParam().message));
}
INSTANTIATE_TEST_SUITE_P(
    Top, FaultyManifest,
    testing::Values(
        Fault{"modle: {}\n", "4:1", "unknown_key", "unknown key \"modle\" (did you mean \"model\"?)"},
        Fault{"zzz: 1\n", "4:1", "unknown_key", "known keys: slipway, name, version"},
        Fault{"description: 5\n", "4:1", "type", "`description` must be text"},
        Fault{"description:\n", "4:1", "type", "`description` has no value"},
        Fault{"name: x\n", "4:1", "syntax", "duplicate key"},
        Fault{"target: ''\n", "4:1", "value", "`target` is empty"},
        Fault{"inputs: {a: {type: number}}\ntarget: a\n", "5:1", "contradiction", "given its answer"},
        Fault{"inputs: {a: {type: numbr}}\n", "4:14", "value", "number"},
        Fault{"inputs: {a: {typ: number}}\n", "4:14", "unknown_key", "did you mean \"type\""},
        Fault{"rules: [a > 1]\n", "4:1", "contradiction", "`rules` needs `inputs`"},
        Fault{"features: [{as: a, log1p: b}]\n", "4:1", "contradiction", "`features` needs `inputs`"},
        Fault{"unknown_fields: drop\n", "4:1", "value", "write reject or ignore"},
        Fault{"inputs: {a: {type: number}}\nfeatures: [a]\n", "5:12", "type", "`features[0]` must be a map"},
        Fault{"inputs: {a: {type: number}}\nfeatures: {a: 1}\n", "5:1", "type", "must be a list"},
        Fault{"inputs: {a: {type: number}}\nfeatures: [{as: b, lookup: a, file: ../x}]\n", "5:31", "value", "\"../x\""},
        Fault{"files: [/etc/passwd]\n", "4:9", "value", "absolute"},
        Fault{"files: [5]\n", "4:9", "type", "name of a file"}, Fault{"files: [a, A]\n", "4:12", "value", "twice"}));
INSTANTIATE_TEST_SUITE_P(
    Model, FaultyManifest,
    testing::Values(Fault{"model: model.onnx\n", "4:1", "type", "`model` must be a map"},
                    Fault{"model: {fle: x}\n", "4:9", "unknown_key", "in `model` (did you mean \"file\"?)"},
                    Fault{"model: {engine: onnx, thread: 2}\n", "4:23", "unknown_key", "did you mean \"threads\""},
                    Fault{"model: {threads: 0}\n", "4:9", "value", "1 to 256"},
                    Fault{"model: {threads: two}\n", "4:9", "type", "`model.threads` must be an integer, not \"two\""},
                    Fault{"model: {engine: ''}\n", "4:9", "value", "`model.engine` is empty"},
                    Fault{"model: {file: a/../../b}\n", "4:9", "value", "stay inside the bundle"},
                    Fault{"model: {file: 'C:\\m.onnx'}\n", "4:9", "value", "cannot be part of a bundle"},
                    Fault{"model: {file: model.pkl}\n", "4:9", "value", "skl2onnx"},
                    Fault{"model: {file: Model.JOBLIB}\n", "4:9", "value", "pickle"},
                    Fault{"model: {batching: fast}\n", "4:9", "value", "exact or relaxed"},
                    Fault{"model: {isolation: yes}\n", "4:9", "value", "none or process"},
                    Fault{"model: {missing: zero}\n", "4:9", "value", "reject or nan"},
                    Fault{"inputs: {a: number}\nmodel: {missing: nan}\n", "5:9", "contradiction", "own tensors"},
                    Fault{"model: {input: features}\n", "4:9", "contradiction", "neither `features` nor `inputs`"},
                    Fault{"model: {input: []}\n", "4:9", "type", "`model.input` takes"},
                    Fault{"model: {input: {x: 5}}\n", "4:17", "type", "`model.input` takes"},
                    Fault{"model: {input: [a, 5]}\n", "4:20", "type", "must name features or columns, not 5"},
                    Fault{"model: {input: [a, a]}\n", "4:20", "value", "twice"},
                    Fault{"inputs: {distance: {type: number}}\nmodel: {input: [distence]}\n", "5:17", "value",
                          "did you mean \"distance\""}));
INSTANTIATE_TEST_SUITE_P(
    Outputs, FaultyManifest,
    testing::Values(Fault{"outputs: {}\n", "4:1", "type", "map of 1 to"},
                    Fault{"outputs: {a: 5}\n", "4:11", "type", "must be a map"},
                    Fault{"outputs: {a: {}}\n", "4:11", "missing_key", "`outputs.a` needs one of from"},
                    Fault{"outputs: {a: {from: x, expr: y}}\n", "4:24", "contradiction", "keep one"},
                    Fault{"outputs: {a: {form: x}}\n", "4:15", "unknown_key", "did you mean \"from\""},
                    Fault{"outputs: {a: {from: x, type: real}}\n", "4:24", "value", "`outputs.a.type`"},
                    Fault{"outputs: {a: {from: x, min: 2, max: 1}}\n", "4:24", "contradiction", "above max"},
                    Fault{"outputs: {a: {from: x, min: .nan}}\n", "4:24", "value", "finite"},
                    Fault{"outputs: {a: {from: x, labels: []}}\n", "4:24", "value", "empty"},
                    Fault{"outputs: {a: {from: x, labels: [a, a]}}\n", "4:24", "value", "\"a\" twice"},
                    Fault{"outputs: {a: {from: x, labels: [1.5]}}\n", "4:33", "type", "texts, integers or booleans"},
                    Fault{"outputs: {a: {from: x, labels: [p, q], top: 3}}\n", "4:40", "contradiction", "2 labels"},
                    Fault{"outputs: {a: {from: x, top: 0}}\n", "4:24", "value", "1 to"},
                    Fault{"outputs: {a: {from: x, round: 16}}\n", "4:24", "value", "0 to 15"},
                    Fault{"outputs: {a: {when: x, round: 2}}\n", "4:24", "contradiction", "is for numbers"},
                    Fault{"outputs: {a: {when: x, type: string}}\n", "4:24", "contradiction", "yields true or false"},
                    Fault{"outputs: {a: {from: x, type: string, max: 1}}\n", "4:38", "contradiction", "is for numbers"},
                    Fault{"outputs: {a: {from: x, hidden: 1}}\n", "4:24", "type", "true or false"},
                    Fault{"outputs: {a: {from: x, hidden: true}}\n", "4:1", "contradiction", "hidden"}));
INSTANTIATE_TEST_SUITE_P(
    Rest, FaultyManifest,
    testing::Values(
        Fault{"limits: {timeout: 100}\n", "4:10", "type", "`limits.timeout` must be text"},
        Fault{"limits: {timeout: soon}\n", "4:10", "value", "`limits.timeout`"},
        Fault{"limits: {timeout: 2h}\n", "4:10", "value", "1ms to 1h"},
        Fault{"limits: {max_batch_rows: 0}\n", "4:10", "value", "1 to"},
        Fault{"limits: {max_rows: 5}\n", "4:10", "unknown_key", "max_batch_rows"},
        Fault{"golden: {tolerance: 1}\n", "4:10", "value", "0 to 0.1"},
        Fault{"golden: {tolerance: -1e-9}\n", "4:10", "value", "0 to 0.1"},
        Fault{"golden: {tolerence: 1e-9}\n", "4:10", "unknown_key", "tolerance"},
        Fault{"fallback: previous\n", "4:1", "type", "`fallback` must be a list"},
        Fault{"fallback: []\n", "4:1", "type", "`fallback` must be a list"},
        Fault{"fallback: [{version: 1.0.0}]\n", "4:13", "value", "previous"},
        Fault{"fallback: [{}]\n", "4:12", "value", "{version: previous}"},
        Fault{"fallback: [{model: other, on: [timeout, sunday]}]\n", "4:41", "value", "timeout, engine, breaker"},
        Fault{"fallback: [{model: other, version: previous}]\n", "4:12", "value", "takes one of"},
        Fault{"fallback: [{cached: 10}]\n", "4:13", "type", "must be text"},
        Fault{"fallback: [{cached: soon}]\n", "4:13", "value", "soon"},
        Fault{"fallback: [{cached: 10ms}]\n", "4:13", "value", "1s to 8760h"},
        Fault{"fallback: [{constant: {}}]\n", "4:13", "value", "empty"},
        Fault{"fallback: [{constant: {a: 1}}, {version: previous}]\n", "4:13", "contradiction", "put it last"},
        Fault{"outputs: {late: x}\nfallback: [{constant: {lat: 1}}]\n", "5:24", "value", "did you mean \"late\""},
        Fault{"outputs: {late: {when: x}}\nfallback: [{constant: {late: 1}}]\n", "5:24", "type", "output is a boolean"},
        Fault{"lineage: {code: {comit: a}}\n", "4:18", "unknown_key", "in `lineage.code` (did you mean \"commit\"?)"},
        Fault{"lineage: {data: [{file: a, rows: -1}]}\n", "4:28", "value", "`lineage.data[0].rows`"},
        Fault{"lineage: {data: [{sha256: abc}]}\n", "4:19", "value", "64 digits"}));

base::Error ErrorOf(std::string_view yaml) {
  auto manifest = ParseManifest(yaml);
  EXPECT_FALSE(manifest.has_value());
  return manifest ? base::Error{} : manifest.error();
}

TEST(Manifest, SaysHowToWriteAVersionThatReadsAsANumber) {
  const base::Error error = ErrorOf("slipway: 1\nname: a\nversion: 1.10\n");
  EXPECT_EQ(error.where, "slipway.yaml:3:1");
  EXPECT_THAT(error.message, HasSubstr("such as 1.10.0"));
}

TEST(Manifest, RefusesMalformedNameAndVersion) {
  EXPECT_THAT(ErrorOf("slipway: 1\nname: Flight Delay\nversion: 1.0.0\n").message, HasSubstr("`name`"));
  EXPECT_THAT(ErrorOf("slipway: 1\nname: 12\nversion: 1.0.0\n").message, HasSubstr("in quotes"));
  EXPECT_THAT(ErrorOf("slipway: 1\nname: a\nversion: v1\n").message, HasSubstr("no semantic version"));
  EXPECT_THAT(ErrorOf("slipway: 1\nversion: 1.0.0\n").message, HasSubstr("`name` is missing"));
  EXPECT_THAT(ErrorOf("slipway: 1\nname: a\n").message, HasSubstr("`version` is missing"));
}

TEST(Manifest, NamesALaterFormatBeforeItsKeys) {
  const base::Error error = ErrorOf("new_key: 1\nslipway: 2\n");
  EXPECT_EQ(error.where, "slipway.yaml:2:1");
  EXPECT_THAT(error.message, HasSubstr("`slipway` must be 1"));
  EXPECT_THAT(ErrorOf("name: a\nversion: 1.0.0\n").message, HasSubstr("`slipway` is missing"));
}

TEST(Manifest, RefusesWhatIsNoMap) {
  EXPECT_THAT(ErrorOf("").message, HasSubstr("empty"));
  EXPECT_THAT(ErrorOf("[1]").message, HasSubstr("must be a map"));
  EXPECT_EQ(ErrorOf("a: [").where.substr(0, 13), "slipway.yaml:");
}

}  // namespace
}  // namespace slipway::bundle
