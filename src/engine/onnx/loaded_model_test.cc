#include "engine/onnx/loaded_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <thread>

#include "engine/onnx/external_data.h"
#include "engine/onnx/tiny_model.h"

namespace slipway::engine::onnx {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// A folder in memory.
using Files = std::map<std::string, std::string, std::less<>>;

base::Result<std::unique_ptr<Engine>> Load(const std::string& bytes, const LoadOptions& options = {},
                                           const Files& files = {}) {
  ModelSource source{"model.onnx", bytes, [&](std::string_view name) -> base::Result<std::string_view> {
                       const auto found = files.find(name);
                       if (found == files.end())
                         return base::Fail(base::Code::kNotFound, "bundle.missing", "no such file");
                       return found->second;
                     }};
  return LoadModel(source, options);
}

std::string Refusal(const std::string& bytes, const Files& files = {}) {
  const auto engine = Load(bytes, {}, files);
  if (engine) return "loaded";
  EXPECT_EQ(engine.error().reason, "engine.model");
  EXPECT_EQ(engine.error().where, "model.onnx");
  return engine.error().message;
}

struct Matrix {
  std::vector<float> values;
  std::vector<int64_t> shape;
  TensorView view() const { return {ElementType::kFloat32, shape, values.data(), nullptr}; }
};

std::vector<float> Floats(const Tensor& tensor) {
  return {tensor.as<float>(), tensor.as<float>() + tensor.elements()};
}

/// Runs a model of one input and returns its outputs.
base::Result<std::vector<Tensor>> Answer(const Engine& engine, const std::vector<TensorView>& inputs) {
  SLIPWAY_ASSIGN(const auto session, engine.NewSession());
  std::vector<Tensor> outputs(engine.info().outputs.size());
  SLIPWAY_TRY(session->Run(inputs, outputs, {}));
  return outputs;
}

TinyModel Doubler() {
  return TinyModel()
      .Input("x", kFloat, {-1, 2}, {"rows"})
      .Initializer(FloatTensor("two", {1}, {2}))
      .Node("Mul", {"x", "two"}, {"y"})
      .Output("y", kFloat, {-1, 2});
}

TEST(OnnxModel, AnswersOneRowAndMany) {
  const auto engine = Load(Doubler().Bytes());
  ASSERT_TRUE(engine) << engine.error().Text();

  const auto one = Answer(**engine, {Matrix{{1, 2}, {1, 2}}.view()});
  const auto three = Answer(**engine, {Matrix{{1, 2, 3, 4, 5, 6}, {3, 2}}.view()});

  ASSERT_TRUE(one && three);
  EXPECT_THAT(Floats((*one)[0]), ElementsAre(2, 4));
  EXPECT_THAT(Floats((*three)[0]), ElementsAre(2, 4, 6, 8, 10, 12));
  EXPECT_THAT((*three)[0].shape, ElementsAre(3, 2));
  EXPECT_EQ((*engine)->info().exact_rows, 256);
  EXPECT_TRUE((*engine)->info().batched);
}

TEST(OnnxModel, ReusedSessionAnswersEveryShapeInTurn) {
  const auto engine = Load(Doubler().Bytes());
  ASSERT_TRUE(engine);
  const auto session = (*engine)->NewSession();
  std::vector<Tensor> outputs(1);
  std::vector<float> firsts;
  for (int64_t rows : {1, 1, 2, 3, 4, 5, 6, 1, 6, 1}) {
    Matrix input{std::vector<float>(static_cast<size_t>(rows) * 2, static_cast<float>(rows + firsts.size())),
                 {rows, 2}};
    const TensorView view = input.view();
    ASSERT_TRUE((*session)->Run({&view, 1}, outputs, {}));
    ASSERT_EQ(outputs[0].elements(), rows * 2);
    firsts.push_back(Floats(outputs[0]).back());
  }
  EXPECT_THAT(firsts, ElementsAre(2, 4, 8, 12, 16, 20, 24, 16, 28, 20));
}

TEST(OnnxModel, LargeAlignedInputsAreLentNotKept) {
  const auto engine = Load(Doubler().Bytes());
  ASSERT_TRUE(engine);
  const auto session = (*engine)->NewSession();
  alignas(64) static float memory[2][16384];
  std::vector<Tensor> outputs(1);
  std::vector<float> firsts;
  for (int round : {0, 1, 0, 0}) {
    memory[round][0] = static_cast<float>(firsts.size() + 1);
    const TensorView view{ElementType::kFloat32, {8192, 2}, memory[round], nullptr};
    ASSERT_TRUE((*session)->Run({&view, 1}, outputs, {}));
    firsts.push_back(outputs[0].as<float>()[0]);
  }
  EXPECT_THAT(firsts, ElementsAre(2, 4, 6, 8));
}

TEST(OnnxModel, RefusesAnotherTypeOrShape) {
  const auto engine = Load(Doubler().Bytes());
  ASSERT_TRUE(engine);
  const std::vector<double> wide = {1, 2};

  const auto type = Answer(**engine, {TensorView{ElementType::kFloat64, {1, 2}, wide.data(), nullptr}});
  const auto shape = Answer(**engine, {Matrix{{1, 2, 3}, {1, 3}}.view()});
  const auto none = Answer(**engine, {Matrix{{}, {0, 2}}.view()});

  ASSERT_FALSE(type || shape || none);
  EXPECT_EQ(type.error().Text(), "x: the model takes float32, given is float64");
  EXPECT_EQ(shape.error().Text(), "x: the model takes the shape [?,2], given is [1,3]");
  EXPECT_EQ(none.error().reason, "engine.input");
}

TEST(OnnxModel, LooksAtTheDeadlineBeforeItRuns) {
  const auto engine = Load(Doubler().Bytes());
  ASSERT_TRUE(engine);
  const auto session = (*engine)->NewSession();
  base::ManualClock clock;
  const Matrix input{{1, 2}, {1, 2}};
  const TensorView view = input.view();
  std::vector<Tensor> outputs(1);
  std::stop_source stop;
  stop.request_stop();

  const auto late = (*session)->Run({&view, 1}, outputs, {clock.Now(), {}, &clock});
  const auto stopped = (*session)->Run({&view, 1}, outputs, {base::SteadyTime::max(), stop.get_token(), &clock});

  ASSERT_FALSE(late || stopped);
  EXPECT_EQ(late.error().code, base::Code::kDeadlineExceeded);
  EXPECT_EQ(stopped.error().code, base::Code::kCancelled);
}

TinyModel Classifier(bool integers) {
  const std::string labels =
      integers ? IntsAttribute("classlabels_int64s", {10, 2}) : TextsAttribute("classlabels_strings", {"no", "yes"});
  return TinyModel()
      .Input("x", kFloat, {-1, 2})
      .Node("Softmax", {"x"}, {"p"})
      .MlNode("ZipMap", {"p"}, {"probabilities"}, {labels})
      .MapsOutput("probabilities", integers ? kInt64 : kString);
}

class ZipMaps : public testing::TestWithParam<bool> {};

TEST_P(ZipMaps, TakenOutOrDecodedGiveTheSame) {
  LoadOptions decode;
  decode.drop_zip_maps = false;
  const auto dropped = Load(Classifier(GetParam()).Bytes());
  const auto decoded = Load(Classifier(GetParam()).Bytes(), decode);
  ASSERT_TRUE(dropped && decoded);
  const Matrix input{{1, 2, -3, 4, 0.5, 0.25}, {3, 2}};

  const auto left = Answer(**dropped, {input.view()});
  const auto right = Answer(**decoded, {input.view()});

  ASSERT_TRUE(left && right);
  EXPECT_EQ((*left)[0].shape, (*right)[0].shape);
  EXPECT_EQ((*left)[0].data, (*right)[0].data);
  const TensorSpec& spec = (*dropped)->info().outputs[0];
  EXPECT_EQ(spec.kind, TensorSpec::Kind::kMaps);
  EXPECT_EQ(spec.name, "probabilities");
  EXPECT_EQ(spec.labels, (*decoded)->info().outputs[0].labels);
  EXPECT_EQ(spec.labels[0], GetParam() ? "10" : "no");
  EXPECT_EQ(spec.integer_labels, GetParam());
}

INSTANTIATE_TEST_SUITE_P(OnnxModel, ZipMaps, testing::Bool());

TEST(OnnxModel, TextsPassInAndOut) {
  const auto engine = Load(
      TinyModel().Input("t", kString, {-1, 1}).Node("Identity", {"t"}, {"u"}).Output("u", kString, {-1, 1}).Bytes());
  ASSERT_TRUE(engine) << engine.error().Text();
  const std::string_view texts[] = {"", "Ärger", std::string_view("a\0b", 3)};

  const auto out = Answer(**engine, {TensorView{ElementType::kString, {3, 1}, nullptr, texts}});

  ASSERT_TRUE(out) << out.error().Text();
  EXPECT_THAT((*out)[0].strings, ElementsAre("", "Ärger", std::string("a\0b", 3)));
}

TEST(OnnxModel, NormalizesTextWithoutTheLocaleItAsksFor) {
  // No machine has this locale; those that lack en_US.UTF-8 take the same way.
  const auto engine =
      Load(TinyModel()
               .Input("t", kString, {-1})
               .Node("StringNormalizer", {"t"}, {"u"},
                     {TextAttribute("case_change_action", "LOWER"), TextAttribute("locale", "xx_XX.UTF-8")})
               .Output("u", kString, {-1})
               .Bytes());
  ASSERT_TRUE(engine) << engine.error().Text();
  const std::string_view texts[] = {"ABC", "ÉTÉ"};

  const auto out = Answer(**engine, {TensorView{ElementType::kString, {2}, nullptr, texts}});

  ASSERT_TRUE(out) << out.error().Text();
  EXPECT_THAT((*out)[0].strings, ElementsAre("abc", "été"));
}

TEST(OnnxModel, RowsFillUpAFixedBatch) {
  const auto engine =
      Load(TinyModel().Input("x", kFloat, {4, 2}).Node("Neg", {"x"}, {"y"}).Output("y", kFloat, {4, 2}).Bytes());
  ASSERT_TRUE(engine) << engine.error().Text();
  EXPECT_EQ((*engine)->info().fixed_rows, 4);

  const auto one = Answer(**engine, {Matrix{{1, 2}, {1, 2}}.view()});
  const auto five = Answer(**engine, {Matrix{std::vector<float>(10), {5, 2}}.view()});

  ASSERT_TRUE(one) << one.error().Text();
  EXPECT_THAT(Floats((*one)[0]), ElementsAre(-1, -2));
  ASSERT_FALSE(five);
  EXPECT_THAT(five.error().message, HasSubstr("takes 4 rows a run"));
}

TEST(OnnxModel, VectorsAloneAreOneRow) {
  const auto engine =
      Load(TinyModel().Input("x", kFloat, {3}).Node("Neg", {"x"}, {"y"}).Output("y", kFloat, {3}).Bytes());
  ASSERT_TRUE(engine) << engine.error().Text();
  EXPECT_FALSE((*engine)->info().batched);
  EXPECT_EQ((*engine)->info().exact_rows, 1);

  const auto out = Answer(**engine, {Matrix{{1, 2, 3}, {3}}.view()});

  ASSERT_TRUE(out);
  EXPECT_THAT(Floats((*out)[0]), ElementsAre(-1, -2, -3));
}

TEST(OnnxModel, TheManifestMayOverruleTheShapes) {
  const auto bytes =
      TinyModel().Input("x", kFloat, {-1, 2}).Node("Neg", {"x"}, {"y"}).Output("y", kFloat, {-1, 2}).Bytes();
  LoadOptions options;
  options.batched = false;

  const auto engine = Load(bytes, options);

  ASSERT_TRUE(engine);
  EXPECT_FALSE((*engine)->info().batched);
}

TEST(OnnxModel, TimeIsNotTakenForRows) {
  const auto engine = Load(TinyModel()
                               .Input("x", kFloat, {-1, 2}, {"sequence"})
                               .Node("Neg", {"x"}, {"y"})
                               .Output("y", kFloat, {-1, 2})
                               .Bytes());
  ASSERT_TRUE(engine);
  EXPECT_FALSE((*engine)->info().batched);
}

/// x[?,30] through a linear classifier: ONNX Runtime takes another path for one row than for many.
std::string LinearModel() {
  std::vector<float> weights;
  for (int i = 0; i < 90; ++i) weights.push_back(1.0f / static_cast<float>(i * 7 % 31 + 1) - 0.1f);
  return TinyModel()
      .Input("x", kFloat, {-1, 30})
      .MlNode("LinearClassifier", {"x"}, {"label", "scores"},
              {FloatsAttribute("coefficients", weights), FloatsAttribute("intercepts", {0.1f, 0.2f, -0.3f}),
               IntsAttribute("classlabels_ints", {0, 1, 2})})
      .Output("label", kInt64, {-1})
      .Output("scores", kFloat, {-1, 3})
      .Bytes();
}

Matrix Rows(int64_t rows) {
  Matrix matrix{{}, {rows, 30}};
  for (int64_t i = 0; i < rows * 30; ++i) matrix.values.push_back(static_cast<float>(i * 37 % 101) * 0.123f - 6);
  return matrix;
}

TEST(OnnxModel, ARowGetsTheSameBitsAloneAndInABatch) {
  const auto engine = Load(LinearModel());
  ASSERT_TRUE(engine) << engine.error().Text();
  const Matrix matrix = Rows(101);
  const auto together = Answer(**engine, {matrix.view()});
  ASSERT_TRUE(together);
  std::vector<std::byte> alone;
  for (int64_t row = 0; row < 101; ++row) {
    const auto out =
        Answer(**engine, {TensorView{ElementType::kFloat32, {1, 30}, matrix.values.data() + row * 30, nullptr}});
    ASSERT_TRUE(out);
    alone.insert(alone.end(), (*out)[1].data.begin(), (*out)[1].data.end());
  }

  EXPECT_EQ(alone, (*together)[1].data);
  EXPECT_EQ((*engine)->info().exact_rows, 256);
  EXPECT_THAT((*engine)->info().exactness, HasSubstr("LinearClassifier"));
}

TEST(OnnxModel, RowsThatMixAreRunAlone) {
  const auto engine = Load(TinyModel()
                               .Input("x", kFloat, {-1, 2})
                               .Node("Softmax", {"x"}, {"y"}, {IntAttribute("axis", 0)})
                               .Output("y", kFloat, {-1, 2})
                               .Bytes());
  ASSERT_TRUE(engine);
  EXPECT_EQ((*engine)->info().exact_rows, 1);
  EXPECT_THAT((*engine)->info().exactness, HasSubstr("other bits in batches than alone"));
}

TEST(OnnxModel, ASumHiddenBehindSaturatedAnswersIsRunAlone) {
  const auto engine = Load(TinyModel()
                               .Input("x", kFloat, {-1, 13})
                               .Initializer(FloatTensor("zero", {}, {0}))
                               .Node("ReduceMean", {"x"}, {"m"}, {IntsAttribute("axes", {1})})
                               .Node("Greater", {"m", "zero"}, {"y"})
                               .Output("y", kBool, {-1, 1})
                               .Bytes());
  ASSERT_TRUE(engine) << engine.error().Text();
  EXPECT_EQ((*engine)->info().exact_rows, 1);
  EXPECT_THAT((*engine)->info().exactness, HasSubstr("too few different answers"));
}

TEST(OnnxModel, UnknownOperatorsAreRunAlone) {
  const auto engine = Load(TinyModel()
                               .Input("x", kFloat, {-1, 2})
                               .Node("Det", {"m"}, {"d"})
                               .Output("y", kFloat, {-1, 2})
                               .Node("Neg", {"x"}, {"y"})
                               .Initializer(FloatTensor("m", {2, 2}, {1, 2, 3, 4}))
                               .Bytes());
  ASSERT_TRUE(engine) << engine.error().Text();
  EXPECT_EQ((*engine)->info().exact_rows, 1);
  EXPECT_THAT((*engine)->info().exactness, HasSubstr("Det is not known"));
}

TEST(OnnxModel, TriesTamerRowsWhenTheModelRefusesSome) {
  // A table of two: an index of the first, daring rows is past its end.
  const auto engine = Load(TinyModel()
                               .Input("i", kInt64, {-1})
                               .Initializer(FloatTensor("table", {2}, {1, 2}))
                               .Node("Gather", {"table", "i"}, {"y"})
                               .Output("y", kFloat, {-1})
                               .Bytes());
  ASSERT_TRUE(engine) << engine.error().Text();
  EXPECT_EQ((*engine)->info().exact_rows, 256) << (*engine)->info().exactness;
}

TEST(OnnxModel, ABatchThatFailsInsideMeansOneRowARun) {
  std::string shape;  // int64 {1, 2}
  AppendWireInteger(shape, 1, 2);
  AppendWireInteger(shape, 2, kInt64);
  AppendWireBytes(shape, 8, "shape");
  AppendWireBytes(shape, 9, std::string_view("\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0", 16));
  const auto engine = Load(TinyModel()
                               .Input("x", kFloat, {-1, 2})
                               .Initializer(shape)
                               .Node("Reshape", {"x", "shape"}, {"y"})
                               .UnshapedOutput("y", kFloat)
                               .Bytes());
  ASSERT_TRUE(engine) << engine.error().Text();
  EXPECT_TRUE((*engine)->info().batched);
  EXPECT_EQ((*engine)->info().exact_rows, 1);
  EXPECT_EQ((*engine)->info().fixed_rows, 1);
}

TEST(OnnxModel, FindsOutShapesThatTheFileDoesNotTell) {
  const auto engine = Load(TinyModel()
                               .Input("x", kFloat, {-1, 2})
                               .Node("ReduceMax", {"x"}, {"y"}, {IntsAttribute("axes", {1})})
                               .UnshapedOutput("y", kFloat)
                               .Bytes());
  ASSERT_TRUE(engine);
  EXPECT_THAT((*engine)->info().outputs[0].shape, ElementsAre(-1, 1));
}

TEST(OnnxModel, AnOutputOfSeveralTargetsDeclaredAsOneIsFoundOut) {
  const auto engine = Load(TinyModel()
                               .Input("x", kFloat, {-1, 2})
                               .MlNode("LinearRegressor", {"x"}, {"y"},
                                       {FloatsAttribute("coefficients", {1, 2, 3, 4}), IntAttribute("targets", 2)})
                               .Output("y", kFloat, {-1, 1})
                               .Bytes());
  ASSERT_TRUE(engine) << engine.error().Text();
  EXPECT_THAT((*engine)->info().outputs[0].shape, ElementsAre(-1, 2));
}

TEST(OnnxModel, AWrongDeclaredOutputShapeDoesNoHarm) {
  const auto engine =
      Load(TinyModel()
               .Input("x", kFloat, {-1, 2})
               .Node("ReduceMax", {"x"}, {"y"}, {IntsAttribute("axes", {1}), IntAttribute("keepdims", 0)})
               .Output("y", kFloat, {1})
               .Bytes());
  ASSERT_TRUE(engine) << engine.error().Text();
  EXPECT_TRUE((*engine)->info().batched);
  const auto session = (*engine)->NewSession();
  std::vector<Tensor> outputs(1);
  const Matrix input{{1, 2, 3, 4}, {2, 2}};
  const TensorView view = input.view();
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE((*session)->Run({&view, 1}, outputs, {}));
    EXPECT_THAT(Floats(outputs[0]), ElementsAre(2, 4));
  }
}

