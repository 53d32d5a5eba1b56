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

  const ModelFile edited = Parsed(RewriteModel(bytes, {DroppableZipMaps(file), {}, ""}));

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
  EXPECT_THAT(Parsed(RewriteModel(bytes, {{}, {}, "C.UTF-8"})).locales, ElementsAre("C.UTF-8"));
}

TEST(DroppableZipMaps, StayWhenTheirMapsAreReadOrTheirInputIsTaken) {
  const auto read = WithZipMap().Node("SequenceLength", {"m"}, {"n"}).MapsOutput("m", kString).Bytes();
  const auto taken = WithZipMap().Output("p", kFloat, {-1, 2}).MapsOutput("m", kString).Bytes();
  const auto inner = WithZipMap().Output("p", kFloat, {-1, 2}).Bytes();

  for (const std::string& bytes : {read, taken, inner}) EXPECT_TRUE(DroppableZipMaps(Parsed(bytes)).empty());
}

TinyModel TwoTargets() {
  return TinyModel()
      .Input("x", kFloat, {-1, 2})
      .Node("Softmax", {"x"}, {"p"})
      .Node("SequenceConstruct", {"p", "x", "p"}, {"y"});
}

TEST(RewriteModel, PutsATensorForEachElementInASequencesPlace) {
  const auto bytes = TwoTargets().SequenceOutput("y", kFloat).Output("p", kFloat, {-1, 2}).Bytes();
  const ModelFile file = Parsed(bytes);
  const ModelEdits edits{{}, SplittableSequences(file), ""};

  const ModelFile edited = Parsed(RewriteModel(bytes, edits));

  EXPECT_FALSE(edited.operators.contains("SequenceConstruct"));
  EXPECT_EQ(edited.operators.at("Identity"), 3);
  ASSERT_EQ(edited.outputs.size(), 4u);
  EXPECT_EQ(edited.outputs[3].name, "p");
  for (const DeclaredValue& output : edited.outputs) EXPECT_EQ(output.kind, DeclaredValue::Kind::kTensor);
}

TEST(RewriteModel, KeepsASequenceThatIsReadAsWell) {
  const auto bytes =
      TwoTargets().Node("SequenceLength", {"y"}, {"n"}).SequenceOutput("y", kFloat).Output("n", kInt64, {}).Bytes();
  const ModelFile file = Parsed(bytes);
  const ModelEdits edits{{}, SplittableSequences(file), ""};

  const ModelFile edited = Parsed(RewriteModel(bytes, edits));

  EXPECT_EQ(edited.operators.at("SequenceConstruct"), 1);
  EXPECT_EQ(edited.outputs.size(), 4u);
}

TEST(SplittableSequences, NameElementsAfterTheOutputAndTheirPlace) {
  const auto bytes =
      TwoTargets().SequenceOutput("y", kFloat).Node("Identity", {"x"}, {"y_1"}).Output("y_1", kFloat, {-1, 2}).Bytes();
  const ModelFile file = Parsed(bytes);

  const auto split = SplittableSequences(file);

  ASSERT_EQ(split.size(), 1u);
  ASSERT_EQ(split[0].elements.size(), 3u);
  EXPECT_EQ(split[0].elements[0].name, "y_0");
  EXPECT_EQ(split[0].elements[1].name, "y_1_");
  EXPECT_EQ(split[0].elements[1].tensor, "x");
}

TEST(SplittableSequences, AreNeitherInBranchesNorOfOtherMakers) {
  const std::string inner = TinyModel().Node("SequenceConstruct", {"x"}, {"y"}).Graph();
  const auto nested =
      TinyModel().Node("If", {"c"}, {"z"}, {GraphAttribute("then_branch", inner)}).SequenceOutput("y", kFloat).Bytes();
  const auto cut = TinyModel().Node("SplitToSequence", {"x"}, {"y"}).SequenceOutput("y", kFloat).Bytes();
  const auto maps = TwoTargets().MapsOutput("y", kInt64).Bytes();

  for (const std::string& bytes : {nested, cut, maps}) EXPECT_TRUE(SplittableSequences(Parsed(bytes)).empty());
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
