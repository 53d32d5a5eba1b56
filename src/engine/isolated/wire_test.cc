#include "engine/isolated/wire.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <limits>
#include <span>

namespace slipway::engine::isolated {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr int64_t kFloats = 0, kTexts = 13;

template <typename T>
Tensor TensorOf(ElementType type, std::vector<int64_t> shape, const std::vector<T>& values) {
  Tensor tensor{.type = type, .shape = std::move(shape), .data = {}, .strings = {}, .labels = {}};
  tensor.data.resize(values.size() * sizeof(T));
  if (!values.empty()) std::memcpy(tensor.data.data(), values.data(), tensor.data.size());
  return tensor;
}

Tensor TextsOf(std::vector<int64_t> shape, std::vector<std::string> texts) {
  return {
      .type = ElementType::kString, .shape = std::move(shape), .data = {}, .strings = std::move(texts), .labels = {}};
}

/// Bit by bit: NaN is NaN, and 0 is not -0.
bool IsSame(const void* got, const std::vector<float>& wanted) {
  const std::span bytes(static_cast<const std::byte*>(got), wanted.size() * sizeof(float));
  return std::ranges::equal(bytes, std::as_bytes(std::span(wanted)));
}

TensorSpec SpecOf(const Tensor& tensor) {
  TensorSpec spec;
  spec.type = tensor.type;
  return spec;
}

/// A lane's memory, with what a child has written there.
class AnswerInMemory : public testing::Test {
 protected:
  void Answer(const base::Result<void>& ran, const std::vector<Tensor>& outputs) {
    Packing packing;
    AnswerScratch scratch;
    PackAnswer(ran, outputs, scratch, packing);
    ASSERT_LE(packing.bytes(), memory_.size());
    packing.Write(memory_, signal_);
    outputs_.resize(outputs.size());
    for (const Tensor& output : outputs) specs_.push_back(SpecOf(output));
  }
  /// A table of numbers, where one output is wanted.
  void Tell(const std::vector<int64_t>& numbers, ElementType type = ElementType::kFloat32) {
    signal_.at = 1024;
    signal_.table_bytes = static_cast<uint32_t>(numbers.size() * sizeof(int64_t));
    std::memcpy(memory_.data() + signal_.at, numbers.data(), signal_.table_bytes);
    specs_ = {TensorSpec{}};
    specs_[0].type = type;
    outputs_.resize(1);
  }
  base::Result<isolated::Answer> Read() { return ReadAnswer(memory_, signal_, specs_, outputs_); }
  std::string Fault() {
    const auto read = Read();
    if (read) return "none";
    EXPECT_EQ(read.error().reason, "engine.protocol");
    return read.error().message;
  }

  std::vector<std::byte> memory_ = std::vector<std::byte>(4096);
  Signal signal_;
  std::vector<TensorSpec> specs_;
  std::vector<Tensor> outputs_;
};

TEST_F(AnswerInMemory, HasTheBitsOfItsOutputs) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  Answer({}, {TensorOf<float>(ElementType::kFloat32, {2, 2}, {1.5F, nan, -0.0F, 3e38F}),
              TensorOf<int64_t>(ElementType::kInt64, {2}, {INT64_MIN, 7}),
              TensorOf<uint8_t>(ElementType::kBoolean, {2, 1}, {1, 0}),
              TensorOf<double>(ElementType::kFloat64, {}, {2}), TensorOf<float>(ElementType::kFloat32, {0, 3}, {})});

  const auto read = Read();

  ASSERT_TRUE(read) << read.error().Text();
  EXPECT_TRUE(read->ran);
  EXPECT_THAT(outputs_[0].shape, ElementsAre(2, 2));
  EXPECT_TRUE(IsSame(outputs_[0].data.data(), {1.5F, nan, -0.0F, 3e38F}));
  EXPECT_EQ(outputs_[1].as<int64_t>()[0], INT64_MIN);
  EXPECT_EQ(outputs_[2].data.size(), 2U);
  EXPECT_EQ(outputs_[3].as<double>()[0], 2);
  EXPECT_TRUE(outputs_[4].data.empty());
}

TEST_F(AnswerInMemory, HasTextsOfAnyBytes) {
  const std::string odd("a\0\xff", 3);
  Answer({}, {TextsOf({3}, {"", odd, "late"}), TextsOf({0}, {})});

  ASSERT_TRUE(Read());
  EXPECT_THAT(outputs_[0].strings, ElementsAre("", odd, "late"));
  EXPECT_TRUE(outputs_[1].strings.empty());
}

TEST_F(AnswerInMemory, HasLabelsOfMapsOnly) {
  Tensor maps = TensorOf<float>(ElementType::kFloat32, {1, 2}, {0.25F, 0.75F});
  maps.labels = {"early", "late"};
  Answer({}, {maps});
  EXPECT_THAT(Fault(), HasSubstr("labels that nobody asked for"));

  specs_[0].kind = TensorSpec::Kind::kMaps;
  ASSERT_TRUE(Read());
  EXPECT_THAT(outputs_[0].labels, ElementsAre("early", "late"));
}

TEST_F(AnswerInMemory, QuotesTheErrorOfARun) {
  Answer(base::Fail(base::Code::kResourceExhausted, "engine.memory", "too\nlittle", "x"), {});

  const auto read = Read();

  ASSERT_TRUE(read);
  ASSERT_FALSE(read->ran);
  EXPECT_EQ(read->ran.error().code, base::Code::kResourceExhausted);
  EXPECT_EQ(read->ran.error().reason, "engine.memory");
  EXPECT_EQ(read->ran.error().message, "too?little");
  EXPECT_EQ(read->ran.error().where, "x");
}