TEST(OnnxModel, SessionsOfSeveralThreadsAnswerAtTheSameTime) {
  const auto engine = Load(LinearModel());
  ASSERT_TRUE(engine);
  const Matrix matrix = Rows(64);
  const auto expected = Answer(**engine, {matrix.view()});
  ASSERT_TRUE(expected);
  std::vector<int> same(4);
  {
    std::vector<std::jthread> threads;
    for (int& count : same) {
      threads.emplace_back([&] {
        for (int round = 0; round < 50; ++round) {
          const auto out = Answer(**engine, {matrix.view()});
          count += out && (*out)[1].data == (*expected)[1].data;
        }
      });
    }
  }
  EXPECT_THAT(same, testing::Each(50));
}

TEST(OnnxModel, AFailingRunIsAnErrorWithTheRuntimesWord) {
  const auto engine = Load(TinyModel()
                               .Input("i", kInt64, {-1})
                               .Initializer(FloatTensor("table", {2}, {1, 2}))
                               .Node("Gather", {"table", "i"}, {"y"})
                               .Output("y", kFloat, {-1})
                               .Bytes());
  ASSERT_TRUE(engine) << engine.error().Text();
  const int64_t index = 99;

  const auto out = Answer(**engine, {TensorView{ElementType::kInt64, {1}, &index, nullptr}});

  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().reason, "engine.run");
  EXPECT_THAT(out.error().message, HasSubstr("99"));
  EXPECT_THAT(out.error().message, testing::Not(HasSubstr("onnxruntime_src")));
}

