#include "serving/tensors/tensor_encoder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

namespace slipway::serving::tensors {
namespace {

using data::Column;
using data::ScalarType;

Column Numbers(std::initializer_list<double> values, std::vector<int64_t> shape = {}) {
  Column column({.scalar = ScalarType::kNumber, .shape = shape});
  const auto width = column.view().width;
  int64_t pushed = 0;
  for (const double value : values) {
    column.PushNumber(value);
    if (++pushed % width == 0) column.CloseRow();
  }
  return column;
}

Port PortOf(Datatype datatype, std::vector<int64_t> shape) {
  Port port;
  port.name = "y";
  port.datatype = datatype;
  port.shape = std::move(shape);
  return port;
}

std::string Json(Datatype datatype, const Column& column, NonFinite non_finite = NonFinite::kNull) {
  std::string out;
  AppendJson(datatype, column, non_finite, out);
  return out;
}

template <typename T>
std::vector<T> Raw(Datatype datatype, const Column& column) {
  std::string out;
  AppendRaw(datatype, column, out);
  std::vector<T> values(out.size() / sizeof(T));
  std::memcpy(values.data(), out.data(), out.size());
  return values;
}

TEST(TensorEncoder, NumbersHaveTheShortestTextOfTheirDatatype) {
  EXPECT_EQ(Json(Datatype::kFp32, Numbers({static_cast<double>(0.1f), 2})), "[0.1,2.0]");
  EXPECT_EQ(Json(Datatype::kFp64, Numbers({0.1, static_cast<double>(0.1f)})), "[0.1,0.10000000149011612]");
}

TEST(TensorEncoder, NonFiniteNumbersAreWrittenAsAsked) {
  const Column column = Numbers({NAN, INFINITY, -INFINITY});
  EXPECT_EQ(Json(Datatype::kFp64, column, NonFinite::kNull), "[null,null,null]");
  EXPECT_EQ(Json(Datatype::kFp32, column, NonFinite::kString), R"(["NaN","Infinity","-Infinity"])");
  EXPECT_EQ(Json(Datatype::kFp64, column, NonFinite::kToken), "[NaN,Infinity,-Infinity]");
}

TEST(TensorEncoder, RawNumbersHaveTheirDatatype) {
  const Column column = Numbers({1.5, -2});
  EXPECT_EQ(Raw<double>(Datatype::kFp64, column), (std::vector<double>{1.5, -2}));
  EXPECT_EQ(Raw<float>(Datatype::kFp32, column), (std::vector<float>{1.5, -2}));
  EXPECT_EQ(Raw<uint16_t>(Datatype::kFp16, column), (std::vector<uint16_t>{0x3e00, 0xc000}));
  EXPECT_EQ(Raw<uint16_t>(Datatype::kBf16, column), (std::vector<uint16_t>{0x3fc0, 0xc000}));
}

TEST(TensorEncoder, RawIntegersAndBooleansHaveTheirDatatype) {
  Column integers({.scalar = ScalarType::kInteger, .shape = {}});
  integers.AppendInteger(-3);
  EXPECT_EQ(Raw<int8_t>(Datatype::kInt8, integers), std::vector<int8_t>{-3});
  EXPECT_EQ(Raw<int64_t>(Datatype::kInt64, integers), std::vector<int64_t>{-3});
  Column booleans({.scalar = ScalarType::kBoolean, .shape = {}});
  booleans.AppendBoolean(true);
  EXPECT_EQ(Raw<uint8_t>(Datatype::kBool, booleans), std::vector<uint8_t>{1});
  EXPECT_EQ(Json(Datatype::kBool, booleans), "[true]");
}

TEST(TensorEncoder, TextsCarryTheirLength) {
  Column texts({.scalar = ScalarType::kString, .shape = {}});
  texts.AppendString("é");
  texts.AppendNull();
  std::string out;
  AppendRaw(Datatype::kBytes, texts, out);
  EXPECT_EQ(out, std::string("\x02\0\0\0\xc3\xa9\0\0\0\0", 10));
  EXPECT_EQ(Json(Datatype::kBytes, texts), R"(["é",null])");
}

TEST(TensorEncoder, TimestampsAreTexts) {
  Column times({.scalar = ScalarType::kTimestamp, .shape = {}});
  times.AppendInteger(1'000'000);
  EXPECT_EQ(Json(Datatype::kBytes, times), R"(["1970-01-01T00:00:01Z"])");
  std::string out;
  AppendRaw(Datatype::kBytes, times, out);
  EXPECT_EQ(out, std::string("\x14\0\0\0", 4) + "1970-01-01T00:00:01Z");
}

TEST(TensorEncoder, NullsAreNanInRawFloats) {
  Column column = Numbers({1, 2});
  column.SetNull(0);
  EXPECT_TRUE(std::isnan(Raw<float>(Datatype::kFp32, column)[0]));
  EXPECT_EQ(Raw<float>(Datatype::kFp32, column)[1], 2);
  EXPECT_EQ(Json(Datatype::kFp32, column), "[null,2.0]");
}

TEST(TensorEncoder, ShapesBeginWithTheRows) {
  EXPECT_EQ(ShapeOf(PortOf(Datatype::kFp32, {-1, 1}), Numbers({1, 2}))->ToString(), "[2,1]");
  EXPECT_EQ(ShapeOf(PortOf(Datatype::kFp32, {-1}), Numbers({1, 2}))->ToString(), "[2]");
  EXPECT_EQ(ShapeOf(PortOf(Datatype::kFp32, {-1, 2}), Numbers({1, 2}, {2}))->ToString(), "[1,2]");
}

TEST(TensorEncoder, RowsOfDifferentShapesAreNoTensor) {
  Column column({.scalar = ScalarType::kInteger, .shape = {-1}});
  const int64_t one = 1, two = 2;
  column.PushInteger(1);
  column.CloseRow(&one);
  EXPECT_EQ(ShapeOf(PortOf(Datatype::kInt64, {-1, -1}), column)->ToString(), "[1,1]");
  column.PushInteger(2);
  column.PushInteger(3);
  column.CloseRow(&two);
  const auto shape = ShapeOf(PortOf(Datatype::kInt64, {-1, -1}), column);
  ASSERT_FALSE(shape);
  EXPECT_EQ(shape.error().reason, "tensor.ragged");
}

TEST(TensorEncoder, ClassesAreTheLargestFirst) {
  Port port = PortOf(Datatype::kFp32, {-1, 4});
  Column classes;
  ASSERT_TRUE(Classify(port, Numbers({0.25, NAN, 0.5, 0.25, 1, 2, 3, 4}, {4}), 3, classes));
  EXPECT_EQ(Json(Datatype::kBytes, classes), R"(["0.5:2","0.25:0","0.25:3","4:3","3:2","2:1"])");
  port.labels = {"a", "b", "c", "d"};
  ASSERT_TRUE(Classify(port, Numbers({0.25, 0, 0.5, 0}, {4}), 9, classes));
  EXPECT_EQ(Json(Datatype::kBytes, classes), R"(["0.5:2:c","0.25:0:a","0:1:b","0:3:d"])");
}

TEST(TensorEncoder, TextsCannotBeClassified) {
  Column texts({.scalar = ScalarType::kString, .shape = {}});
  Column classes;
  const auto classified = Classify(PortOf(Datatype::kBytes, {-1, 1}), texts, 1, classes);
  ASSERT_FALSE(classified);
  EXPECT_EQ(classified.error().reason, "tensor.classification");
}

}  // namespace
}  // namespace slipway::serving::tensors
