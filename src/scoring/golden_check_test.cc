#include "scoring/golden_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/machine.h"
#include "scoring/scorer_fixture.h"

namespace slipway::scoring {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class GoldenCheck : public ScorerTest {
 protected:
  /// p = a + b, late = p >= 0.5.
  std::shared_ptr<const Scorer> Thresholded(const std::string& more = "") {
    auto scorer = Make(std::string(kHead) + kInputs + kModel +
                       "outputs:\n  p: {from: \"probabilities[1]\"}\n  late: {when: \"p >= 0.5\"}\n" + more);
    EXPECT_TRUE(scorer) << scorer.error().Text();
    return *scorer;
  }

  static std::string Record(const std::string& a) { return R"({"a":)" + a + R"(,"b":0,"kind":"x"})"; }

  /// Records made here, as if on another kind of CPU, the first one's prediction written anew.
  static bundle::GoldenSet Elsewhere(const Scorer& scorer, const std::string& a, const std::string& prediction) {
    auto golden = *MakeGolden(scorer, std::vector<std::string>{Record(a), Record("1"), Record("-1")});
    golden.cpu = "vax";
    golden.records[0].prediction = prediction;
    return golden;
  }
};

TEST_F(GoldenCheck, TellsAnAlteredModel) {
  auto scorer = Make(std::string(kHead) + kInputs + kModel);
  ASSERT_TRUE(scorer) << scorer.error().Text();
  auto golden = MakeGolden(**scorer, std::vector<std::string>{R"({"a":1,"b":2,"kind":"x"})", R"({"a":-1})"});
  ASSERT_TRUE(golden);
  EXPECT_EQ(golden->cpu, base::CpuKind());
  EXPECT_EQ(golden->records[0].prediction, R"({"probabilities":[-2.0,3.0]})");
  EXPECT_EQ(golden->records[1].prediction, "");
  EXPECT_THAT(golden->records[1].violations, ElementsAre("schema.out_of_range", "schema.missing"));
  EXPECT_EQ(CheckGolden(**scorer, *golden)->mismatch_count, 0);
  EXPECT_EQ(CheckGolden(**scorer, *golden)->HowCompared(), "bit for bit");
  golden->records[0].prediction = R"({"probabilities":[-2.0,3.0000002]})";
  auto report = CheckGolden(**scorer, *golden);
  ASSERT_EQ(report->mismatch_count, 1);
  EXPECT_EQ(report->mismatches[0].got, R"({"probabilities":[-2.0,3.0]})");
  golden->cpu = "";  // of a bundle that does not tell
  EXPECT_EQ(CheckGolden(**scorer, *golden)->mismatch_count, 1);
}

TEST_F(GoldenCheck, OnAnotherKindOfCpuNumbersMayDifferInTheirLastBits) {
  const auto scorer = Thresholded();
  const auto report = *CheckGolden(*scorer, Elsewhere(*scorer, "0.75", R"({"p":0.75000006,"late":true})"));
  EXPECT_EQ(report.mismatch_count, 0);
  EXPECT_EQ(report.near, 1);
  EXPECT_EQ(report.worst.record, 0);
  EXPECT_EQ(report.worst.field, "p");
  EXPECT_THAT(report.HowCompared(), HasSubstr("within 1e-05, since they were made on vax"));
  EXPECT_THAT(report.HowCompared(), HasSubstr("p of record 0 is 0.75 instead of 0.75000006"));
  EXPECT_EQ(report.ToValue().Find("worst")->Find("field")->string(), "p");
}

TEST_F(GoldenCheck, OnAnotherKindOfCpuNumbersStayWithinTheTolerance) {
  const auto scorer = Thresholded();
  EXPECT_EQ(CheckGolden(*scorer, Elsewhere(*scorer, "0.75", R"({"p":0.7508,"late":true})"))->mismatch_count, 1);
  const auto generous = Thresholded("golden: {tolerance: 0.002}\n");
  EXPECT_EQ(CheckGolden(*generous, Elsewhere(*generous, "0.75", R"({"p":0.7508,"late":true})"))->mismatch_count, 0);
  const auto strict = Thresholded("golden: {tolerance: 0}\n");
  EXPECT_EQ(CheckGolden(*strict, Elsewhere(*strict, "0.75", R"({"p":0.75000006,"late":true})"))->mismatch_count, 1);
}

TEST_F(GoldenCheck, AThresholdMayBeCrossedByTheLastBitsAndByNothingElse) {
  const auto scorer = Thresholded();
  const auto crossed = *CheckGolden(*scorer, Elsewhere(*scorer, "0.5", R"({"p":0.49999997,"late":false})"));
  EXPECT_EQ(crossed.mismatch_count, 0);
  EXPECT_EQ(crossed.near, 1);
  EXPECT_EQ(CheckGolden(*scorer, Elsewhere(*scorer, "0.75", R"({"p":0.75,"late":false})"))->mismatch_count, 1);
  EXPECT_EQ(CheckGolden(*scorer, Elsewhere(*scorer, "0.5001", R"({"p":0.5001,"late":false})"))->mismatch_count, 1);
}

TEST_F(GoldenCheck, ARoundingMayFallTheOtherWay) {
  auto scorer = Make(std::string(kHead) + kInputs + kModel +
                     "outputs: {p: {from: \"probabilities[1]\", round: 1}, n: {from: \"probabilities[1]\", round: 0, "
                     "type: integer}}\n");
  ASSERT_TRUE(scorer) << scorer.error().Text();
  EXPECT_EQ(CheckGolden(**scorer, Elsewhere(**scorer, "0.5000001", R"({"p":0.5,"n":0})"))->mismatch_count, 0);
  EXPECT_EQ(CheckGolden(**scorer, Elsewhere(**scorer, "0.55", R"({"p":0.5,"n":1})"))->mismatch_count, 0);
  EXPECT_EQ(CheckGolden(**scorer, Elsewhere(**scorer, "0.6", R"({"p":0.5,"n":1})"))->mismatch_count, 1);
}

TEST_F(GoldenCheck, RejectionsAreTheSameOnEveryCpu) {
  const auto scorer = Thresholded();
  auto golden = Elsewhere(*scorer, "0.75", R"({"p":0.75,"late":true})");
  EXPECT_EQ(CheckGolden(*scorer, golden)->mismatch_count, 0);
  golden.records[2].violations = {"schema.null"};
  EXPECT_EQ(CheckGolden(*scorer, golden)->mismatch_count, 1);
  golden.records[2].violations.clear();
  golden.records[2].prediction = R"({"p":-1.0,"late":false})";
  EXPECT_EQ(CheckGolden(*scorer, golden)->mismatch_count, 1);
}

TEST_F(GoldenCheck, ABatchAnswersAsSingleRowsOnEveryCpu) {
  run_ = [](std::span<const engine::TensorView> inputs, std::span<engine::Tensor> outputs) -> base::Result<void> {
    const int64_t rows = inputs[0].shape[0];  // a model whose rows mind their company
    Fill(outputs[0], {rows, 2}, std::vector<float>(static_cast<size_t>(rows) * 2, rows > 1 ? 0.7500001F : 0.75F));
    return {};
  };
  const auto scorer = Thresholded();
  auto golden = *MakeGolden(*scorer, std::vector<std::string>{Record("1"), Record("2")});
  golden.cpu = "vax";
  EXPECT_EQ(CheckGolden(*scorer, golden)->mismatch_count, 2);
  EXPECT_EQ(CheckGolden(*scorer, golden, 1)->mismatch_count, 0);
}

}  // namespace
}  // namespace slipway::scoring