TEST(OnnxModelRefusal, OperatorSetNewerThanTheRuntime) {
  const auto message = Refusal(Doubler().OperatorSet("", 99).Bytes());
  EXPECT_THAT(message, HasSubstr("operator set 99 of ai.onnx"));
  EXPECT_THAT(message, HasSubstr("opset_version="));
}

TEST(OnnxModelRefusal, FileFormatNewerThanTheRuntime) {
  const auto message = Refusal(Doubler().IrVersion(99).Bytes());
  EXPECT_THAT(message, HasSubstr("IR version 99"));
  EXPECT_THAT(message, HasSubstr("model.ir_version = "));
}

TEST(OnnxModelRefusal, OperatorsOutsideTheStandard) {
  const auto message = Refusal(TinyModel()
                                   .OperatorSet("", 17)
                                   .OperatorSet("ai.onnx.contrib", 1)
                                   .Input("x", kFloat, {-1})
                                   .Node("BertTokenizer", {"x"}, {"y"}, {}, "ai.onnx.contrib")
                                   .Output("y", kFloat, {-1})
                                   .Bytes());
  EXPECT_THAT(message, HasSubstr("ai.onnx.contrib.BertTokenizer"));
  EXPECT_THAT(message, HasSubstr("onnxruntime-extensions"));
}

