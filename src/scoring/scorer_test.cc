#include "scoring/scorer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/files.h"
#include "data/json_rows.h"
#include "scoring/answers.h"
#include "scoring/engine_fake.h"
#include "scoring/golden_check.h"

namespace slipway::scoring {
namespace {

using ::testing::HasSubstr;

constexpr char kHead[] = "slipway: 1\nname: sum\nversion: 1.0.0\n";
constexpr char kInputs[] =
    "inputs:\n"
    "  a: {type: number, min: 0}\n"
    "  b: {type: number, nullable: true}\n"
    "  kind: {type: string, values: [x, y]}\n";
constexpr char kModel[] = "model: {engine: onnx, file: model.onnx, input: [a, b]}\n";

/// probabilities = [1 - s, s] with s = the sum of a row's inputs, NaN counting as 100.
engine::ModelInfo SumModel() {
  engine::ModelInfo info;
  info.engine = "onnx";
  info.inputs.push_back({.name = "x", .type = engine::ElementType::kFloat32, .shape = {-1, 2}});
  info.outputs.push_back({.name = "probabilities", .type = engine::ElementType::kFloat32, .shape = {-1, 2}});
  info.exact_rows = 4;
  return info;
}

base::Result<void> RunSum(std::span<const engine::TensorView> inputs, std::span<engine::Tensor> outputs) {
  const auto* x = static_cast<const float*>(inputs[0].data);
  std::vector<float> out;
  for (int64_t row = 0; row < inputs[0].shape[0]; ++row) {
    float sum = 0;
    for (int64_t i = 0; i < 2; ++i) sum += x[row * 2 + i] == x[row * 2 + i] ? x[row * 2 + i] : 100;
    out.push_back(1 - sum);
    out.push_back(sum);
  }
  Fill(outputs[0], {inputs[0].shape[0], 2}, out);
  return {};
}

class ScorerTest : public ::testing::Test {
 protected:
  base::Result<std::shared_ptr<const Scorer>> Make(const std::string& yaml) {
    EXPECT_TRUE(base::WriteFileAtomically(folder_.path() / "slipway.yaml", yaml));
    EXPECT_TRUE(base::WriteFileAtomically(folder_.path() / "model.onnx", "fake"));
    SLIPWAY_ASSIGN(auto bundle, bundle::Bundle::Open(folder_.path()));
    engine::EngineTable engines;
    engines.Register(
        "onnx",
        [this](const bundle::Bundle&, const engine::EngineOptions&) -> base::Result<std::unique_ptr<engine::Engine>> {
          return std::make_unique<FakeEngine>(model_, run_);
        });
    return Scorer::Create(bundle, engines);
  }

  /// The answer lines of JSON lines.
  std::string Answer(const Scorer& scorer, std::string_view lines, const base::Deadline& deadline = {}) {
    data::JsonRowDecoder decoder(scorer.layout());
    data::Decoded rows(scorer.layout());
    while (!lines.empty()) {
      const size_t end = lines.find('\n');
      decoder.DecodeLine(lines.substr(0, end), rows);
      lines = end == std::string_view::npos ? "" : lines.substr(end + 1);
    }
    auto workspace = scorer.NewWorkspace();
    Scores scores;
    auto scored = scorer.Score(rows, *workspace, scores, deadline);
    if (!scored) return scored.error().reason;
    std::string out;
    AnswerWriter(scorer).AppendLines(scores, 0, out);
    return out;
  }

