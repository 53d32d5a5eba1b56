#include "features/pipeline_fixture.h"

namespace slipway::features {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TestTable X(const TestTable::Cells<double>& cells) {
  TestTable table;
  table.Numbers("x", cells);
  return table;
}

TEST(ClipTest, CutsAtTheBoundsAndKeepsWhatIsMissing) {
  EXPECT_EQ(FitTransform(X({-5, 0.5, 9, kNull, kNan, kInf, -kInf}), R"({"as": "f", "clip": "x", "min": 0, "max": 1})"),
            "0 | 0.5 | 1 | nan | nan | 1 | 0");
}

TEST(ClipTest, OneBoundIsEnough) {
  EXPECT_EQ(FitTransform(X({-5, 5}), R"({"as": "f", "clip": "x", "min": 0})"), "0 | 5");
}

TEST(ClipTest, NoBoundIsRefused) {
  EXPECT_THAT(FitTransform(X({1}), R"({"as": "f", "clip": "x"})"), HasSubstr("no bound is given"));
}

TEST(ClipTest, BoundsTheWrongWayRoundAreRefused) {
  EXPECT_THAT(FitTransform(X({1}), R"({"as": "f", "clip": "x", "min": 2, "max": 1})"), HasSubstr("larger than `max`"));
}

constexpr std::string_view kQuartiles = R"({"as": "f", "clip": "x", "quantiles": [0.25, 0.75]})";

TEST(ClipTest, LearnsItsBoundsAsQuantiles) {
  EXPECT_EQ(FitTransform(X({0, 1, 2, 3, 4, kNull, kInf, kNan}), X({-9, 2.5, 9, kInf, -kInf, kNull, kNan}), kQuartiles),
            "1 | 2.5 | 3 | 3 | 1 | nan | nan");
}

TEST(ClipTest, OneTrainingRowMakesEverythingThatValue) {
  EXPECT_EQ(FitTransform(X({5}), X({1, 9, kNull}), kQuartiles), "5 | 5 | nan");
}

TEST(ClipTest, NothingToLearnIsAnError) {
  EXPECT_THAT(FitTransform(X({kNull, kNan, kInf}), kQuartiles), StartsWith("features.nothing_learned"));
}

// The way from -1e308 to 1e308 is infinite; so were the quantiles between.
TEST(ClipTest, QuantilesBetweenHugeNumbersAreFinite) {
  EXPECT_EQ(FitTransform(X({-1e308, 1e308}), X({-1e308, 0, 1e308}), kQuartiles), "-5e+307 | 0 | 5e+307");
}

TEST(ClipTest, PercentagesAreRefusedWithTheWayOut) {
  EXPECT_THAT(FitTransform(X({1}), R"({"as": "f", "clip": "x", "quantiles": [1, 99]})"),
              AllOf(StartsWith("features.bad_parameter"), HasSubstr("quantiles: [0.01, 0.99]")));
}

TEST(ClipTest, QuantilesBesideABoundAreRefused) {
  EXPECT_THAT(FitTransform(X({1}), R"({"as": "f", "clip": "x", "quantiles": [0.1, 0.9], "min": 0})"),
              HasSubstr("nothing to say"));
}

TEST(ClipTest, EditedBoundsTheWrongWayRoundAreRefused) {
  base::Value fitted = Fit(X({1, 2}), kQuartiles).value();
  base::Value entry = *fitted.Find("f");
  entry.Set("low", base::Value::List().Add(3.0));
  fitted.Set("f", entry);
  EXPECT_THAT(Transform(X({1}), kQuartiles, fitted), StartsWith("features.bad_fit"));
}

}  // namespace
}  // namespace slipway::features
