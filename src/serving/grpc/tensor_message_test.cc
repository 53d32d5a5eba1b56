#include "serving/grpc/tensor_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "rpc/wire_writer.h"
#include "serving/tensors/contract_fixture.h"

namespace slipway::serving::grpc {
namespace {

using rpc::WireWriter;
using testing::HasSubstr;

constexpr uint64_t kFloat = 1, kDouble = 2, kInt32 = 3, kUint8 = 4, kString = 7, kInt64 = 9, kBool = 10, kHalf = 19;

std::string Tensor(uint64_t dtype, std::initializer_list<int64_t> shape,
                   const std::function<void(WireWriter&)>& values) {
  std::string out;
  WireWriter writer(out);
  writer.Varint(1, dtype);
  tensors::Shape dimensions;
  for (const int64_t dimension : shape) dimensions.Add(dimension);
  AppendShape(2, dimensions, out);
  values(writer);
  return out;
}

template <typename T>
std::string Bytes(std::initializer_list<T> values) {
  return {reinterpret_cast<const char*>(values.begin()), values.size() * sizeof(T)};
}

class TensorMessageTest : public testing::Test {
 protected:
  base::Result<void> Read(std::string_view name, std::string_view message) {
    rows_.Clear();
    decoder_.Begin(rows_);
    SLIPWAY_TRY(reader_.Read(name, message, decoder_));
    return decoder_.End();
  }
  std::string ErrorOf(std::string_view name, std::string_view message) {
    const auto read = Read(name, message);
    EXPECT_FALSE(read);
    return read ? "" : read.error().Text();
  }
  data::ColumnView Column(int index) const { return rows_.table.columns[static_cast<size_t>(index)].view(); }

