#include "engine/isolated/model_hello.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace slipway::engine::isolated {
namespace {

using testing::ElementsAre;

ModelInfo Model() {
  ModelInfo info;
  info.engine = "onnx";
  info.inputs = {
      {.name = "x", .type = ElementType::kFloat64, .shape = {-1, 3}, .dimension_names = {"n", ""}, .labels = {}}};
  info.outputs = {{.name = "p",
                   .type = ElementType::kFloat32,
                   .shape = {-1, 2},
                   .dimension_names = {},
                   .kind = TensorSpec::Kind::kMaps,
                   .labels = {"early", "late"}}};
  info.exact_rows = 1024;
  info.exactness = "rows are apart";
  info.external_files = {"weights.bin"};
  info.details = base::Value::Map().Set("producer", "tests").Set("opset", 17);
  return info;
}

TEST(Hello, TellsAllOfAModel) {
  const auto hello = ReadHello(WriteHello(Model()));

  ASSERT_TRUE(hello && hello->loaded);
  const ModelInfo& info = *hello->loaded;
  EXPECT_TRUE(IsSameModel(Model(), info));
  EXPECT_EQ(info.engine, "onnx");
  EXPECT_EQ(info.exactness, "rows are apart");
  EXPECT_EQ(info.exact_rows, 1024);
  EXPECT_EQ(info.inputs[0].type, ElementType::kFloat64);
  EXPECT_THAT(info.inputs[0].dimension_names, ElementsAre("n", ""));
  EXPECT_EQ(info.outputs[0].kind, TensorSpec::Kind::kMaps);
  EXPECT_THAT(info.outputs[0].labels, ElementsAre("early", "late"));
  EXPECT_THAT(info.external_files, ElementsAre("weights.bin"));
  EXPECT_EQ(info.details, Model().details);
}

TEST(Hello, TellsWhyAModelWasNotLoaded) {
  const base::Error error{base::Code::kDataLoss, "bundle.golden_mismatch", "1 of 8 differ", "golden.jsonl"};
  const auto hello = ReadHello(WriteHello(std::unexpected(error)));

  ASSERT_TRUE(hello);
  ASSERT_FALSE(hello->loaded);
  EXPECT_EQ(hello->loaded.error().code, error.code);
  EXPECT_EQ(hello->loaded.error().reason, error.reason);
  EXPECT_EQ(hello->loaded.error().Text(), error.Text());
}

TEST(Hello, OfNoKnownFormIsRefused) {
  const std::string whole = WriteHello(Model());
  const auto without = [&](const std::string& part, const std::string& instead) {
    std::string text = whole;
    text.replace(text.find(part), part.size(), instead);
    EXPECT_NE(text, whole);
    return ReadHello(text).has_value();
  };
  EXPECT_FALSE(ReadHello(""));
  EXPECT_FALSE(ReadHello("[]"));
  EXPECT_FALSE(ReadHello("{}"));
  EXPECT_FALSE(ReadHello(R"({"error":{"code":99,"reason":"","message":"","where":""}})"));
  EXPECT_FALSE(without(R"("batched":true)", R"("batched":1)"));
  EXPECT_FALSE(without(R"("exact_rows":1024)", R"("exact_rows":-1)"));
  EXPECT_FALSE(without(R"("type":1)", R"("type":14)"));
  EXPECT_FALSE(without(R"("shape":[-1,3])", R"("shape":[])"));
  EXPECT_FALSE(without(R"("shape":[-1,3])", R"("shape":[-1,-7])"));
  EXPECT_FALSE(without(R"("dimension_names":["n",""])", R"("dimension_names":["n"])"));
  EXPECT_FALSE(without(R"("labels":["early","late"])", R"("labels":[1])"));
}

TEST(Hello, AnotherModelIsNotTheSame) {
  const auto changed = [](auto change) {
    ModelInfo info = Model();
    change(info);
    return IsSameModel(Model(), info);
  };
  EXPECT_TRUE(changed([](ModelInfo& info) { info.exact_rows = 2048; }));
  EXPECT_FALSE(changed([](ModelInfo& info) { info.exact_rows = 1; }));
  EXPECT_FALSE(changed([](ModelInfo& info) { info.outputs[0].labels[0] = "soon"; }));
  EXPECT_FALSE(changed([](ModelInfo& info) { info.inputs[0].shape[1] = 4; }));
  EXPECT_FALSE(changed([](ModelInfo& info) { info.outputs.clear(); }));
}

}  // namespace
}  // namespace slipway::engine::isolated
