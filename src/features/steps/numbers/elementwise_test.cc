#include "features/pipeline_fixture.h"

namespace slipway::features {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TestTable X(const TestTable::Cells<double>& cells) {
  TestTable table;
  table.Numbers("x", cells);
  return table;
}

TEST(Log1pTest, IsTheLogarithmOfOnePlusX) {
  EXPECT_EQ(FitTransform(X({0, -1, -2, kNull, kInf, 1e-300}), R"({"as": "f", "log1p": "x"})"),
            "0 | -inf | nan | nan | inf | 1e-300");
}

TEST(CyclicalTest, IsSineAndCosine) {
  EXPECT_EQ(FitTransform(X({0, 6, kNull, kInf}), R"({"as": "f", "cyclical": "x", "period": 24})"),
            "0 1 | 1 6.123233995736766e-17 | nan nan | nan nan");
  EXPECT_THAT(ColumnNames(X({0}), R"({"as": "f", "cyclical": "x", "period": 24})"), ElementsAre("f.sin", "f.cos"));
}

TEST(CyclicalTest, WholeTurnsChangeNothing) {
  EXPECT_EQ(FitTransform(X({3, 27, 2403}), R"({"as": "f", "cyclical": "x", "period": 24})"),
            "0.7071067811865475 0.7071067811865476 | 0.7071067811865475 0.7071067811865476 | 0.7071067811865475 "
            "0.7071067811865476");
}

TEST(CyclicalTest, APeriodIsNeeded) {
  EXPECT_THAT(FitTransform(X({1}), R"({"as": "f", "cyclical": "x"})"), HasSubstr("period: 24"));
}

TEST(MissingIndicatorTest, TellsNullAndNanOfNumbersAndNullOfTexts) {
  TestTable table;
  table.Numbers("x", {1, kNull, kNan, kInf}).Texts("s", {"", kNull, "a", "b"});
  EXPECT_EQ(FitTransform(table, R"({"as": "f", "missing_indicator": ["x", "s"]})"), "0 0 | 1 1 | 1 0 | 0 0");
}

}  // namespace
}  // namespace slipway::features
