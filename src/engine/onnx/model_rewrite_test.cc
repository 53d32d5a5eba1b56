#include "engine/onnx/model_rewrite.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/onnx/tiny_model.h"

namespace slipway::engine::onnx {
namespace {

using testing::ElementsAre;

TinyModel WithZipMap() {
  return TinyModel()
      .Input("x", kFloat, {-1, 2})
      .Node("Softmax", {"x"}, {"p"})
      .MlNode("ZipMap", {"p"}, {"m"}, {TextsAttribute("classlabels_strings", {"a", "b"})});
}

ModelFile Parsed(const std::string& bytes) {
  auto file = ParseModelFile(bytes);
  EXPECT_TRUE(file) << file.error().message;
  return std::move(*file);
}

TEST(RewriteModel, PutsTheZipMapsInputInItsPlace) {
  const auto bytes = WithZipMap().Output("label", kInt64, {-1}).MapsOutput("m", kString).Bytes();
  const ModelFile file = Parsed(bytes);

  const ModelFile edited = Parsed(RewriteModel(bytes, {DroppableZipMaps(file), ""}));

  EXPECT_FALSE(edited.operators.contains("ai.onnx.ml.ZipMap"));
  ASSERT_EQ(edited.outputs.size(), 2u);
  EXPECT_EQ(edited.outputs[1].name, "p");
  EXPECT_THAT(edited.outputs[1].shape, ElementsAre(-1, 2));
}

TEST(RewriteModel, WithoutEditsIsTheSameFile) {
  const auto bytes = WithZipMap().MapsOutput("m", kString).Bytes();
  EXPECT_EQ(RewriteModel(bytes, {}), bytes);
}

TEST(RewriteModel, SetsTheLocaleInEveryGraph) {
  const std::string inner = TinyModel().Node("StringNormalizer", {"t"}, {"u"}).Graph();
  const std::string outer = TinyModel().Node("If", {"c"}, {"u"}, {GraphAttribute("then_branch", inner)}).Graph();
  const auto bytes = TinyModel()
                         .Node("StringNormalizer", {"t"}, {"v"}, {TextAttribute("locale", "en_US")})
                         .Node("If", {"c"}, {"u"}, {GraphAttribute("else_branch", outer)})
                         .Bytes();

  EXPECT_THAT(Parsed(bytes).locales, ElementsAre("en_US", "en_US.UTF-8"));
  EXPECT_THAT(Parsed(RewriteModel(bytes, {{}, "C.UTF-8"})).locales, ElementsAre("C.UTF-8"));
}

TEST(DroppableZipMaps, StayWhenTheirMapsAreReadOrTheirInputIsTaken) {
  const auto read = WithZipMap().Node("SequenceLength", {"m"}, {"n"}).MapsOutput("m", kString).Bytes();
  const auto taken = WithZipMap().Output("p", kFloat, {-1, 2}).MapsOutput("m", kString).Bytes();
  const auto inner = WithZipMap().Output("p", kFloat, {-1, 2}).Bytes();

  for (const std::string& bytes : {read, taken, inner}) EXPECT_TRUE(DroppableZipMaps(Parsed(bytes)).empty());
}

TEST(LocaleInPlaceOf, KeepsWhatTheMachineHas) {
  EXPECT_EQ(LocaleInPlaceOf("C").value(), "");
  EXPECT_EQ(LocaleInPlaceOf("POSIX").value(), "");
}

TEST(LocaleInPlaceOf, TurkicLanguagesHaveNoSubstitute) {
  const auto locale = LocaleInPlaceOf("tr_XX.UTF-8");
  ASSERT_FALSE(locale);
  EXPECT_EQ(locale.error().reason, "engine.model");
}

}  // namespace
}  // namespace slipway::engine::onnx
