#include "engine/onnx/light/light_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/onnx/tiny_model.h"

namespace slipway::engine::onnx {
namespace {

using testing::HasSubstr;

std::string Cause(const std::string& bytes) {
  const auto file = ParseModelFile(bytes);
  return file ? WhyNotLight(*file, bytes) : file.error().message;
}

TinyModel OneInput(const std::vector<int64_t>& shape = {-1, 3}) {
  return TinyModel().Input("x", kFloat, shape);
}

std::string IntegersTensor(std::string_view name, const std::vector<int64_t>& values) {
  std::string out;
  AppendWireInteger(out, 1, values.size());
  AppendWireInteger(out, 2, kInt64);
  for (int64_t value : values) AppendWireInteger(out, 7, static_cast<uint64_t>(value));
  AppendWireBytes(out, 8, name);
  return out;
}

/// A chain of `levels` inner nodes: each has the next as its true child and a leaf as its false one.
struct Chain {
  std::vector<int64_t> ids, trees, features, truths, falsities;
  std::vector<std::string> modes;
  std::vector<float> values;

  explicit Chain(int64_t levels) {
    const int64_t count = 2 * levels + 1;
    for (int64_t i = 0; i < count; ++i) {
      const bool leaf = i >= levels;
      ids.push_back(i);
      trees.push_back(0);
      features.push_back(0);
      truths.push_back(leaf ? 0 : i + 1);
      falsities.push_back(leaf ? 0 : levels + 1 + i);
      modes.emplace_back(leaf ? "LEAF" : "BRANCH_LEQ");
      values.push_back(0.5F);
    }
  }
  std::string Model(int64_t targets = 1) const {
    const int64_t leaf = ids.back();
    return OneInput()
        .MlNode("TreeEnsembleRegressor", {"x"}, {"y"},
                {IntsAttribute("nodes_nodeids", ids), IntsAttribute("nodes_treeids", trees),
                 IntsAttribute("nodes_featureids", features), IntsAttribute("nodes_truenodeids", truths),
                 IntsAttribute("nodes_falsenodeids", falsities), TextsAttribute("nodes_modes", modes),
                 FloatsAttribute("nodes_values", values), IntsAttribute("target_ids", {0}),
                 IntsAttribute("target_nodeids", {leaf}), IntsAttribute("target_treeids", {0}),
                 FloatsAttribute("target_weights", {1}), IntAttribute("n_targets", targets)})
        .Output("y", kFloat, {-1, 1})
        .Bytes();
  }
};

TEST(LightModel, ANetworkOfMatricesIsLight) {
  EXPECT_EQ(Cause(OneInput()
                      .Initializer(FloatTensor("w", {3, 2}, {1, 2, 3, 4, 5, 6}))
                      .Initializer(FloatTensor("b", {2}, {1, 2}))
                      .Node("MatMul", {"x", "w"}, {"m"})
                      .Node("Add", {"m", "b"}, {"a"})
                      .Node("Relu", {"a"}, {"r"})
                      .Node("Softmax", {"r"}, {"y"})
                      .Output("y", kFloat, {-1, 2})
                      .Bytes()),
            "");
}

TEST(LightModel, TreesAreLight) {
  EXPECT_EQ(Cause(Chain(1).Model()), "");
  EXPECT_EQ(Cause(Chain(8'000).Model()), "") << "more nodes than a tree may be deep, but not deeper";
}

TEST(LightModel, OperatorsOfUnknownCostAreNamed) {
  EXPECT_EQ(Cause(OneInput().Node("Tile", {"x", "x"}, {"t"}).Node("Loop", {"t"}, {"y"}).Bytes()), "Loop, Tile");
}

TEST(LightModel, ManyStrangeOperatorsAreCounted) {
  TinyModel model = OneInput();
  for (int i = 0; i < 9; ++i) model.Node("Strange" + std::to_string(i), {"x"}, {"y" + std::to_string(i)});
  EXPECT_THAT(Cause(model.Bytes()), HasSubstr("Strange5 and 3 more"));
}

TEST(LightModel, OperatorsInsideBranchesCount) {
  const std::string branch = TinyModel().Node("Tile", {"x"}, {"t"}).Graph();
  EXPECT_THAT(Cause(OneInput().Node("Relu", {"x"}, {"y"}, {GraphAttribute("g", branch)}).Bytes()), HasSubstr("Tile"));
}

TEST(LightModel, AHarmlessOperatorWithAGraphIsNotLight) {
  const std::string branch = TinyModel().Node("Relu", {"x"}, {"t"}).Graph();
  EXPECT_THAT(Cause(OneInput().Node("Relu", {"x"}, {"y"}, {GraphAttribute("g", branch)}).Bytes()),
              HasSubstr("unusual make"));
}

TEST(LightModel, DoublingByConcatenationIsFoundOut) {
  TinyModel model = OneInput();
  std::string last = "x";
  for (int i = 0; i < 40; ++i) {
    const std::string next = "t" + std::to_string(i);
    model.Node("Concat", {last, last}, {next}, {IntAttribute("axis", 1)});
    last = next;
  }
  EXPECT_THAT(Cause(model.Bytes()), HasSubstr("how large it gets at Concat"));
}

TEST(LightModel, ASumOfARowAndAColumnCanBeLarge) {
  const std::vector<float> many(100'000, 1);
  EXPECT_THAT(Cause(OneInput()
                        .Initializer(FloatTensor("a", {100'000, 1}, many))
                        .Initializer(FloatTensor("b", {1, 100'000}, many))
                        .Node("Add", {"a", "b"}, {"y"})
                        .Bytes()),
              HasSubstr("how large it gets at Add"));
}

TEST(LightModel, TheRowsOfAReshapeAreNotForgotten) {
  EXPECT_THAT(Cause(OneInput({-1, 1000})
                        .Initializer(IntegersTensor("column", {-1, 1}))
                        .Initializer(IntegersTensor("row", {1, -1}))
                        .Node("Reshape", {"x", "column"}, {"a"})
                        .Node("Reshape", {"x", "row"}, {"b"})
                        .Node("Mul", {"a", "b"}, {"y"})
                        .Bytes()),
              HasSubstr("how large it gets at Mul"));
}

TEST(LightModel, LongArithmeticIsFoundOut) {
  TinyModel model = OneInput({-1, 512});
  model.Initializer(FloatTensor("w", {512, 512}, std::vector<float>(512 * 512, 1)));
  std::string last = "w";
  for (int i = 0; i < 200; ++i) {
    const std::string next = "t" + std::to_string(i);
    model.Node("MatMul", {last, "w"}, {next});
    last = next;
  }
  EXPECT_THAT(Cause(model.Bytes()), HasSubstr("how large it gets at MatMul"));
}

TEST(LightModel, WholeNumbersDivideWithATrap) {
  EXPECT_THAT(Cause(TinyModel()
                        .Input("x", kInt64, {-1, 3})
                        .Initializer(IntegersTensor("d", {-1}))
                        .Node("Div", {"x", "d"}, {"y"})
                        .Bytes()),
              HasSubstr("Div"));
}

TEST(LightModel, HugeDeclaredRowsAreFoundOut) {
  EXPECT_THAT(Cause(OneInput({-1, int64_t{1} << 40}).Node("Neg", {"x"}, {"y"}).Bytes()),
              HasSubstr("how large its inputs are"));
}

TEST(LightModel, DeepTreesAreFoundOut) {
  EXPECT_THAT(Cause(Chain(20'000).Model()), HasSubstr("TreeEnsembleRegressor"));
}

TEST(LightModel, ADeepTreeNumberedBackwardsIsFoundOut) {
  Chain chain(20'000);
  std::ranges::reverse(chain.truths);
  EXPECT_THAT(Cause(chain.Model()), HasSubstr("TreeEnsembleRegressor"));
}

TEST(LightModel, ATreeThatLeadsBackToItsRootIsFoundOut) {
  Chain chain(1);
  chain.truths[0] = 0;
  EXPECT_THAT(Cause(chain.Model()), HasSubstr("TreeEnsembleRegressor"));
}

TEST(LightModel, TreesInTurnsAreNotCounted) {
  Chain chain(8'000);
  for (size_t i = 0; i < chain.trees.size(); ++i) chain.trees[i] = i % 2 == 0 ? 0 : 1;
  EXPECT_THAT(Cause(chain.Model()), HasSubstr("TreeEnsembleRegressor"));
}

TEST(LightModel, ATreeThatReadsPastItsRowIsNotLight) {
  Chain chain(1);
  chain.features[0] = 3;
  EXPECT_THAT(Cause(chain.Model()), HasSubstr("TreeEnsembleRegressor"));
}

TEST(LightModel, AMillionTargetsOfATreeAreFoundOut) {
  EXPECT_THAT(Cause(Chain(1).Model(int64_t{1} << 33)), HasSubstr("how large it gets at ai.onnx.ml.TreeEnsemble"));
}

std::string Words(const std::vector<int64_t>& columns, const std::vector<float>& weights, int64_t skips) {
  return TinyModel()
      .Input("x", kInt64, {-1, 3})
      .Node("TfIdfVectorizer", {"x"}, {"y"},
            {IntAttribute("max_gram_length", 1), IntAttribute("min_gram_length", 1),
             IntAttribute("max_skip_count", skips), TextAttribute("mode", "TFIDF"), IntsAttribute("ngram_counts", {0}),
             IntsAttribute("ngram_indexes", columns), FloatsAttribute("weights", weights),
             IntsAttribute("pool_int64s", {7, 8})})
      .Bytes();
}

TEST(LightModel, WordCountsAreLightWhenTheirListsFit) {
  EXPECT_EQ(Cause(Words({0, 1}, {1, 1}, 0)), "");
  EXPECT_THAT(Cause(Words({0}, {1}, 0)), HasSubstr("TfIdfVectorizer")) << "two words, one column";
  EXPECT_THAT(Cause(Words({0, 1 << 30}, {1, 1}, 0)), HasSubstr("TfIdfVectorizer")) << "weights that are not there";
  EXPECT_THAT(Cause(Words({0, 1}, {1, 1}, int64_t{1} << 62)), HasSubstr("TfIdfVectorizer")) << "an endless loop";
}

TEST(LightModel, ALinearClassifierNeedsAllItsCoefficients) {
  const auto model = [](size_t coefficients) {
    return OneInput()
        .MlNode("LinearClassifier", {"x"}, {"label", "y"},
                {FloatsAttribute("coefficients", std::vector<float>(coefficients, 1)),
                 FloatsAttribute("intercepts", {0, 0}), IntsAttribute("classlabels_ints", {0, 1})})
        .Bytes();
  };
  EXPECT_EQ(Cause(model(6)), "");
  EXPECT_THAT(Cause(model(5)), HasSubstr("LinearClassifier"));
}

/// "x" with a type for each shape.
std::string InputOfTypes(const std::vector<std::vector<int64_t>>& shapes) {
  std::string value;
  AppendWireBytes(value, 1, "x");
  for (const auto& sizes : shapes) {
    std::string shape, tensor, type;
    for (int64_t size : sizes) {
      std::string dimension;
      if (size > 0) AppendWireInteger(dimension, 1, static_cast<uint64_t>(size));
      AppendWireBytes(shape, 1, dimension);
    }
    AppendWireInteger(tensor, 1, kFloat);
    AppendWireBytes(tensor, 2, shape);
    AppendWireBytes(type, 1, tensor);
    AppendWireBytes(value, 2, type);
  }
  return value;
}

TEST(LightModel, AThingSaidTwiceIsNotBelieved) {
  const auto model = [](const std::string& input) {
    std::string node, graph, set, out;
    AppendWireBytes(node, 1, "x");
    AppendWireBytes(node, 2, "y");
    AppendWireBytes(node, 4, "Neg");
    AppendWireBytes(graph, 1, node);
    AppendWireBytes(graph, 11, input);
    AppendWireInteger(set, 2, 17);
    AppendWireInteger(out, 1, 8);
    AppendWireBytes(out, 7, graph);
    AppendWireBytes(out, 8, set);
    return out;
  };
  EXPECT_EQ(Cause(model(InputOfTypes({{-1, 3}}))), "");
  // Protocol buffers join the two to [?, 3, 2^40].
  EXPECT_THAT(Cause(model(InputOfTypes({{-1, 3}, {int64_t{1} << 40}}))), HasSubstr("unusual make"));
}

TEST(LightModel, PartsOfTheFileThatAreNotKnownAreNotLight) {
  std::string model = OneInput().Node("Neg", {"x"}, {"y"}).Bytes();
  EXPECT_EQ(Cause(model), "");
  AppendWireBytes(model, 20, "");  // training_info
  EXPECT_THAT(Cause(model), HasSubstr("parts of the file"));
}

TEST(LightModel, ASecondFormatVersionIsNotLight) {
  std::string model = OneInput().Node("Neg", {"x"}, {"y"}).Bytes();
  AppendWireInteger(model, 1, 8);
  EXPECT_THAT(Cause(model), HasSubstr("parts of the file"));
}

TEST(LightModel, AnInitializerWithLessDataThanItsShapeIsNotBelieved) {
  EXPECT_THAT(
      Cause(OneInput().Initializer(FloatTensor("w", {int64_t{1} << 40}, {1})).Node("Mul", {"x", "w"}, {"y"}).Bytes()),
      HasSubstr("initializers"));
}

TEST(LightModel, InputsLeftOutInTheMiddleAreNotLight) {
  const auto normalized = [](const std::vector<std::string>& inputs) {
    return OneInput()
        .Initializer(FloatTensor("scale", {3}, {1, 1, 1}))
        .Node("LayerNormalization", inputs, {"y"})
        .Bytes();
  };
  EXPECT_EQ(Cause(normalized({"x", "scale"})), "");
  EXPECT_THAT(Cause(normalized({"x", "scale", ""})), HasSubstr("LayerNormalization"));
}

TEST(LightModel, AMillionMapsAreNotLight) {
  EXPECT_THAT(Cause(OneInput({4'000'000, 3})
                        .MlNode("ZipMap", {"x"}, {"y"}, {IntsAttribute("classlabels_int64s", {0, 1, 2})})
                        .MapsOutput("y", kInt64)
                        .Bytes()),
              HasSubstr("how large it gets at ai.onnx.ml.ZipMap"));
}

TEST(LightModel, ASequenceOfItsTensorsIsLight) {
  EXPECT_EQ(Cause(OneInput({-1, 3}).Node("SequenceConstruct", {"x", "x"}, {"y"}).SequenceOutput("y", kFloat).Bytes()),
            "");
}

TEST(LightModel, ManyCopiesInASequenceAreNotLight) {
  EXPECT_THAT(Cause(OneInput({4'000'000, 3})
                        .Node("SequenceConstruct", std::vector<std::string>(40, "x"), {"y"})
                        .SequenceOutput("y", kFloat)
                        .Bytes()),
              HasSubstr("how large it gets at SequenceConstruct"));
}

TEST(LightModel, WeightsInOtherFilesAreNotLight) {
  EXPECT_THAT(
      Cause(OneInput().Initializer(ExternalFloatTensor("w", {3}, "w.bin")).Node("Mul", {"x", "w"}, {"y"}).Bytes()),
      HasSubstr("weights in other files"));
}

TEST(LightModel, ATensorAssignedTwiceIsNotLight) {
  EXPECT_THAT(Cause(OneInput().Node("Neg", {"x"}, {"y"}).Node("Abs", {"x"}, {"y"}).Bytes()), HasSubstr("Abs"));
}

}  // namespace
}  // namespace slipway::engine::onnx
