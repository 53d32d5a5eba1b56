#include "features/pipeline_fixture.h"

namespace slipway::features {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TestTable X(const TestTable::Cells<double>& cells) {
  TestTable table;
  table.Numbers("x", cells);
  return table;
}

double Lambda(const TestTable& table, std::string_view step) {
  return Fit(table, step).value().Find("f")->Find("lambda")->list()[0].number();
}

// Expected lambdas: sklearn.preprocessing.PowerTransformer 1.7 on the same values.
TEST(PowerTest, FindsTheLikeliestLambda) {
  EXPECT_NEAR(Lambda(X({1, 2, 4, 8, 16, 32}), R"({"as": "f", "power": "x", "method": "box_cox"})"), 0, 1e-7);
  EXPECT_NEAR(Lambda(X({1, 2, 3, 4, 5, kNull}), R"({"as": "f", "power": "x"})"), 0.6998074, 1e-7);
}

TEST(PowerTest, WithoutStandardizingItIsTheFormula) {
  TestTable train = X({1, 1, 1});
  EXPECT_EQ(FitTransform(train, X({0, -3, 3}), R"({"as": "f", "power": "x", "standardize": false})"), "0 | -3 | 3");
}

TEST(PowerTest, AConstantColumnIsCentred) {
  EXPECT_EQ(FitTransform(X({4, 4}), X({4, 5}), R"({"as": "f", "power": "x"})"), "0 | 1");
}

TEST(PowerTest, MissingStaysMissing) {
  EXPECT_EQ(FitTransform(X({4, 4}), X({kNull, kNan, kInf}), R"({"as": "f", "power": "x"})"), "nan | nan | inf");
}

TEST(PowerTest, BoxCoxLearnsFromPositiveValuesOnly) {
  EXPECT_THAT(FitTransform(X({0, 1}), R"({"as": "f", "power": "x", "method": "box_cox"})"),
              AllOf(StartsWith("features.not_positive"), HasSubstr("yeo_johnson")));
}

TEST(PowerTest, BoxCoxOfANegativeIsNan) {
  EXPECT_EQ(FitTransform(X({2, 2}), X({-1}), R"({"as": "f", "power": "x", "method": "box_cox"})"), "nan");
}

}  // namespace
}  // namespace slipway::features