  const data::Layout layout_ = tensors::EveryKind();
  const tensors::Contract contract_ = tensors::ContractOf(layout_);
  tensors::TensorDecoder decoder_{contract_, layout_};
  data::Decoded rows_{layout_};
  TensorMessageReader reader_;
};

TEST_F(TensorMessageTest, ElementsStandInTheContentOrInTheFieldOfTheirType) {
  ASSERT_TRUE(Read("n", Tensor(kDouble, {2}, [](WireWriter& w) { w.Text(4, Bytes<double>({0.1, 3})); })));
  EXPECT_EQ(Column(2).numbers()[0], 0.1);
  ASSERT_TRUE(Read("n", Tensor(kFloat, {2}, [](WireWriter& w) { w.Text(5, Bytes<float>({0.5F, 3})); })));
  EXPECT_EQ(Column(2).numbers()[1], 3.0);
  ASSERT_TRUE(Read("i", Tensor(kInt64, {2}, [](WireWriter& w) {
                     w.Integer(10, -5);
                     w.Integer(10, INT64_MAX);
                   })));
  EXPECT_EQ(Column(1).integers()[0], -5);
  EXPECT_EQ(Column(1).integers()[1], INT64_MAX);
  ASSERT_TRUE(Read("b", Tensor(kBool, {2}, [](WireWriter& w) { w.Text(11, std::string("\1\0", 2)); })));
  EXPECT_EQ(Column(0).booleans()[0], 1);
  ASSERT_TRUE(Read("s", Tensor(kString, {2}, [](WireWriter& w) {
                     w.Text(8, "a");
                     w.Text(8, "bc");
                   })));
  EXPECT_EQ(Column(4).string(1), "bc");
  ASSERT_TRUE(Read("n", Tensor(kHalf, {1}, [](WireWriter& w) { w.Varint(13, 0x3c00); })));
  EXPECT_EQ(Column(2).numbers()[0], 1.0);
}

TEST_F(TensorMessageTest, TextsInTheContentHaveTheirLengthsFirst) {
  ASSERT_TRUE(Read("s", Tensor(kString, {2}, [](WireWriter& w) { w.Text(4, std::string("\1\2abc")); })));
  EXPECT_EQ(Column(4).string(0), "a");
  EXPECT_EQ(Column(4).string(1), "bc");
  EXPECT_THAT(ErrorOf("s", Tensor(kString, {2}, [](WireWriter& w) { w.Text(4, std::string("\1\3abc")); })),
              HasSubstr("no message of type"));
}

TEST_F(TensorMessageTest, ElementsThatAreLeftOutAreAsTheLastOne) {
  ASSERT_TRUE(Read("n", Tensor(kFloat, {4}, [](WireWriter& w) { w.Text(5, Bytes<float>({1, 2})); })));
  EXPECT_EQ(Column(2).numbers()[0], 1.0);
  EXPECT_EQ(Column(2).numbers()[3], 2.0);
  ASSERT_TRUE(Read("s", Tensor(kString, {3}, [](WireWriter& w) { w.Text(8, "ab"); })));
  EXPECT_EQ(Column(4).string(2), "ab");
}

TEST_F(TensorMessageTest, ATensorWithoutElementsIsNoTensorOfZeros) {
  EXPECT_THAT(ErrorOf("n", Tensor(kFloat, {4}, [](WireWriter&) {})), HasSubstr("has 16 bytes, but 0 came"));
}

TEST_F(TensorMessageTest, OneElementCannotBecomeAnyAmountOfMemory) {
  EXPECT_THAT(ErrorOf("v", Tensor(kString, {1, int64_t{1} << 40}, [](WireWriter& w) { w.Text(8, "x"); })),
              HasSubstr("send its elements"));
}

TEST_F(TensorMessageTest, ElementsFitTheirType) {
  EXPECT_THAT(ErrorOf("i", Tensor(kUint8, {1}, [](WireWriter& w) { w.Integer(7, 256); })), HasSubstr("no UINT8"));
  EXPECT_THAT(ErrorOf("i", Tensor(kUint8, {1}, [](WireWriter& w) { w.Integer(7, -1); })), HasSubstr("no UINT8"));
  ASSERT_TRUE(Read("i", Tensor(kInt32, {1}, [](WireWriter& w) { w.Integer(7, INT32_MIN); })));
  EXPECT_EQ(Column(1).integers()[0], INT32_MIN);
}

TEST_F(TensorMessageTest, TypesThatNoColumnTakesAreRefused) {
  EXPECT_THAT(ErrorOf("n", Tensor(8, {1}, [](WireWriter&) {})), HasSubstr("dtype 8, which no input takes"));
  EXPECT_THAT(ErrorOf("n", ""), HasSubstr("dtype 0"));
}

TEST_F(TensorMessageTest, ShapesMustBeKnown) {
  std::string unknown;
  WireWriter writer(unknown);
  writer.Varint(1, kFloat);
  writer.Text(2, std::string("\x18\1", 2));
  EXPECT_THAT(ErrorOf("n", unknown), HasSubstr("no known shape"));
  EXPECT_THAT(ErrorOf("n", Tensor(kFloat, {-1}, [](WireWriter&) {})), HasSubstr("negative"));
}

TEST_F(TensorMessageTest, WhatIsWrittenReadsBackTheSame) {
  data::Column numbers({.scalar = data::ScalarType::kNumber}), texts({.scalar = data::ScalarType::kString}),
      integers({.scalar = data::ScalarType::kInteger});
  for (const double value : {0.25, -3.0}) numbers.AppendNumber(value);
  for (const char* value : {"", "ab"}) texts.AppendString(value);
  for (const int64_t value : {INT64_MIN, int64_t{7}}) integers.AppendInteger(value);
  tensors::Shape shape;
  shape.Add(2);
  std::string out;
  AppendTensor(tensors::Datatype::kFp32, shape, numbers, out);
  ASSERT_TRUE(Read("n", out));
  EXPECT_EQ(Column(2).numbers()[1], -3.0);
  out.clear();
  AppendTensor(tensors::Datatype::kBytes, shape, texts, out);
  ASSERT_TRUE(Read("s", out));
  EXPECT_EQ(Column(4).string(1), "ab");
  out.clear();
  AppendTensor(tensors::Datatype::kInt64, shape, integers, out);
  ASSERT_TRUE(Read("i", out));
  EXPECT_EQ(Column(1).integers()[0], INT64_MIN);
}

}  // namespace
}  // namespace slipway::serving::grpc