  base::TemporaryFolder folder_ = *base::TemporaryFolder::Create();
  engine::ModelInfo model_ = SumModel();
  FakeRun run_ = RunSum;
};

TEST_F(ScorerTest, WithoutOutputsThePredictionIsTheModelsOwn) {
  auto scorer = Make(std::string(kHead) + kInputs + kModel);
  ASSERT_TRUE(scorer) << scorer.error().Text();
  EXPECT_EQ(Answer(**scorer, R"({"a":0.25,"b":0.5,"kind":"x"})"),
            "{\"row\":0,\"prediction\":{\"probabilities\":[0.25,0.75]}}\n");
}

TEST_F(ScorerTest, OutputsAreNamedThresholdedAndComputed) {
  auto scorer = Make(std::string(kHead) + kInputs + kModel +
                     "outputs:\n"
                     "  p: {from: \"probabilities[1]\", max: 1}\n"
                     "  late: {when: \"p >= 0.5\"}\n"
                     "  grade: {expr: \"late ? kind : 'none'\"}\n");
  ASSERT_TRUE(scorer) << scorer.error().Text();
  EXPECT_EQ(Answer(**scorer, "{\"a\":0.1,\"b\":0,\"kind\":\"x\"}\n{\"a\":7,\"b\":0,\"kind\":\"y\"}"),
            "{\"row\":0,\"prediction\":{\"p\":0.1,\"late\":false,\"grade\":\"none\"}}\n"
            "{\"row\":1,\"prediction\":{\"p\":1.0,\"late\":true,\"grade\":\"y\"}}\n");
}

TEST_F(ScorerTest, AWrongRowDoesNotSpoilItsNeighbours) {
  auto scorer = Make(std::string(kHead) + kInputs + kModel + "outputs: {p: \"probabilities[1]\"}\n");
  ASSERT_TRUE(scorer) << scorer.error().Text();
  const auto out =
      Answer(**scorer,
             "{\"a\":1,\"b\":1,\"kind\":\"x\"}\n{\"a\":-5,\"b\":1,\"kind\":\"x\"}\n{\"a\":2,\"b\":1,\"kind\":\"y\"}");
  EXPECT_THAT(out,
              HasSubstr("{\"row\":0,\"prediction\":{\"p\":2.0}}\n{\"row\":1,\"error\":{\"code\":\"schema.violation\""));
  EXPECT_THAT(out, HasSubstr("schema.out_of_range"));
  EXPECT_THAT(out, HasSubstr("{\"row\":2,\"prediction\":{\"p\":3.0}}\n"));
}

TEST_F(ScorerTest, NullIsNaNForAFloatTensor) {
  auto scorer = Make(std::string(kHead) + kInputs + kModel + "outputs: {p: \"probabilities[1]\"}\n");
  ASSERT_TRUE(scorer) << scorer.error().Text();
  EXPECT_EQ(Answer(**scorer, R"({"a":1,"b":null,"kind":"x"})"), "{\"row\":0,\"prediction\":{\"p\":101.0}}\n");
}

TEST_F(ScorerTest, NullForAnIntegerTensorRejectsTheRow) {
  model_.inputs[0] = {.name = "x", .type = engine::ElementType::kInt64, .shape = {-1, 1}};
  run_ = [](std::span<const engine::TensorView> inputs, std::span<engine::Tensor> outputs) -> base::Result<void> {
    Fill(outputs[0], {inputs[0].shape[0], 2}, std::vector<float>(static_cast<size_t>(inputs[0].shape[0]) * 2, 0.5F));
    return {};
  };
  auto scorer = Make(std::string(kHead) +
                     "inputs: {n: {type: integer, nullable: true}}\nmodel: {engine: onnx, file: model.onnx}\n");
  ASSERT_TRUE(scorer) << scorer.error().Text();
  const auto out = Answer(**scorer, "{\"n\":1}\n{\"n\":null}");
  EXPECT_THAT(out, HasSubstr("{\"row\":0,\"prediction\""));
  EXPECT_THAT(out, HasSubstr("{\"row\":1,\"error\":{\"code\":\"schema.violation\",\"violations\":[{\"field\":\"n\","
                             "\"code\":\"schema.null\""));
}

TEST_F(ScorerTest, BatchesAndSingleRowsAgreeWhateverTheChunk) {
  auto scorer = Make(std::string(kHead) + kInputs + kModel + "outputs: {p: \"probabilities[1]\"}\n");
  ASSERT_TRUE(scorer) << scorer.error().Text();
  std::string lines, alone;
  for (int i = 0; i < 1500; ++i) {
    const std::string record = "{\"a\":" + std::to_string(i) + ",\"b\":0.5,\"kind\":\"x\"}";
    lines += record + "\n";
    const auto answer = Answer(**scorer, record);
    alone += "{\"row\":" + std::to_string(i) + answer.substr(answer.find(','));
  }
  EXPECT_EQ(Answer(**scorer, lines), alone);
}

TEST_F(ScorerTest, AFixedBatchIsPadded) {
  model_.fixed_rows = 3;
  auto scorer = Make(std::string(kHead) + kInputs + kModel + "outputs: {p: \"probabilities[1]\"}\n");
  ASSERT_TRUE(scorer) << scorer.error().Text();
  EXPECT_EQ(Answer(**scorer, "{\"a\":1,\"b\":1,\"kind\":\"x\"}\n{\"a\":2,\"b\":1,\"kind\":\"x\"}"),
            "{\"row\":0,\"prediction\":{\"p\":2.0}}\n{\"row\":1,\"prediction\":{\"p\":3.0}}\n");
}

TEST_F(ScorerTest, WithoutInputsTheModelsTensorsAreTheSchema) {
  auto scorer = Make(std::string(kHead) + "model: {engine: onnx, file: model.onnx}\n");
  ASSERT_TRUE(scorer) << scorer.error().Text();
  EXPECT_EQ(Answer(**scorer, R"({"x":[0.5,0.25]})"), "{\"row\":0,\"prediction\":{\"probabilities\":[0.25,0.75]}}\n");
  EXPECT_THAT(Answer(**scorer, R"({"x":[0.5]})"), HasSubstr("schema.shape"));
}

TEST_F(ScorerTest, TheTopOfAVectorIsNamedByItsLabels) {
  auto scorer = Make(std::string(kHead) + kInputs + kModel +
                     "outputs: {best: {from: probabilities, labels: [no, \"yes\"], top: 1}}\n");
  ASSERT_TRUE(scorer) << scorer.error().Text();
  EXPECT_EQ(Answer(**scorer, R"({"a":0.5,"b":0.25,"kind":"x"})"),
            "{\"row\":0,\"prediction\":{\"best\":[\"yes\"],\"best_scores\":[0.75]}}\n");
}

TEST_F(ScorerTest, AFeatureThatDoesNotFitTheModelNamesItsLine) {
  auto text = Make(std::string(kHead) + kInputs + "model: {engine: onnx, file: model.onnx, input: [a, kind]}\n");
  ASSERT_FALSE(text);
  EXPECT_THAT(text.error().Text(), HasSubstr("slipway.yaml:8"));
  EXPECT_THAT(text.error().Text(), HasSubstr("one_hot"));
  auto narrow = Make(std::string(kHead) + kInputs + "model: {engine: onnx, file: model.onnx, input: [a]}\n");
  ASSERT_FALSE(narrow);
  EXPECT_THAT(narrow.error().Text(), HasSubstr("takes 2 values a row"));
}

TEST_F(ScorerTest, AnExpiredDeadlineEndsTheCall) {
  auto scorer = Make(std::string(kHead) + kInputs + kModel);
  ASSERT_TRUE(scorer) << scorer.error().Text();
  base::ManualClock clock;
  base::Deadline deadline{.at = clock.Now(), .stop = {}, .clock = &clock};
  EXPECT_EQ(Answer(**scorer, R"({"a":1,"b":1,"kind":"x"})", deadline), "scoring.deadline");
}

TEST_F(ScorerTest, AModelThatAnswersAnotherNumberOfRowsIsAnError) {
  run_ = [](std::span<const engine::TensorView>, std::span<engine::Tensor> outputs) -> base::Result<void> {
    Fill(outputs[0], {1, 2}, {0, 1});
    return {};
  };
  auto scorer = Make(std::string(kHead) + kInputs + kModel);
  ASSERT_TRUE(scorer) << scorer.error().Text();
  EXPECT_EQ(Answer(**scorer, "{\"a\":1,\"b\":1,\"kind\":\"x\"}\n{\"a\":1,\"b\":1,\"kind\":\"x\"}"), "engine.output");
}

TEST_F(ScorerTest, GoldenRecordsTellAnAlteredModel) {
  auto scorer = Make(std::string(kHead) + kInputs + kModel);
  ASSERT_TRUE(scorer) << scorer.error().Text();
  auto golden = MakeGolden(**scorer, std::vector<std::string>{R"({"a":1,"b":2,"kind":"x"})", R"({"a":-1})"});
  ASSERT_TRUE(golden);
  EXPECT_EQ((*golden)[0].prediction, R"({"probabilities":[-2.0,3.0]})");
  EXPECT_EQ((*golden)[1].prediction, "");
  EXPECT_THAT((*golden)[1].violations, ::testing::ElementsAre("schema.out_of_range", "schema.missing"));
  EXPECT_EQ(CheckGolden(**scorer, *golden)->mismatch_count, 0);
  (*golden)[0].prediction = R"({"probabilities":[-2.0,3.0000002]})";
  auto report = CheckGolden(**scorer, *golden);
  ASSERT_EQ(report->mismatch_count, 1);
  EXPECT_EQ(report->mismatches[0].got, R"({"probabilities":[-2.0,3.0]})");
}

}  // namespace
}  // namespace slipway::scoring
