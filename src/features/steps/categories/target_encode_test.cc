#include "features/pipeline_fixture.h"

namespace slipway::features {
namespace {

using ::testing::HasSubstr;

TestTable Rows(const TestTable::Cells<std::string>& categories, const TestTable::Cells<double>& target) {
  TestTable table;
  table.Texts("c", categories).Numbers("y", target);
  return table;
}

// Means: a 1/2, b 1, all 3/4.
const TestTable kTrain = Rows({"a", "a", "b", "b"}, {1, 0, 1, 1});

TEST(TargetEncodeTest, ShrinksTowardsTheMean) {
  // (1 + 2 * 0.75) / (2 + 2), (2 + 2 * 0.75) / (2 + 2)
  EXPECT_EQ(FitTransform(kTrain, R"({"as": "f", "target_encode": "c", "smoothing": 2})", "y"),
            "0.625 | 0.625 | 0.875 | 0.875");
}

TEST(TargetEncodeTest, WithoutSmoothingItIsTheMean) {
  EXPECT_EQ(FitTransform(kTrain, R"({"as": "f", "target_encode": "c", "smoothing": 0})", "y"), "0.5 | 0.5 | 1 | 1");
}

TEST(TargetEncodeTest, UnseenAndMissingAreTheMean) {
  EXPECT_EQ(FitTransform(kTrain, Rows({"z", kNull, ""}, {0, 0, 0}), R"({"as": "f", "target_encode": "c"})", "y"),
            "0.75 | 0.75 | 0.75");
}

TEST(TargetEncodeTest, MissingSeenInTrainingIsACategory) {
  const TestTable train = Rows({"a", kNull, kNull, "a"}, {1, 0, 0, 1});
  EXPECT_EQ(FitTransform(train, R"({"as": "f", "target_encode": "c", "smoothing": 0})", "y"), "1 | 0 | 0 | 1");
}

TEST(TargetEncodeTest, TrainingRowsAreAnsweredOutOfFold) {
  // Two folds by row number: rows 0 and 2 learn from rows 1 (a: 0) and 3 (b: 1), and the other way round.
  const std::string step = R"({"as": "f", "target_encode": "c", "smoothing": 0, "folds": 2})";
  const base::Value fitted = Fit(kTrain, step, "y").value();
  EXPECT_EQ(Transform(kTrain, step, fitted, true), "0 | 1 | 1 | 1");
}

TEST(TargetEncodeTest, ACategoryOnlyInItsOwnFoldIsTheMeanOfTheOthers) {
  const TestTable train = Rows({"only", "a", "b", "b"}, {1, 0, 1, 1});
  const std::string step = R"({"as": "f", "target_encode": "c", "smoothing": 0, "folds": 2})";
  EXPECT_THAT(Transform(train, step, Fit(train, step, "y").value(), true), ::testing::StartsWith("0.5 |"));
}

TEST(TargetEncodeTest, RowsWithoutTargetDoNotCount) {
  const TestTable train = Rows({"a", "a", "b"}, {1, kNull, 0});
  EXPECT_EQ(FitTransform(train, R"({"as": "f", "target_encode": "c", "smoothing": 0})", "y"), "1 | 1 | 0");
}

TEST(TargetEncodeTest, AConstantTargetIsItsValue) {
  EXPECT_EQ(FitTransform(Rows({"a", "b"}, {5, 5}), R"({"as": "f", "target_encode": "c"})", "y"), "5 | 5");
}

TEST(TargetEncodeTest, SmoothingIsANumberOrAuto) {
  EXPECT_THAT(FitTransform(kTrain, R"({"as": "f", "target_encode": "c", "smoothing": "much"})", "y"),
              HasSubstr("auto or a number"));
}

}  // namespace
}  // namespace slipway::features
