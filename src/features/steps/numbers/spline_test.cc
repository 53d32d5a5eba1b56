#include "features/pipeline_fixture.h"

namespace slipway::features {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TestTable X(const TestTable::Cells<double>& cells) {
  TestTable table;
  table.Numbers("x", cells);
  return table;
}

constexpr std::string_view kTent = R"({"as": "f", "spline": "x", "degree": 1, "n_knots": 3})";

TEST(SplineTest, OfDegreeOneIsARowOfTents) {
  EXPECT_EQ(FitTransform(X({0, 4}), X({0, 1, 2, 3.5}), kTent), "1 0 0 | 0.5 0.5 0 | 0 1 0 | 0 0.25 0.75");
  EXPECT_THAT(ColumnNames(X({0, 4}), kTent), ElementsAre("f.0", "f.1", "f.2"));
}

TEST(SplineTest, OfDegreeThreeSumsToOne) {
  EXPECT_EQ(FitTransform(X({0, 4}), X({0}), R"({"as": "f", "spline": "x", "n_knots": 2})"),
            "0.16666666666666666 0.6666666666666666 0.16666666666666666 0");
}

TEST(SplineTest, WithoutBiasLeavesTheLastSplineOut) {
  EXPECT_EQ(FitTransform(X({0, 4}), X({1, 4}),
                         R"({"as": "f", "spline": "x", "degree": 1, "n_knots": 3, "include_bias": false})"),
            "0.5 0.5 | 0 0");
}

TEST(SplineTest, SeveralInputsGoSideBySide) {
  TestTable table;
  table.Numbers("a", {0, 1}).Numbers("b", {1, 3});
  const std::string step = R"({"as": "f", "spline": ["a", "b"], "degree": 1, "n_knots": 2})";
  EXPECT_EQ(FitTransform(table, step), "1 0 1 0 | 0 1 0 1");
  EXPECT_THAT(ColumnNames(table, step), ElementsAre("f.a.0", "f.a.1", "f.b.0", "f.b.1"));
}

TEST(SplineTest, QuantileKnotsStandWhereTheRowsAre) {
  EXPECT_EQ(FitTransform(X({0, 1, 1, 2, 10}), X({0.5, 1, 10}),
                         R"({"as": "f", "spline": "x", "degree": 1, "n_knots": 3, "knots": "quantile"})"),
            "0.5 0.5 0 | 0 1 0 | 0 0 1");
}

TEST(SplineTest, MissingIsMissingInEveryColumn) {
  EXPECT_EQ(FitTransform(X({0, 4, kNull, kInf}), X({kNull, kNan}), kTent), "nan nan nan | nan nan nan");
}

// ---- beyond the knots

std::string Beyond(std::string_view extrapolation, const TestTable::Cells<double>& cells) {
  return FitTransform(X({}), X(cells),
                      fmt::format(R"({{"as": "f", "spline": "x", "degree": 1, "knots": [0, 2, 4], )"
                                  R"("extrapolation": "{}"}})",
                                  extrapolation));
}

TEST(SplineTest, ConstantKeepsTheValuesOfTheEnds) {
  EXPECT_EQ(Beyond("constant", {-1, 9, -kInf, kInf, 1e308}), "1 0 0 | 0 0 1 | 1 0 0 | 0 0 1 | 0 0 1");
}

TEST(SplineTest, LinearKeepsTheSlopesOfTheEnds) {
  EXPECT_EQ(Beyond("linear", {-1, 5, -kInf, kInf}), "1.5 -0.5 0 | 0 -0.5 1.5 | nan nan nan | nan nan nan");
}

TEST(SplineTest, ContinueKeepsThePolynomialOfTheEnds) {
  EXPECT_EQ(Beyond("continue", {-1, 5, kInf}), "1.5 -0.5 0 | 0 -0.5 1.5 | nan nan nan");
}

TEST(SplineTest, PeriodicGoesRound) {
  EXPECT_EQ(Beyond("periodic", {0, 1, 4, -1, 5, kInf}), "1 0 | 0.5 0.5 | 1 0 | 0.5 0.5 | 0.5 0.5 | nan nan");
}

TEST(SplineTest, PeriodicFarAwayIsMissingRatherThanZero) {
  EXPECT_EQ(FitTransform(X({}), X({1e308}),
                         R"({"as": "f", "spline": "x", "degree": 1, "knots": [-1e308, -9e307], )"
                         R"("extrapolation": "periodic"})"),
            "nan");
}

// ---- data that gives no knots

TEST(SplineTest, AConstantColumnIsAllZero) {
  EXPECT_EQ(FitTransform(X({3, 3}), X({3, 4, -1}), kTent), "0 0 0 | 0 0 0 | 0 0 0");
}

TEST(SplineTest, NothingToLearnIsAnError) {
  EXPECT_THAT(FitTransform(X({kNull, kInf}), kTent), StartsWith("features.nothing_learned"));
}

TEST(SplineTest, KnotsThatOverflowAreAnError) {
  EXPECT_THAT(FitTransform(X({-1e308, 1e308}), kTent), StartsWith("features.not_finite"));
}

// ---- parameters

std::string Error(std::string_view parameters) {
  return FitTransform(X({0, 4}), fmt::format(R"({{"as": "f", "spline": "x", {}}})", parameters));
}

TEST(SplineTest, KnotsOutOfOrderAreRefused) {
  EXPECT_THAT(Error(R"("knots": [0, 2, 2])"), AllOf(StartsWith("features.bad_parameter"), HasSubstr("ascending")));
  EXPECT_THAT(Error(R"("knots": [1])"), HasSubstr("2 to 4096"));
}

TEST(SplineTest, KnotsThatOverflowAreRefused) {
  EXPECT_THAT(Error(R"("knots": [-1e308, 1e308])"), HasSubstr("too large"));
}

TEST(SplineTest, TheirNumberBesideTheKnotsIsRefused) {
  EXPECT_THAT(Error(R"("knots": [0, 1], "n_knots": 2)"), HasSubstr("nothing to say"));
}

TEST(SplineTest, PeriodicNeedsMoreKnotsThanTheDegree) {
  EXPECT_THAT(Error(R"("n_knots": 3, "extrapolation": "periodic")"), HasSubstr("too few"));
  EXPECT_THAT(Error(R"("knots": [0, 1], "extrapolation": "periodic")"), HasSubstr("too few"));
}

TEST(SplineTest, NoColumnAtAllIsRefused) {
  EXPECT_THAT(Error(R"("n_knots": 2, "degree": 1, "extrapolation": "periodic", "include_bias": false)"),
              HasSubstr("no column is left"));
}

TEST(SplineTest, TooManyColumnsAreRefusedBeforeTheyAreMade) {
  TestTable table;
  table.Vectors("v", 20, std::vector<double>(40, 1.0));
  EXPECT_THAT(FitTransform(table, R"({"as": "f", "spline": "v", "n_knots": 4096})"), StartsWith("features.limit"));
}

TEST(SplineTest, EditedKnotsAreRefused) {
  base::Value fitted = Fit(X({0, 4}), kTent).value();
  base::Value entry = *fitted.Find("f");
  entry.Set("knots", base::Value::List().Add(base::Value::List().Add(0.0).Add(1.0)));
  fitted.Set("f", entry);
  EXPECT_THAT(Transform(X({1}), kTent, fitted), AllOf(StartsWith("features.bad_fit"), HasSubstr("3 finite numbers")));
}

// The width of a knot was so small that one over it is infinite.
TEST(SplineTest, TrainingValuesNextToNothingGiveNoInfinities) {
  EXPECT_EQ(FitTransform(X({5e-324, 1e-323, 0}), X({5e-324, 1}), kTent), "0 0 0 | 0 0 0");
}

}  // namespace
}  // namespace slipway::features