/// The probabilities of two targets as one value, as scikit-learn's MultiOutputClassifier is exported.
TinyModel TwoTargets() {
  return TinyModel()
      .Input("x", kFloat, {-1, 2})
      .Node("Softmax", {"x"}, {"first"})
      .Node("Neg", {"x"}, {"second"})
      .Node("SequenceConstruct", {"first", "second"}, {"probabilities"})
      .SequenceOutput("probabilities", kFloat);
}

TEST(OnnxModel, ASequenceOfTensorsIsAnOutputForEach) {
  const auto engine = Load(TwoTargets().Bytes());
  ASSERT_TRUE(engine) << engine.error().Text();
  const ModelInfo& info = (*engine)->info();
  ASSERT_EQ(info.outputs.size(), 2u);
  EXPECT_EQ(info.outputs[0].name, "probabilities_0");
  EXPECT_EQ(info.outputs[1].name, "probabilities_1");
  EXPECT_THAT(info.outputs[1].shape, ElementsAre(-1, 2));
  EXPECT_EQ(info.exact_rows, 256) << info.exactness;

  const auto answer = Answer(**engine, {Matrix{{1, 1, 3, 4}, {2, 2}}.view()});

  ASSERT_TRUE(answer) << answer.error().Text();
  EXPECT_EQ(Floats((*answer)[0])[1], 0.5f);
  EXPECT_THAT(Floats((*answer)[1]), ElementsAre(-1, -1, -3, -4));
}

