#include "batch/row_filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/csv_rows.h"

namespace slipway::batch {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

data::Field FieldOf(std::string name, data::ScalarType type) {
  data::Field field;
  field.name = std::move(name);
  field.type.scalar = type;
  return field;
}

class RowFilterTest : public testing::Test {
 protected:
  void Read(std::string_view rows) {
    data::CsvRowDecoder decoder(layout_);
    ASSERT_TRUE(decoder.Feed("distance,carrier\n", rows_));
    ASSERT_TRUE(decoder.Feed(rows, rows_));
    ASSERT_TRUE(decoder.Finish(rows_));
  }
  int64_t Apply(const std::string& where, double sample = 1, int64_t file = 0) {
    auto filter = RowFilter::Create(where, sample, layout_);
    EXPECT_TRUE(filter) << filter.error().Text();
    return filter->Apply(file, 10, rows_, numbers_, workspace_);
  }

  data::Layout layout_{{FieldOf("distance", data::ScalarType::kNumber), FieldOf("carrier", data::ScalarType::kString)}};
  data::Decoded rows_{layout_};
  std::vector<int64_t> numbers_;
  expr::Workspace workspace_;
};

TEST_F(RowFilterTest, KeepsTheRowsForWhichTheConditionHoldsUnderTheirNumbers) {
  Read("100,AA\n600,UA\n700,AA\n");
  EXPECT_EQ(Apply("distance > 500 and carrier == \"AA\""), 2);
  EXPECT_THAT(numbers_, ElementsAre(12));
  EXPECT_EQ(rows_.table.rows, 1);
  EXPECT_EQ(rows_.table.columns[0].view().numbers()[0], 700);
  EXPECT_EQ(rows_.table.columns[1].string(0), "AA");
}

TEST_F(RowFilterTest, LeavesOutRowsWhoseValueIsNull) {
  Read(",AA\n600,UA\n");
  Apply("distance > 500");
  EXPECT_THAT(numbers_, ElementsAre(11));
}

TEST_F(RowFilterTest, KeepsRowsThatCannotBeToldForABrokenValue) {
  Read("far,AA\n100,UA\n100,UA,more\n600,UA\n");
  Apply("distance > 500");
  EXPECT_THAT(numbers_, ElementsAre(10, 12, 13));
  ASSERT_EQ(rows_.violations.size(), 2U);
  EXPECT_EQ(rows_.violations[0].row, 0);
  EXPECT_EQ(rows_.violations[1].row, 1);
}

TEST_F(RowFilterTest, ForgetsTheViolationsOfRowsThatItLeavesOut) {
  Read("far,AA\n600,UA\n");
  Apply("carrier == \"UA\"");
  EXPECT_THAT(numbers_, ElementsAre(11));
  EXPECT_THAT(rows_.violations, IsEmpty());
}

TEST_F(RowFilterTest, SamplesTheSameRowsWheneverTheyCome) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "1,AA\n";
  Read(text);
  Apply("", 0.1);
  const auto first = numbers_;
  EXPECT_NEAR(static_cast<double>(first.size()), 100, 40);
  rows_.Clear();
  Read(text);
  Apply("", 0.1);
  EXPECT_EQ(numbers_, first);
  rows_.Clear();
  Read(text);
  Apply("", 0.1, 1);
  EXPECT_NE(numbers_, first);
}

TEST_F(RowFilterTest, RefusesAnExpressionThatIsNoCondition) {
  const auto filter = RowFilter::Create("distance * 2", 1, layout_);
  ASSERT_FALSE(filter);
  EXPECT_THAT(filter.error().message, HasSubstr("write a comparison"));
}

TEST_F(RowFilterTest, NamesTheNearestColumnOfOneThatIsUnknown) {
  const auto filter = RowFilter::Create("distnace > 5", 1, layout_);
  ASSERT_FALSE(filter);
  EXPECT_THAT(filter.error().message, HasSubstr("distance"));
  EXPECT_EQ(filter.error().where, "--where");
}

}  // namespace
}  // namespace slipway::batch
