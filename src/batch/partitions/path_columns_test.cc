#include "batch/partitions/path_columns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/csv_rows.h"

namespace slipway::batch {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

data::Field FieldOf(std::string name, data::ScalarType type) {
  data::Field field;
  field.name = std::move(name);
  field.type.scalar = type;
  return field;
}

class PathColumnsTest : public testing::Test {
 protected:
  void Read(std::string_view csv) {
    data::CsvRowDecoder decoder(layout_);
    ASSERT_TRUE(decoder.Feed(csv, rows_));
    ASSERT_TRUE(decoder.Finish(rows_));
  }
  void Fill(const std::string& path) {
    const auto columns = PathColumns::Create(PartitionsOf(path), layout_, path);
    ASSERT_TRUE(columns) << columns.error().Text();
    columns->Fill(rows_);
  }
  base::Error Fault(const std::string& path) {
    const auto columns = PathColumns::Create(PartitionsOf(path), layout_, path);
    return columns ? base::Error{} : columns.error();
  }
  std::string Text(size_t column, int64_t row) { return CellText(rows_.table.columns[column], row).value_or("null"); }

  data::Layout layout_{{FieldOf("month", data::ScalarType::kInteger), FieldOf("city", data::ScalarType::kString),
                        FieldOf("x", data::ScalarType::kNumber)}};
  data::Decoded rows_{layout_};
};

TEST_F(PathColumnsTest, GivesRowsWhatTheirPathSaysAsCellsOfTheSchema) {
  Read("x\n1\n2\n");
  Fill("month=03/city=S%C3%A3o%20Paulo/a.csv");
  EXPECT_EQ(rows_.table.columns[0].view().integers()[1], 3);
  EXPECT_EQ(Text(1, 0), "São Paulo");
  EXPECT_FALSE(rows_.IsAbsent(0, 1));
  EXPECT_THAT(rows_.violations, IsEmpty());
}

TEST_F(PathColumnsTest, LeavesAMissingValueNullButThere) {
  Read("x\n1\n");
  Fill("month=__HIVE_DEFAULT_PARTITION__/city=/a.csv");
  EXPECT_EQ(Text(0, 0), "null");
  EXPECT_FALSE(rows_.IsAbsent(0, 0));
  EXPECT_EQ(Text(1, 0), "");
}

TEST_F(PathColumnsTest, FillsRowsThatHaveNoValueOfTheirOwn) {
  Read("month,x\n,1\n3,2\n");
  Fill("month=3/a.csv");
  EXPECT_EQ(Text(0, 0), "3");
  EXPECT_THAT(rows_.violations, IsEmpty());
}

TEST_F(PathColumnsTest, ReportsRowsThatSayOtherwise) {
  Read("month,city,x\n3,Oslo,1\n4,Rome,2\n3,Oslo,nope\n");
  Fill("month=3/city=Oslo/a.csv");
  ASSERT_THAT(rows_.violations, SizeIs(3));
  EXPECT_EQ(rows_.violations[0].row, 1);
  EXPECT_EQ(rows_.violations[0].code, data::ViolationCode::kDuplicateField);
  EXPECT_EQ(rows_.violations[0].path, "month");
  EXPECT_THAT(rows_.violations[0].message, HasSubstr(R"(month is "4" in the file and "3" in the file's path)"));
  EXPECT_EQ(rows_.violations[1].path, "city");
  EXPECT_EQ(rows_.violations[2].row, 2);
  EXPECT_EQ(Text(0, 1), "4");
}

TEST_F(PathColumnsTest, ReportsAValueWhereThePathSaysThatItIsMissing) {
  Read("month,x\n3,1\n");
  Fill("month=__HIVE_DEFAULT_PARTITION__/a.csv");
  ASSERT_THAT(rows_.violations, SizeIs(1));
  EXPECT_THAT(rows_.violations[0].message, HasSubstr("__HIVE_DEFAULT_PARTITION__"));
}

TEST_F(PathColumnsTest, TakesNumbersThatAreWrittenDifferentlyForTheSame) {
  Read("city,x\n1,1\n");
  Fill("city=01/a.csv");
  EXPECT_THAT(rows_.violations, IsEmpty());
}

TEST_F(PathColumnsTest, TellsNoPersonalValue) {
  auto fields = layout_.fields();
  fields[1].personal = true;
  layout_ = data::Layout(fields);
  Read("city,x\nOslo,1\n");
  Fill("city=Rome/a.csv");
  ASSERT_THAT(rows_.violations, SizeIs(1));
  EXPECT_TRUE(rows_.violations[0].value.is_null());
  EXPECT_THAT(rows_.violations[0].message, ::testing::Not(HasSubstr("Rome")));
}

TEST_F(PathColumnsTest, LeavesOutWhatNobodyAskedFor) {
  const auto columns = PathColumns::Create(PartitionsOf("run=7/month=1/a.csv"), layout_, "");
  ASSERT_TRUE(columns);
  EXPECT_EQ(columns->Find("run"), nullptr);
  EXPECT_NE(columns->Find("month"), nullptr);
}

TEST_F(PathColumnsTest, RefusesValuesThatAreNoneOfTheirColumn) {
  EXPECT_EQ(Fault("month=may/a.csv").reason, "batch.partition_value");
  EXPECT_THAT(Fault("month=may/a.csv").message, HasSubstr("month"));
  EXPECT_EQ(Fault("city=%FF/a.csv").reason, "batch.partition_value");
  EXPECT_EQ(Fault("month=1/month=2/a.csv").reason, "batch.partitions");
}

}  // namespace
}  // namespace slipway::batch