TEST(OnnxModel, AnInputMayStandInASequenceTwice) {
  const auto engine = Load(TinyModel()
                               .Input("x", kFloat, {-1, 2})
                               .Node("SequenceConstruct", {"x", "x"}, {"y"})
                               .SequenceOutput("y", kFloat)
                               .Bytes());
  ASSERT_TRUE(engine) << engine.error().Text();

  const auto answer = Answer(**engine, {Matrix{{1, 2}, {1, 2}}.view()});

  ASSERT_TRUE(answer) << answer.error().Text();
  EXPECT_THAT(Floats((*answer)[1]), ElementsAre(1, 2));
}

/// Labels of all rows side by side, as scikit-learn's discriminant analysis is exported.
TinyModel SidewaysLabels() {
  return TinyModel()
      .Input("x", kFloat, {-1, 2})
      .Node("ReduceMax", {"x"}, {"column"}, {IntsAttribute("axes", {1})})
      .Node("Transpose", {"column"}, {"y"})
      .Output("y", kFloat, {1, -1});
}

TEST(OnnxModel, RowsThatLieSideBySideAreRows) {
  const auto engine = Load(SidewaysLabels().Bytes());
  ASSERT_TRUE(engine) << engine.error().Text();
  const ModelInfo& info = (*engine)->info();
  EXPECT_TRUE(info.batched);
  EXPECT_EQ(info.exact_rows, 256) << info.exactness;
  EXPECT_THAT(info.outputs[0].shape, ElementsAre(-1));

  const auto answer = Answer(**engine, {Matrix{{1, 2, 4, 3, 5, 6}, {3, 2}}.view()});

  ASSERT_TRUE(answer) << answer.error().Text();
  EXPECT_THAT((*answer)[0].shape, ElementsAre(3));
  EXPECT_THAT(Floats((*answer)[0]), ElementsAre(2, 4, 6));
}

