#include "engine/onnx/model_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/onnx/tiny_model.h"

namespace slipway::engine::onnx {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(ModelFile, TellsInputsOutputsAndOperators) {
  const auto bytes = TinyModel()
                         .Input("x", kFloat, {-1, 3}, {"rows"})
                         .Node("Neg", {"x"}, {"h"})
                         .Node("Neg", {"h"}, {"y"})
                         .Output("y", kFloat, {-1, 3})
                         .Bytes();

  const auto file = ParseModelFile(bytes);

  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->producer, "tiny");
  EXPECT_EQ(file->ir_version, 8);
  ASSERT_EQ(file->inputs.size(), 1u);
  EXPECT_THAT(file->inputs[0].shape, ElementsAre(-1, 3));
  EXPECT_EQ(file->inputs[0].dimension_names[0], "rows");
  EXPECT_TRUE(file->outputs[0].has_shape);
  EXPECT_EQ(file->operators.at("Neg"), 2);
  EXPECT_EQ(file->Describe().Find("operator_sets")->Find("ai.onnx")->integer(), 17);
}

TEST(ModelFile, InitializersListedAsInputsAreNone) {
  const auto bytes = TinyModel()
                         .Input("x", kFloat, {-1, 1})
                         .Input("w", kFloat, {1, 1})
                         .Initializer(FloatTensor("w", {1, 1}, {2}))
                         .Node("MatMul", {"x", "w"}, {"y"})
                         .Output("y", kFloat, {-1, 1})
                         .Bytes();

  const auto file = ParseModelFile(bytes);

  ASSERT_TRUE(file);
  ASSERT_EQ(file->inputs.size(), 1u);
  EXPECT_EQ(file->inputs[0].name, "x");
}

TEST(ModelFile, ReadsTheLabelsOfZipMaps) {
  const auto bytes = TinyModel()
                         .Input("x", kFloat, {-1, 2})
                         .MlNode("ZipMap", {"x"}, {"m"}, {IntsAttribute("classlabels_int64s", {7, -1})})
                         .MapsOutput("m", kInt64)
                         .Bytes();

  const auto file = ParseModelFile(bytes);

  ASSERT_TRUE(file);
  ASSERT_EQ(file->zip_maps.size(), 1u);
  EXPECT_THAT(file->zip_maps[0].labels, ElementsAre("7", "-1"));
  EXPECT_TRUE(file->zip_maps[0].integer_labels);
  EXPECT_EQ(file->outputs[0].kind, DeclaredValue::Kind::kMaps);
  EXPECT_TRUE(file->outputs[0].integer_keys);
}

TEST(ModelFile, FindsExternalDataAndLocalesInNestedGraphs) {
  const std::string branch = TinyModel()
                                 .Initializer(ExternalFloatTensor("hidden", {1}, "w.bin"))
                                 .Node("StringNormalizer", {"t"}, {"u"}, {TextAttribute("locale", "de_DE")})
                                 .Graph();
  const auto bytes = TinyModel().Node("If", {"c"}, {"y"}, {GraphAttribute("then_branch", branch)}).Bytes();

  const auto file = ParseModelFile(bytes);

  ASSERT_TRUE(file);
  ASSERT_EQ(file->external.size(), 1u);
  EXPECT_EQ(file->external[0].location, "w.bin");
  EXPECT_TRUE(file->external[0].nested);
  EXPECT_THAT(file->locales, ElementsAre("de_DE"));
}

TEST(ModelFile, RefusesGraphsNestedWithoutEnd) {
  std::string graph = TinyModel().Node("Neg", {"x"}, {"y"}).Graph();
  for (int depth = 0; depth < 100; ++depth) {
    graph = TinyModel().Node("If", {"c"}, {"y"}, {GraphAttribute("then_branch", graph)}).Graph();
  }
  const auto bytes = TinyModel().Node("If", {"c"}, {"y"}, {GraphAttribute("then_branch", graph)}).Bytes();

  const auto file = ParseModelFile(bytes);

  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().reason, "engine.model");
  EXPECT_THAT(file.error().message, HasSubstr("nested"));
}

TEST(ModelFile, RefusesTwoGraphs) {
  const auto bytes = TinyModel().Node("Neg", {"x"}, {"y"}).Bytes();

  const auto file = ParseModelFile(bytes + bytes);

  ASSERT_FALSE(file);
  EXPECT_THAT(file.error().message, HasSubstr("two graphs"));
}

TEST(ModelFile, RefusesMoreThanItsLimits) {
  ModelFileLimits limits;
  limits.values = 1;
  const auto bytes = TinyModel().Input("a", kFloat, {1}).Input("b", kFloat, {1}).Bytes();

  const auto file = ParseModelFile(bytes, limits);

  ASSERT_FALSE(file);
  EXPECT_THAT(file.error().message, HasSubstr("more than 1 inputs or outputs"));
}

TEST(ModelFile, EveryCutOffFileIsRefusedOrSmaller) {
  const auto bytes = TinyModel()
                         .Input("x", kFloat, {-1, 1})
                         .Initializer(FloatTensor("w", {1, 1}, {2}))
                         .Node("MatMul", {"x", "w"}, {"y"})
                         .Output("y", kFloat, {-1, 1})
                         .Bytes();
  const size_t sets = bytes.size() - TinyModel().Bytes().size();
  size_t readable = 0;
  for (size_t size = 0; size < bytes.size(); ++size) readable += ParseModelFile(bytes.substr(0, size)).has_value();

  EXPECT_LE(readable, 1u) << "only the file without its last operator set may be read; " << sets;
}

}  // namespace
}  // namespace slipway::engine::onnx
