#include "scoring/scorer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scoring/scorer_fixture.h"

namespace slipway::scoring {
namespace {

using ::testing::HasSubstr;

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

}  // namespace
}  // namespace slipway::scoring
