#include "serving/grpc/descriptors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/value.h"
#include "rpc/wire_reader.h"
#include "serving/grpc/triton_messages.h"
#include "serving/grpc/value_message.h"

namespace slipway::serving::grpc {
namespace {

using base::Value;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(DescriptorIndexTest, FindsFilesByNameAndBySymbolWithWhatTheyImport) {
  const DescriptorIndex index(ServedDescriptors());
  EXPECT_EQ(index.FilesOf("inference.proto").size(), 1U);
  for (const char* symbol :
       {"inference.GRPCInferenceService", "inference.GRPCInferenceService.ModelInfer", "inference.ModelInferRequest",
        "inference.ModelInferRequest.InferInputTensor", "inference.DataType", "grpc.health.v1.Health"}) {
    EXPECT_FALSE(index.FilesOfSymbol(symbol).empty()) << symbol;
  }
  // predict.proto, tensor.proto, model.proto, tensor_shape.proto, types.proto, wrappers.proto
  EXPECT_EQ(index.FilesOfSymbol("tensorflow.serving.PredictRequest").size(), 6U);
  EXPECT_THAT(index.FilesOfSymbol("inference.Nothing"), IsEmpty());
  EXPECT_THAT(index.FilesOf("nothing.proto"), IsEmpty());
}

TEST(DescriptorIndexTest, NothingOfSharedMemoryIsServed) {
  EXPECT_THAT(std::string(ServedDescriptors()), testing::Not(HasSubstr("SharedMemory")));
}

TEST(DescriptorIndexTest, BrokenSetsAreEmpty) {
  const DescriptorIndex index("\x0a\x7f");
  EXPECT_THAT(index.FilesOf(""), IsEmpty());
}

constexpr FieldShape kInnerFields[] = {{"text", 1}, {"count", 2, FieldShape::kInteger}};
constexpr MessageShape kInner = {kInnerFields};
constexpr WordNumber kWords[] = {{"ONE", 1}, {"TWO", 2}};
constexpr FieldShape kFields[] = {{"names", 1},
                                  {"numbers", 2, FieldShape::kInteger},
                                  {"inner", 3, FieldShape::kMessage, &kInner},
                                  {"word", 4, FieldShape::kWord, nullptr, kWords},
                                  {"map", 5, FieldShape::kMap, &kInner},
                                  {"flag", 6, FieldShape::kFlag}};

std::string MessageOf(const Value& value) {
  std::string out;
  AppendMessage(value, {kFields}, out);
  return out;
}

TEST(ValueMessageTest, FieldsGetTheNumbersOfTheTable) {
  EXPECT_EQ(MessageOf(Value::Map().Set("names", Value::List().Add("a").Add(""))), std::string("\x0a\1a\x0a\0", 5));
  EXPECT_EQ(MessageOf(Value::Map().Set("numbers", Value::List().Add(1).Add(150))), "\x12\3\1\x96\1");
  EXPECT_EQ(MessageOf(Value::Map().Set("inner", Value::Map().Set("count", "5"))), "\x1a\2\x10\5") << "a number as text";
  EXPECT_EQ(MessageOf(Value::Map().Set("word", "TWO").Set("flag", true)), "\x20\2\x30\1");
  EXPECT_EQ(MessageOf(Value::Map().Set("map", Value::Map().Set("k", Value::Map().Set("text", "v")))),
            "\x2a\x08\x0a\1k\x12\3\x0a\1v");
}

TEST(ValueMessageTest, DefaultsAndUnknownNamesAreLeftOut) {
  EXPECT_EQ(MessageOf(Value::Map().Set("word", "OTHER").Set("flag", false).Set("stranger", 1).Set("names", Value())),
            "");
  EXPECT_EQ(MessageOf(Value::Map().Set("inner", Value::Map())), std::string("\x1a\0", 2)) << "that it is there counts";
}

TEST(TritonMessagesTest, SettingsHaveTheTypesOfTheirValues) {
  std::string out;
  AppendLogSettings(Value::Map().Set("a", true), out);
  EXPECT_EQ(out, "\x0a\7\x0a\1a\x12\2\x08\1");
  out.clear();
  AppendTraceSettings(Value::Map().Set("a", Value::List().Add("x").Add("y")), out);
  EXPECT_EQ(out, "\x0a\x0b\x0a\1a\x12\6\x0a\1x\x0a\1y");
}

}  // namespace
}  // namespace slipway::serving::grpc