TEST(OnnxModel, RowsThatLieSideBySideAreCutWhenARunIsFilledUp) {
  const auto engine = Load(TinyModel()
                               .Input("x", kFloat, {-1, 1})
                               .Node("Elu", {"x"}, {"column"})  // runs in fours
                               .Node("Transpose", {"column"}, {"y"})
                               .Output("y", kFloat, {1, -1})
                               .Bytes());
  ASSERT_TRUE(engine) << engine.error().Text();

  const auto answer = Answer(**engine, {Matrix{{1, 2, 3}, {3, 1}}.view()});

  ASSERT_TRUE(answer) << answer.error().Text();
  EXPECT_THAT(Floats((*answer)[0]), ElementsAre(1, 2, 3));
}

TEST(OnnxModel, TheManifestMaySayThatRowsSideBySideAreOneRow) {
  LoadOptions options;
  options.batched = false;
  const auto engine = Load(SidewaysLabels().Bytes(), options);
  ASSERT_TRUE(engine) << engine.error().Text();

  const auto answer = Answer(**engine, {Matrix{{1, 2, 4, 3}, {2, 2}}.view()});

  ASSERT_TRUE(answer) << answer.error().Text();
  EXPECT_THAT((*answer)[0].shape, ElementsAre(1, 2));
}

