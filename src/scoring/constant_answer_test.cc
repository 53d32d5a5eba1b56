#include "scoring/constant_answer.h"

#include <gmock/gmock.h>

#include "scoring/scorer_fixture.h"

namespace slipway::scoring {
namespace {

constexpr char kOutputs[] = "outputs: {p: \"probabilities[1]\", late: {when: \"p > 1\"}}\n";

/// Scorers that have no engine.
class ConstantAnswerTest : public ScorerTest {
 protected:
  base::Result<std::shared_ptr<const Scorer>> MakeForConstants(const std::string& yaml) {
    EXPECT_TRUE(base::WriteFileAtomically(folder_.path() / "slipway.yaml", yaml));
    SLIPWAY_ASSIGN(const auto bundle, bundle::Bundle::Open(folder_.path()));
    return Scorer::CreateForConstants(bundle, nullptr);
  }
  std::string Constant(const Scorer& scorer, std::string_view line) {
    data::Decoded rows(scorer.layout());
    data::JsonRowDecoder(scorer.layout()).DecodeLine(line, rows);
    auto workspace = scorer.NewWorkspace();
    Scores scores;
    scorer.ScoreConstant(0, false, rows, *workspace, scores);
    std::string out;
    AnswerWriter(scorer).AppendLines(scores, 0, out);
    return out;
  }
};

TEST_F(ConstantAnswerTest, IsGivenWithoutTheModelToWhatKeepsToTheSchema) {
  const auto scorer = MakeForConstants(std::string(kHead) + kInputs + kModel + kOutputs +
                                       "fallback: [{constant: {p: 0.25, late: false}}]\n");
  ASSERT_TRUE(scorer) << scorer.error().Text();
  EXPECT_FALSE((*scorer)->contract()->whole);
  EXPECT_THAT(Constant(**scorer, R"({"a":1,"b":2,"kind":"x"})"),
              testing::HasSubstr(R"("prediction":{"p":0.25,"late":false})"));
  EXPECT_THAT(Constant(**scorer, R"({"a":-1,"b":2,"kind":"x"})"), testing::HasSubstr("schema.out_of_range"));
}

TEST_F(ConstantAnswerTest, HasTheFieldsThatAllConstantsName) {
  const auto scorer = MakeForConstants(std::string(kHead) + kInputs + kModel + kOutputs +
                                       "fallback: [{constant: {p: 1}, on: [timeout]}, {constant: {late: true}}]\n");
  ASSERT_TRUE(scorer) << scorer.error().Text();
  EXPECT_THAT(Constant(**scorer, R"({"a":1,"b":2,"kind":"x"})"), testing::HasSubstr(R"({"p":1.0,"late":null})"));
}

TEST_F(ConstantAnswerTest, IsNotThereWithoutAConstantOrInputs) {
  EXPECT_FALSE(MakeForConstants(std::string(kHead) + kInputs + kModel + kOutputs + "fallback: [{model: other}]\n"));
  EXPECT_FALSE(MakeForConstants(std::string(kHead) + "model: {engine: onnx, file: model.onnx}\n" +
                                "fallback: [{constant: {probabilities: 1}}]\n"));
}

}  // namespace
}  // namespace slipway::scoring
