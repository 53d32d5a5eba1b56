#include "features/fit.h"

#include "features/pipeline_fixture.h"

namespace slipway::features {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TestTable Numbers() {
  TestTable table;
  table.Numbers("x", {1, 2, 3, 4, kNull, kNan, 10}).Texts("c", {"b", "a", "b", "c", "a", kNull, "b"});
  table.Numbers("y", {1, 0, 1, 0, 1, 0, kNull});
  return table;
}

constexpr std::string_view kSteps = R"([
  {"as": "s", "standardize": "x"}, {"as": "m", "min_max": "s"}, {"as": "i", "impute": "x", "strategy": "median"},
  {"as": "h", "one_hot": "c"}, {"as": "t", "target_encode": "c", "folds": 2}, {"as": "ts", "standardize": "t"}])";

TEST(FitterTest, PassesFollowTheDepthOfLearnedFeatures) {
  const auto fitter = Fitter::Create(Numbers().fields(), Steps(kSteps));
  EXPECT_EQ(fitter->passes(), 2);
  EXPECT_TRUE(fitter->needs_target());
}

TEST(FitterTest, NothingToLearnNeedsNoPass) {
  const auto fitter = Fitter::Create(Numbers().fields(), Steps(R"({"as": "l", "log1p": "x"})"));
  EXPECT_EQ(fitter->passes(), 0);
}

TEST(FitterTest, BatchesDoNotChangeWhatIsLearned) {
  EXPECT_EQ(base::ToJson(Fit(Numbers(), kSteps, "y", 2).value()), base::ToJson(Fit(Numbers(), kSteps, "y").value()));
}

TEST(FitterTest, WhatIsLearnedSurvivesJson) {
  const base::Value learned = Fit(Numbers(), kSteps, "y").value();
  EXPECT_EQ(base::ParseJson(base::ToJson(learned)).value(), learned);
}

TEST(FitterTest, LearnedStandsInTheOrderOfTheManifest) {
  const base::Value learned = Fit(Numbers(), kSteps, "y").value();
  EXPECT_EQ(learned.map()[1].first, "m");
  EXPECT_EQ(learned.Find("m")->Find("step")->string(), "min_max");
}

TEST(FitterTest, LaterPassesReadOutOfFoldValues) {
  // Fold of a row: its number modulo 2. Means of the other fold: "a" 0 and 1, "b" 0.5 … so `ts` centres those.
  const base::Value learned = Fit(Numbers(), kSteps, "y").value();
  const std::string training =
      Transform(Numbers(), R"([{"as": "t", "target_encode": "c", "folds": 2}])", learned, true);
  const std::string serving =
      Transform(Numbers(), R"([{"as": "t", "target_encode": "c", "folds": 2}])", learned, false);
  EXPECT_NE(training, serving);
}

TEST(FitterTest, AColumnOfNothingIsAnError) {
  TestTable table;
  table.Numbers("x", {kNull, kNan, kInf});
  EXPECT_THAT(FitTransform(table, R"({"as": "s", "standardize": "x"})"),
              AllOf(StartsWith("features.nothing_learned"), HasSubstr("\"x\""), HasSubstr("feature \"s\"")));
}

TEST(FitterTest, NoRowsAreAnError) {
  TestTable table;
  table.Numbers("x", {});
  EXPECT_THAT(FitTransform(table, R"({"as": "s", "max_abs": "x"})"), StartsWith("features."));
}

TEST(FitterTest, ATargetIsAskedFor) {
  EXPECT_THAT(FitTransform(Numbers(), R"({"as": "t", "target_encode": "c"})"), StartsWith("features.no_target"));
}

TEST(FitterTest, ATextTargetIsRefused) {
  EXPECT_THAT(FitTransform(Numbers(), R"({"as": "t", "target_encode": "c"})", "c"), StartsWith("features.bad_target"));
}

TEST(FitterTest, AnIdentifierIsNoCategory) {
  const auto fitted = Fit(Numbers(), R"({"as": "h", "one_hot": "c"})", {}, 100, {.max_vocabulary = 2});
  EXPECT_EQ(fitted.error().reason, "features.vocabulary_limit");
}

TEST(FitterTest, ValuesTooLargeToSquareAreAnError) {
  TestTable table;
  table.Numbers("x", {1e300, -1e300});
  EXPECT_THAT(FitTransform(table, R"({"as": "s", "standardize": "x"})"), StartsWith("features.not_finite"));
}

}  // namespace
}  // namespace slipway::features