TEST_F(AnswerInMemory, WithAReasonOfOtherRoomsIsRefused) {
  Answer(base::Fail(base::Code::kResourceExhausted, "overload.queue", ""), {});
  EXPECT_THAT(Fault(), HasSubstr("no known form"));
}

TEST_F(AnswerInMemory, OutsideTheMemoryIsRefused) {
  signal_.at = 4097;
  EXPECT_THAT(Fault(), HasSubstr("outside the memory"));
  signal_ = {.table_bytes = 4097, .at = 0};
  EXPECT_THAT(Fault(), HasSubstr("outside the memory"));
  signal_ = {.table_bytes = 8, .at = UINT64_MAX - 3};
  EXPECT_THAT(Fault(), HasSubstr("outside the memory"));
}

TEST_F(AnswerInMemory, ThatBreaksOffIsRefused) {
  Tell({1, 1, kFloats, 1, 2, 0, 8, 0});
  EXPECT_EQ(Fault(), "none");
  for (uint32_t bytes = 0; bytes < 8 * 8; ++bytes) {
    signal_.table_bytes = bytes;
    EXPECT_NE(Fault(), "none") << bytes;
  }
}

TEST_F(AnswerInMemory, WithAnotherNumberOfOutputsIsRefused) {
  Tell({1, 2});
  EXPECT_THAT(Fault(), HasSubstr("another number of outputs"));
}

TEST_F(AnswerInMemory, WithATensorThatCannotBeIsRefused) {
  const auto fault = [&](std::vector<int64_t> tensor) {
    tensor.insert(tensor.begin(), {1, 1});
    tensor.push_back(0);
    Tell(tensor);
    return Fault();
  };
  EXPECT_THAT(fault({14, 0, 0, 0}), HasSubstr("no known type or rank"));
  EXPECT_THAT(fault({-1, 0, 0, 0}), HasSubstr("no known type or rank"));
  EXPECT_THAT(fault({kFloats, 65, 0, 0}), HasSubstr("no known type or rank"));
  EXPECT_THAT(fault({kFloats, 1, -2, 0, 8}), HasSubstr("impossible shape"));
  EXPECT_THAT(fault({kFloats, 3, 1 << 30, 1 << 30, 1 << 30, 0, 8}), HasSubstr("impossible shape"));
  EXPECT_THAT(fault({kFloats, 2, INT64_MAX, 2, 0, 8}), HasSubstr("impossible shape"));
  EXPECT_THAT(fault({kFloats, 1, 2, 4090, 8}), HasSubstr("outside the memory"));
  EXPECT_THAT(fault({kFloats, 1, 2, 0, INT64_MAX}), HasSubstr("outside the memory"));
  EXPECT_THAT(fault({kFloats, 1, 2, -8, 8}), HasSubstr("impossible"));
  EXPECT_THAT(fault({kFloats, 1, 2, 0, 16}), HasSubstr("another size than its shape"));
  EXPECT_THAT(fault({1, 1, 2, 0, 16}), HasSubstr("another type"));
}

TEST_F(AnswerInMemory, WithTextsOutsideTheirTensorIsRefused) {
  const auto fault = [&](const std::vector<uint64_t>& ends) {
    std::memcpy(memory_.data(), ends.data(), ends.size() * sizeof(uint64_t));
    Tell({1, 1, kTexts, 1, 2, 0, 26, 0}, ElementType::kString);
    return Fault();
  };
  EXPECT_EQ(fault({4, 10}), "none");
  EXPECT_THAT(fault({4, 11}), HasSubstr("outside their tensor"));
  EXPECT_THAT(fault({5, 4}), HasSubstr("outside their tensor"));
  EXPECT_THAT(fault({UINT64_MAX, 10}), HasSubstr("outside their tensor"));
}

TEST(Request, ComesAsItWasAsked) {
  const std::vector<float> numbers = {1, 2, 3, 4};
  const std::vector<std::string_view> texts = {"AA", "", "JFK"};
  const std::vector<TensorView> inputs = {{ElementType::kFloat32, {2, 2}, numbers.data(), nullptr},
                                          {ElementType::kString, {3}, nullptr, texts.data()}};
  const base::SteadyTime deadline(std::chrono::nanoseconds(12345));
  std::vector<std::byte> memory(4096);
  Packing packing;
  PackRequest(deadline, inputs, packing);
  Signal signal;
  packing.Write(memory, signal);

  Request request;
  ASSERT_TRUE(ReadRequest(memory, signal, request));

  EXPECT_EQ(request.deadline, deadline);
  ASSERT_EQ(request.inputs.size(), 2U);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(request.inputs[0].data) % 16, 0U);
  EXPECT_TRUE(IsSame(request.inputs[0].data, numbers));
  EXPECT_EQ(request.inputs[1].strings[2], "JFK");
  EXPECT_LE(packing.bytes(), memory.size());
}

TEST(Request, OfMoreInputsThanItsTableTellsTakesNoMemory) {
  std::vector<std::byte> memory(64);
  const int64_t inputs = 1 << 26;
  std::memcpy(memory.data() + sizeof(int64_t), &inputs, sizeof(inputs));
  Request request;
  EXPECT_FALSE(ReadRequest(memory, {.table_bytes = 64, .at = 0}, request));
  EXPECT_TRUE(request.inputs.empty());
}

}  // namespace
}  // namespace slipway::engine::isolated
