#include "features/pipeline_fixture.h"

namespace slipway::features {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TestTable C(const TestTable::Cells<std::string>& cells) {
  TestTable table;
  table.Texts("c", cells);
  return table;
}

const TestTable kTrain = C({"b", "a", "b", "c", "b", "a"});

TEST(OneHotTest, HasAColumnPerCategoryInOrder) {
  const std::string step = R"({"as": "f", "one_hot": "c"})";
  EXPECT_EQ(FitTransform(kTrain, C({"a", "b", "c"}), step), "1 0 0 | 0 1 0 | 0 0 1");
  EXPECT_THAT(ColumnNames(kTrain, step), ElementsAre("f=a", "f=b", "f=c"));
}

TEST(OneHotTest, UnseenNullAndEmptyAreAllZero) {
  EXPECT_EQ(FitTransform(kTrain, C({"z", kNull, ""}), R"({"as": "f", "one_hot": "c"})"), "0 0 0 | 0 0 0 | 0 0 0");
}

TEST(OneHotTest, NullSeenInTrainingIsACategory) {
  const TestTable train = C({"a", kNull, ""});
  EXPECT_EQ(FitTransform(train, C({"", "a", kNull}), R"({"as": "f", "one_hot": "c"})"), "1 0 0 | 0 1 0 | 0 0 1");
  EXPECT_THAT(ColumnNames(train, R"({"as": "f", "one_hot": "c"})"), ElementsAre("f=", "f=a", "f=(null)"));
}

TEST(OneHotTest, InfrequentCategoriesShareAColumn) {
  const std::string step = R"({"as": "f", "one_hot": "c", "min_frequency": 2})";
  EXPECT_EQ(FitTransform(kTrain, C({"a", "b", "c", "z"}), step), "1 0 0 | 0 1 0 | 0 0 1 | 0 0 0");
  EXPECT_THAT(ColumnNames(kTrain, step), ElementsAre("f=a", "f=b", "f=(other)"));
}

TEST(OneHotTest, UnseenMayJoinTheInfrequent) {
  EXPECT_EQ(FitTransform(kTrain, C({"z", kNull}),
                         R"({"as": "f", "one_hot": "c", "min_frequency": 2, "unknown": "infrequent"})"),
            "0 0 1 | 0 0 1");
  EXPECT_EQ(FitTransform(kTrain, C({"z"}), R"({"as": "f", "one_hot": "c", "unknown": "infrequent"})"), "0 0 0");
}

TEST(OneHotTest, UnseenMayHaveAColumnOfItsOwn) {
  EXPECT_EQ(FitTransform(kTrain, C({"z", "a"}), R"({"as": "f", "one_hot": "c", "unknown": "other"})"),
            "0 0 0 1 | 1 0 0 0");
}

TEST(OneHotTest, MaxCategoriesKeepsTheMostFrequent) {
  EXPECT_THAT(ColumnNames(kTrain, R"({"as": "f", "one_hot": "c", "max_categories": 2})"),
              ElementsAre("f=b", "f=(other)"));
}

TEST(OneHotTest, DropLeavesTheFirstOut) {
  EXPECT_EQ(FitTransform(kTrain, C({"a", "b", "z"}), R"({"as": "f", "one_hot": "c", "drop": "first"})"),
            "0 0 | 1 0 | 0 0");
  EXPECT_THAT(ColumnNames(C({"x", "y"}), R"({"as": "f", "one_hot": "c", "drop": "if_binary"})"), ElementsAre("f=y"));
}

TEST(OneHotTest, NumbersAndBooleansAreCategoriesToo) {
  TestTable table;
  table.Integers("i", {10, 9}).Booleans("b", {true, false}).Numbers("n", {-0.0, 0.0});
  EXPECT_EQ(FitTransform(table, R"({"as": "f", "one_hot": ["i", "b", "n"]})"), "0 1 0 1 1 | 1 0 1 0 1");
  EXPECT_THAT(ColumnNames(table, R"({"as": "f", "one_hot": ["i", "b", "n"]})"),
              ElementsAre("f.i=9", "f.i=10", "f.b=false", "f.b=true", "f.n=0"));
}

TEST(OneHotTest, RefusingARecordIsTheSchemasPart) {
  EXPECT_THAT(FitTransform(kTrain, R"({"as": "f", "one_hot": "c", "unknown": "error"})"), HasSubstr("`values:`"));
}

// Fit was content, and transform failed.
TEST(OneHotTest, DroppingTheOnlyCategoryIsRefusedByFit) {
  const auto fitted = Fit(C({"a", "a"}), R"({"as": "f", "one_hot": "c", "drop": "first"})");
  ASSERT_FALSE(fitted);
  EXPECT_THAT(fitted.error().message, AllOf(HasSubstr("\"c\" has one category"), HasSubstr("if_binary")));
}

TEST(OneHotTest, InfinitiesAreCategories) {
  TestTable table;
  table.Numbers("x", {kInf, -kInf, kNan});
  EXPECT_THAT(ColumnNames(table, R"({"as": "f", "one_hot": "x"})"), ElementsAre("f=-inf", "f=inf", "f=(null)"));
}

}  // namespace
}  // namespace slipway::features
