#include "features/pipeline_fixture.h"

namespace slipway::features {
namespace {

TestTable C(const TestTable::Cells<std::string>& cells) {
  TestTable table;
  table.Texts("c", cells);
  return table;
}

TEST(OrdinalTest, NumbersCategoriesInOrder) {
  EXPECT_EQ(FitTransform(C({"b", "a", kNull}), C({"a", "b", "z", kNull, ""}), R"({"as": "f", "ordinal": "c"})"),
            "0 | 1 | -1 | nan | -1");
}

TEST(OrdinalTest, UnseenAndMissingCanBeChosen) {
  EXPECT_EQ(
      FitTransform(C({"b", "a"}), C({"z", kNull}), R"({"as": "f", "ordinal": "c", "unknown": 99, "missing": -7})"),
      "99 | -7");
}

TEST(FrequencyTest, IsTheShareOfTheRows) {
  EXPECT_EQ(FitTransform(C({"b", "a", "b", kNull}), C({"a", "b", kNull, "z", ""}), R"({"as": "f", "frequency": "c"})"),
            "0.25 | 0.5 | 0.25 | 0 | 0");
}

TEST(FrequencyTest, MayBeTheCount) {
  EXPECT_EQ(FitTransform(C({"b", "a", "b", kNull}), C({"b"}), R"({"as": "f", "frequency": "c", "normalize": false})"),
            "2");
}

TEST(OrdinalTest, UnseenMayBeMissing) {
  std::vector<StepSpec> steps = Steps(R"({"as": "f", "ordinal": "c"})");
  steps[0].written.Set("unknown", kNan);
  EXPECT_TRUE(Pipeline::Compile(C({}).fields(), steps, {}).error().reason == "features.not_fitted");
}

}  // namespace
}  // namespace slipway::features
