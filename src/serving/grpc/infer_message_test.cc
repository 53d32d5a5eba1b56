#include "serving/grpc/infer_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "rpc/wire_writer.h"
#include "serving/tensors/contract_fixture.h"

namespace slipway::serving::grpc {
namespace {

using rpc::WireWriter;
using tensors::Datatype;
using testing::HasSubstr;

/// A message in the making.
class Infer {
 public:
  Infer& Input(std::string_view name, std::string_view datatype, std::initializer_list<int64_t> shape,
               const std::function<void(WireWriter&)>& contents = {}) {
    const auto part = writer_.Begin(5);
    writer_.Text(1, name);
    writer_.Text(2, datatype);
    for (const int64_t dimension : shape) writer_.Integer(3, dimension);
    if (contents) {
      const auto inner = writer_.Begin(5);
      contents(writer_);
      writer_.End(inner);
    }
    writer_.End(part);
    return *this;
  }
  Infer& Raw(std::string_view bytes) {
    writer_.Text(7, bytes);
    return *this;
  }
  Infer& Text(uint32_t field, std::string_view text) {
    writer_.Text(field, text);
    return *this;
  }
  Infer& Parameter(std::string_view name, uint32_t kind, uint64_t value) {
    const auto entry = writer_.Begin(4);
    writer_.Text(1, name);
    const auto part = writer_.Begin(2);
    writer_.Varint(kind, value);
    writer_.End(part);
    writer_.End(entry);
    return *this;
  }
  const std::string& bytes() const { return out_; }

 private:
  std::string out_;
  WireWriter writer_{out_};
};

template <typename T>
std::string Bytes(std::initializer_list<T> values) {
  return {reinterpret_cast<const char*>(values.begin()), values.size() * sizeof(T)};
}

class InferMessageTest : public testing::Test {
 protected:
  base::Result<void> Read(const Infer& message) { return Read(message.bytes()); }
  base::Result<void> Read(std::string_view bytes) {
    rows_.Clear();
    decoder_.Begin(rows_);
    return reader_.Read(bytes, contract_, decoder_, request_);
  }
  std::string ErrorOf(const Infer& message) {
    const auto read = Read(message);
    EXPECT_FALSE(read);
    return read ? "" : read.error().Text();
  }
  data::ColumnView Column(int index) const { return rows_.table.columns[static_cast<size_t>(index)].view(); }