TEST(OnnxModelRefusal, SequencesCutFromATensor) {
  const auto message = Refusal(TinyModel()
                                   .Input("x", kFloat, {-1, 2})
                                   .Node("SplitToSequence", {"x"}, {"parts"})
                                   .SequenceOutput("parts", kFloat)
                                   .Bytes());
  EXPECT_THAT(message, HasSubstr("output parts is a sequence"));
  EXPECT_THAT(message, HasSubstr("SequenceConstruct"));
}

TEST(OnnxModelRefusal, SequencesThatAreNoMaps) {
  const auto message = Refusal(TinyModel()
                                   .Input("x", kFloat, {-1, 2})
                                   .Node("SplitToSequence", {"x"}, {"s"})
                                   .Node("SequenceInsert", {"s", "x"}, {"y"})
                                   .MapsOutput("y", kInt64)
                                   .Bytes());
  EXPECT_NE(message, "loaded");
}

TEST(OnnxModelRefusal, EmptyFileAndPickle) {
  EXPECT_THAT(Refusal(""), HasSubstr("empty"));
  EXPECT_THAT(Refusal("\x80\x04\x95 sklearn"), HasSubstr("skl2onnx"));
  EXPECT_THAT(Refusal(Doubler().Bytes().substr(0, 40)), HasSubstr("not a readable ONNX model"));
}

TinyModel External(const std::string& location, const std::string& offset = "0", const std::string& length = "8") {
  return TinyModel()
      .Input("x", kFloat, {-1, 2})
      .Initializer(ExternalFloatTensor("w", {2}, location, offset, length))
      .Node("Mul", {"x", "w"}, {"y"})
      .Output("y", kFloat, {-1, 2});
}

TEST(ExternalData, IsReadFromTheBundle) {
  const float weights[] = {0, 3, 5};
  Files files;
  files["data/w.bin"].assign(reinterpret_cast<const char*>(weights), sizeof(weights));
  const auto engine = Load(External("data/w.bin", "4").Bytes(), {}, files);
  ASSERT_TRUE(engine) << engine.error().Text();
  files.clear();

  const auto out = Answer(**engine, {Matrix{{1, 2}, {1, 2}}.view()});

  ASSERT_TRUE(out);
  EXPECT_THAT(Floats((*out)[0]), ElementsAre(3, 10));
}

