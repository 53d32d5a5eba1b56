#include "data/column.h"

#include <gtest/gtest.h>

namespace slipway::data {
namespace {

std::vector<std::string> Strings(const Column& column) {
  std::vector<std::string> texts;
  for (int64_t row = 0; row < column.rows(); ++row) {
    texts.push_back(column.IsValid(row) ? std::string(column.string(row)) : "null");
  }
  return texts;
}

// `count` numbers 0, 1, …, those at multiples of `every` null.
Column Numbers(int64_t count, int64_t every) {
  Column column{DataType{ScalarType::kNumber, {}}};
  for (int64_t i = 0; i < count; ++i)
    i % every == 0 ? column.AppendNull() : column.AppendNumber(static_cast<double>(i));
  return column;
}

int64_t ValidRows(const Column& column) {
  int64_t valid = 0;
  for (int64_t row = 0; row < column.rows(); ++row) valid += column.IsValid(row);
  return valid;
}

TEST(Column, HasNoValidityBitsWhileNothingIsNull) {
  Column column{DataType{ScalarType::kInteger, {}}};
  column.AppendInteger(7);
  EXPECT_FALSE(column.has_nulls());
  EXPECT_EQ(column.view().validity, nullptr);
  EXPECT_EQ(column.view().integers()[0], 7);
}

TEST(Column, RemembersNullsAcrossWords) {
  const Column column = Numbers(1000, 3);
  EXPECT_EQ(ValidRows(column), 666);
  EXPECT_EQ(column.view().numbers()[999], 0);
  EXPECT_EQ(column.view().numbers()[998], 998);
  EXPECT_TRUE(column.view().IsValid(998));
}

TEST(Column, TakesItsFirstNullAfterManyRows) {
  Column column{DataType{ScalarType::kBoolean, {}}};
  column.ResizeBooleans(128);
  column.AppendNull();
  column.AppendBoolean(true);
  EXPECT_EQ(ValidRows(column), 129);
  EXPECT_FALSE(column.IsValid(128));
}

TEST(Column, ForgetsTruncatedRows) {
  Column column = Numbers(200, 2);
  column.Truncate(65);
  column.AppendNumber(5);
  column.AppendNumber(6);
  EXPECT_EQ(column.rows(), 67);
  EXPECT_EQ(ValidRows(column), 34);
  EXPECT_EQ(column.view().numbers()[66], 6);
}

TEST(Column, KeepsStringsByOffsets) {
  Column column{DataType{ScalarType::kString, {}}};
  column.AppendString("one");
  column.AppendNull();
  column.AppendString("");
  column.AppendString("three");
  EXPECT_EQ(Strings(column), (std::vector<std::string>{"one", "null", "", "three"}));
  column.Truncate(3);
  column.AppendString("3");
  EXPECT_EQ(Strings(column), (std::vector<std::string>{"one", "null", "", "3"}));
}

TEST(Column, OverwritesStringsOfAnyLength) {
  Column column{DataType{ScalarType::kString, {}}};
  column.AppendString("one");
  column.AppendString("two");
  column.AppendString("three");
  column.SetString(1, "a longer one");
  column.SetNull(0);
  EXPECT_EQ(Strings(column), (std::vector<std::string>{"null", "a longer one", "three"}));
  column.SetString(0, "x");
  column.SetString(1, "");
  EXPECT_EQ(Strings(column), (std::vector<std::string>{"x", "", "three"}));
}

TEST(Column, OverwritesNumbersAndTheirNulls) {
  Column column = Numbers(3, 2);
  column.SetNumber(0, 9);
  column.SetNull(1);
  EXPECT_TRUE(column.IsValid(0));
  EXPECT_FALSE(column.IsValid(1));
  EXPECT_EQ(column.view().numbers()[1], 0);
}

TEST(Column, HoldsFixedTensorsWithZerosForNull) {
  Column column{DataType{ScalarType::kNumber, {2, 2}}};
  for (const double value : {1., 2., 3., 4.}) column.PushNumber(value);
  EXPECT_EQ(column.pending(), 4);
  column.CloseRow();
  column.PushNumber(5);
  column.DiscardPending();
  column.AppendNull();
  EXPECT_EQ(column.rows(), 2);
  EXPECT_EQ(column.view().width, 4);
  EXPECT_EQ(column.view().numbers()[3], 4);
  EXPECT_EQ(column.view().numbers()[7], 0);
}

TEST(Column, HoldsVariableTensorsByRowOffsets) {
  Column column{DataType{ScalarType::kString, {-1}}};
  const int64_t two = 2;
  column.PushString("a");
  column.PushString("b");
  column.CloseRow(&two);
  column.AppendNull();
  column.PushString("c");
  column.PushString("d");
  column.CloseRow(&two);
  EXPECT_EQ(column.view().row_offsets[3], 4);
  column.SetNull(0);
  EXPECT_EQ(column.view().row_offsets[1], 0);
  EXPECT_EQ(column.view().row_offsets[3], 2);
  EXPECT_EQ(column.view().row_shapes[0], 0);
  EXPECT_EQ(column.view().string(1), "d");
}

TEST(Column, ResizesForBulkFilling) {
  Column column = Numbers(10, 3);
  double* values = column.ResizeNumbers(130);
  values[129] = 4.5;
  EXPECT_EQ(ValidRows(column), 126);
  column.ResizeNumbers(5);
  EXPECT_EQ(ValidRows(column), 3);
}

TEST(Table, AppendsRowsOfAnother) {
  std::vector<Field> fields(3);
  fields[0].type.scalar = ScalarType::kString;
  fields[1].type = {ScalarType::kInteger, {-1}};
  fields[2].type = {ScalarType::kNumber, {2}};
  Table from = Table::Make(fields);
  const int64_t one = 1;
  from.columns[0].AppendString("x");
  from.columns[1].PushInteger(7);
  from.columns[1].CloseRow(&one);
  from.columns[2].AppendNull();
  from.rows = 1;
  Table to = Table::Make(fields);
  to.AppendRow(from, 0);
  to.AppendRow(from, 0);
  EXPECT_EQ(to.rows, 2);
  EXPECT_EQ(to.columns[0].string(1), "x");
  EXPECT_EQ(to.columns[1].view().integers()[1], 7);
  EXPECT_EQ(to.columns[1].view().row_shapes[1], 1);
  EXPECT_FALSE(to.columns[2].IsValid(1));
}

TEST(DataType, HasATextAndAParser) {
  EXPECT_EQ((DataType{ScalarType::kInteger, {-1, 16}}).ToString(), "integer[?,16]");
  EXPECT_EQ(DataType{}.ToString(), "number");
  EXPECT_EQ(ParseScalarType("timestamp"), ScalarType::kTimestamp);
  EXPECT_EQ(
      ParseScalarType("nubmer").error().message,
      "there is no type \"nubmer\" (did you mean \"number\"?); the types are boolean, integer, number, string and "
      "timestamp");
}

}  // namespace
}  // namespace slipway::data