  const data::Layout layout_ = tensors::EveryKind();
  const tensors::Contract contract_ = tensors::ContractOf(layout_);
  tensors::TensorDecoder decoder_{contract_, layout_};
  data::Decoded rows_{layout_};
  InferMessageReader reader_;
  oip::InferRequest request_;
};

TEST_F(InferMessageTest, RawContentsBecomeColumns) {
  ASSERT_TRUE(Read(Infer()
                       .Text(3, "id-1")
                       .Input("n", "FP32", {2, 1})
                       .Input("s", "BYTES", {2})
                       .Raw(Bytes<float>({0.5F, -2}))
                       .Raw(std::string("\1\0\0\0x\2\0\0\0yz", 11))));
  EXPECT_EQ(request_.id, "id-1");
  EXPECT_EQ(Column(2).numbers()[1], -2.0);
  EXPECT_EQ(Column(4).string(1), "yz");
}

TEST_F(InferMessageTest, TypedContentsBecomeColumns) {
  ASSERT_TRUE(Read(Infer()
                       .Input("b", "BOOL", {2}, [](WireWriter& w) { w.Text(1, std::string("\1\0", 2)); })
                       .Input("i", "INT16", {2},
                              [](WireWriter& w) {
                                w.Integer(2, -7);
                                w.Integer(2, 300);
                              })
                       .Input("n", "FP64", {2}, [](WireWriter& w) { w.Text(7, Bytes<double>({0.1, 2})); })
                       .Input("s", "BYTES", {2}, [](WireWriter& w) {
                         w.Text(8, "a");
                         w.Text(8, "");
                       })));
  EXPECT_EQ(Column(0).booleans()[0], 1);
  EXPECT_EQ(Column(1).integers()[0], -7);
  EXPECT_EQ(Column(1).integers()[1], 300);
  EXPECT_EQ(Column(2).numbers()[0], 0.1);
  EXPECT_EQ(Column(4).string(1), "");
}

TEST_F(InferMessageTest, FloatsMayComeInSeveralPieces) {
  ASSERT_TRUE(Read(Infer().Input("n", "FP32", {3}, [](WireWriter& w) {
    w.Text(6, Bytes<float>({1}));
    w.Text(6, Bytes<float>({2}));
    w.Single(6, 3);
  })));
  EXPECT_EQ(Column(2).numbers()[0], 1.0);
  EXPECT_EQ(Column(2).numbers()[2], 3.0);
}

TEST_F(InferMessageTest, ElementsThatTheDatatypeCannotHoldAreRefused) {
  EXPECT_THAT(ErrorOf(Infer().Input("i", "INT8", {1}, [](WireWriter& w) { w.Integer(2, 200); })), HasSubstr("no INT8"));
  EXPECT_THAT(ErrorOf(Infer().Input("i", "UINT8", {1}, [](WireWriter& w) { w.Varint(4, 256); })),
              HasSubstr("no UINT8"));
}

TEST_F(InferMessageTest, ContentsOfAnotherTypeAreRefused) {
  EXPECT_THAT(ErrorOf(Infer().Input("n", "FP32", {1}, [](WireWriter& w) { w.Text(7, Bytes<double>({1})); })),
              HasSubstr("stand in fp32_contents alone"));
  EXPECT_THAT(ErrorOf(Infer().Input("n", "FP16", {1}, [](WireWriter& w) { w.Single(6, 1); })),
              HasSubstr("send it in raw_input_contents"));
}

TEST_F(InferMessageTest, RawContentsAreOneForEachInput) {
  EXPECT_THAT(ErrorOf(Infer().Input("n", "FP32", {1}).Raw("").Raw("")), HasSubstr("has 2 tensors, and the request 1"));
  EXPECT_THAT(ErrorOf(Infer().Input("n", "FP32", {1}, [](WireWriter& w) { w.Single(6, 1); }).Raw(Bytes<float>({1}))),
              HasSubstr("has both contents and raw_input_contents"));
  EXPECT_THAT(ErrorOf(Infer().Input("n", "FP32", {2}).Raw(Bytes<float>({1}))), HasSubstr("has 8 bytes, but 4 came"));
}

TEST_F(InferMessageTest, ShapesAreBounded) {
  EXPECT_THAT(ErrorOf(Infer().Input("n", "FP32", {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1})),
              HasSubstr("at most 16 dimensions"));
  EXPECT_THAT(ErrorOf(Infer().Input("n", "FP32", {-1})), HasSubstr("negative"));
  EXPECT_THAT(ErrorOf(Infer().Input("n", "FP32", {INT64_MAX, 4})), HasSubstr("more elements"));
  EXPECT_THAT(ErrorOf(Infer().Input("n", "FP32", {1001})), HasSubstr("at most 1000"));
}

TEST_F(InferMessageTest, NamesAreChecked) {
  EXPECT_THAT(ErrorOf(Infer().Input("q", "FP32", {1})), HasSubstr("no input of this model"));
  EXPECT_THAT(ErrorOf(Infer().Input("n", "FLOAT", {1})), HasSubstr("\"FLOAT\" is no datatype"));
  EXPECT_THAT(ErrorOf(Infer().Input("n", "FP32", {1}).Text(6, std::string("\x0a\1q", 3))), HasSubstr("is no output"));
  EXPECT_THAT(ErrorOf(Infer()), HasSubstr("has no inputs"));
}

TEST_F(InferMessageTest, SharedMemoryIsRefused) {
  std::string entry;
  WireWriter(entry).Text(1, "shared_memory_region");
  std::string input;
  WireWriter writer(input);
  writer.Text(1, "n");
  writer.Text(4, entry);
  const auto read = Read(Infer().Text(5, input));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, base::Code::kUnimplemented);
}

TEST_F(InferMessageTest, ATimeoutComesAsEitherKindOfInteger) {
  for (const uint32_t kind : {2U, 5U}) {
    ASSERT_TRUE(Read(Infer().Parameter("timeout", kind, 1500).Input("n", "FP32", {1}).Raw(Bytes<float>({1}))));
    EXPECT_EQ(request_.timeout, std::chrono::microseconds(1500));
  }
  EXPECT_THAT(ErrorOf(Infer().Parameter("timeout", 1, 1)), HasSubstr("whole number"));
  EXPECT_THAT(ErrorOf(Infer().Parameter("timeout", 5, UINT64_MAX)), HasSubstr("within 63 bits"));
}

TEST_F(InferMessageTest, NothingIsLeftOfTheRequestBefore) {
  ASSERT_TRUE(Read(Infer()
                       .Text(3, "id")
                       .Parameter("timeout", 2, 5)
                       .Parameter("triton_enable_empty_final_response", 1, 1)
                       .Text(6, std::string("\x0a\1n", 3))
                       .Input("n", "FP32", {1})
                       .Raw(Bytes<float>({1}))));
  EXPECT_TRUE(reader_.wants_final());
  ASSERT_TRUE(Read(Infer().Input("n", "FP32", {1}).Raw(Bytes<float>({1}))));
  EXPECT_EQ(request_.id, "");
  EXPECT_EQ(request_.timeout.count(), 0);
  EXPECT_TRUE(request_.outputs.empty());
  EXPECT_FALSE(reader_.wants_final());
}

TEST_F(InferMessageTest, WhatIsNoMessageOrNoTextIsTold) {
  const auto broken = Read("\x2a\x7f");
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().reason, "grpc.message");
  EXPECT_THAT(ErrorOf(Infer().Text(3, "\xff")), HasSubstr("UTF-8"));
}

}  // namespace
}  // namespace slipway::serving::grpc