class ExternalDataOutside : public testing::TestWithParam<std::string> {};

TEST_P(ExternalDataOutside, IsRefusedNamingTensorAndLocation) {
  const auto message = Refusal(External(GetParam()).Bytes());
  EXPECT_THAT(message, HasSubstr("tensor w"));
  EXPECT_THAT(message, HasSubstr(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Locations, ExternalDataOutside,
                         testing::Values("/etc/passwd", "../secret", "a/../../secret", "./w.bin", "a//b", "",
                                         "*/_ORT_MEM_ADDR_/*", "..\\secret", "missing.bin"));

TEST(ExternalData, PastTheEndOfItsFileIsRefused) {
  const Files files = {{"w.bin", "12345678"}};
  EXPECT_THAT(Refusal(External("w.bin", "4", "8").Bytes(), files), HasSubstr("past the end"));
  EXPECT_THAT(Refusal(External("w.bin", "9", "0").Bytes(), files), HasSubstr("past the end"));
  EXPECT_THAT(Refusal(External("w.bin", "-1", "8").Bytes(), files), HasSubstr("offset"));
}

TEST(ExternalData, ShorterThanItsTensorIsRefused) {
  const Files files = {{"w.bin", "1234"}};
  EXPECT_NE(Refusal(External("w.bin", "0", "4").Bytes(), files), "loaded");
  EXPECT_NE(Refusal(External("w.bin", "0", "").Bytes(), files), "loaded");
}

/// Loads with a trial that notes why it was asked for and gives that answer.
struct FakeTrial {
  std::vector<std::string> causes;
  base::Result<void> answer;

  base::Result<std::unique_ptr<Engine>> Load(const std::string& bytes) {
    LoadOptions options;
    options.trial = [this](std::string_view cause, const std::vector<ExternalFile>&) {
      causes.emplace_back(cause);
      return answer;
    };
    return onnx::Load(bytes, options);
  }
};

TEST(OnnxModelOnTrial, LightModelsAreNotTried) {
  FakeTrial trial;
  ASSERT_TRUE(trial.Load(Doubler().Bytes()));
  EXPECT_THAT(trial.causes, ElementsAre());
}

std::string Convolution() {
  return TinyModel()
      .Input("x", kFloat, {-1, 1, 3, 3})
      .Initializer(FloatTensor("k", {1, 1, 2, 2}, {1, 2, 3, 4}))
      .Node("Conv", {"x", "k"}, {"y"})
      .Output("y", kFloat, {-1, 1, 2, 2})
      .Bytes();
}

TEST(OnnxModelOnTrial, OthersAreTriedOnceAndThenLoaded) {
  FakeTrial trial;
  ASSERT_TRUE(trial.Load(Convolution()));
  EXPECT_THAT(trial.causes, ElementsAre("Conv"));
}

TEST(OnnxModelOnTrial, OneThatFailedIsNotLoaded) {
  FakeTrial trial;
  trial.answer = base::Fail(base::Code::kInvalidArgument, "engine.model", "crashed");

  const auto engine = trial.Load(Convolution());

  ASSERT_FALSE(engine);
  EXPECT_EQ(engine.error().Text(), "model.onnx: crashed");
}

TEST(OnnxModel, RefusesARowThatNoMemoryHolds) {
  const auto row = [](const std::vector<int64_t>& shape) {
    return TinyModel().Input("x", kFloat, shape).Node("Neg", {"x"}, {"y"}).Output("y", kFloat, shape).Bytes();
  };
  EXPECT_THAT(Refusal(row({-1, int64_t{1} << 40})), HasSubstr("at input x"));
  EXPECT_THAT(Refusal(row({int64_t{1} << 40, 3})), HasSubstr("more than 268435456 elements"));
  EXPECT_THAT(Refusal(row({int64_t{1} << 32, int64_t{1} << 32})), HasSubstr("at input x"));
}

}  // namespace
}  // namespace slipway::engine::onnx
