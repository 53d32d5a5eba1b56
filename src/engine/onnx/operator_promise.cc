// Which operators of ONNX Runtime 1.32's CPU kernels give a row the same bits in any batch. Found by experiment on
// x86-64 (the operator_… models of tests/conformance/models repeat it) and confirmed for each model by the probe at
// load.
#include <algorithm>
#include <string_view>

#include "engine/onnx/row_exactness.h"

namespace slipway::engine::onnx {

namespace {

/// Move values, compute every element by itself in IEEE-exact steps, or walk rows one by one. A MatMul whose weights
/// are computed from the inputs is an exception that the probe finds.
constexpr std::string_view kAlone =
    "Abs Add And ArgMax ArgMin AveragePool BatchNormalization Cast CastLike Ceil Clip Concat Constant "
    "ConstantOfShape Conv ConvTranspose CumSum DepthToSpace DequantizeLinear Div Dropout Equal Erf Exp Expand "
    "Flatten Floor GRU Gather GatherElements GatherND Gelu Gemm GlobalAveragePool GlobalMaxPool Greater "
    "GreaterOrEqual HardSigmoid HardSwish Hardmax Identity If InstanceNormalization IsInf IsNaN LRN LSTM "
    "LayerNormalization LeakyRelu Less LessOrEqual LogSoftmax LpNormalization MatMul MatMulInteger Max MaxPool "
    "Min Mod Mul Neg Not OneHot Or PRelu Pad QLinearConv QLinearMatMul QuantizeLinear Range Reciprocal ReduceMax "
    "ReduceMin Relu Reshape Round SequenceConstruct Shape Sigmoid Sign Size Slice Softmax Softsign SpaceToDepth Split "
    "Sqrt Squeeze "
    "StringConcat StringNormalizer StringSplit Sub Sum Tanh TfIdfVectorizer ThresholdedRelu Tile TopK Transpose "
    "Trilu Unsqueeze Where Xor ai.onnx.ml.ArrayFeatureExtractor ai.onnx.ml.Binarizer ai.onnx.ml.CastMap "
    "ai.onnx.ml.CategoryMapper ai.onnx.ml.FeatureVectorizer ai.onnx.ml.Imputer ai.onnx.ml.LabelEncoder "
    "ai.onnx.ml.Normalizer ai.onnx.ml.OneHotEncoder ai.onnx.ml.Scaler ai.onnx.ml.TreeEnsemble "
    "ai.onnx.ml.TreeEnsembleClassifier ai.onnx.ml.TreeEnsembleRegressor ai.onnx.ml.ZipMap com.microsoft.FastGelu "
    "com.microsoft.Gelu com.microsoft.QuickGelu com.microsoft.Tokenizer";

/// Take another path for a single row (a matrix times a vector), the same one for two rows or more. Cheap enough to be
/// run in pairs at any size.
constexpr std::string_view kLinear = "ai.onnx.ml.LinearClassifier ai.onnx.ml.LinearRegressor";

/// The same, but not always cheap. Reductions over rows whose length is no multiple of four also depend on a row's
/// address; the probe finds those out.
constexpr std::string_view kInPairs =
    "Einsum RNN ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMean ReduceProd ReduceSum ReduceSumSquare "
    "ai.onnx.ml.SVMClassifier ai.onnx.ml.SVMRegressor com.microsoft.CDist";

/// Compute four elements at a time and the rest one by one with another formula, so a row's place decides its last
/// bits. Sin and Cos are not among them: one huge value changes the formula for its neighbours too.
constexpr std::string_view kInFours =
    "Acos Acosh Asin Asinh Atan Atanh Celu Cosh Elu Log Loop Mish Pow Scan Selu Sinh Softplus Tan";

/// Alone in single precision on x86-64, in fours in double precision or elsewhere.
constexpr std::string_view kTranscendental = "Erf Exp Gelu LogSoftmax ReduceLogSumExp Sigmoid Softmax Tanh";

#if defined(__x86_64__)
constexpr bool kVectorFunctions = true;
#else
constexpr bool kVectorFunctions = false;
#endif

/// Past this size running a single row as several costs more than batches gain.
constexpr int64_t kLightBytes = 1 << 20;

/// Whether `name` is a word of `list`.
bool In(std::string_view list, std::string_view name) {
  for (size_t at = list.find(name); at != std::string_view::npos; at = list.find(name, at + 1)) {
    const size_t end = at + name.size();
    if ((at == 0 || list[at - 1] == ' ') && (end == list.size() || list[end] == ' ')) return !name.empty();
  }
  return false;
}

/// Rows that a run must hold a multiple of; 0: unknown.
int64_t PaddingOf(std::string_view name, bool float64) {
  if (In(kInFours, name)) return 4;
  if (In(kTranscendental, name) && (float64 || !kVectorFunctions)) return 4;
  if (In(kInPairs, name) || In(kLinear, name)) return 2;
  return In(kAlone, name) ? 1 : 0;
}

}  // namespace

OperatorPromise JudgeOperators(const ModelFile& file) {
  OperatorPromise promise{true, 1, "every operator computes rows one by one"};
  std::string costly;
  for (const auto& [name, count] : file.operators) {
    if (std::ranges::find(file.functions, name) != file.functions.end()) continue;  // its body is counted too
    const int64_t padding = PaddingOf(name, file.uses_float64);
    if (padding == 0) return {false, 1, name + " is not known to give a row the same bits in every batch"};
    if (padding > 1 && !In(kLinear, name)) costly = name;
    promise.doubtful |= name.starts_with("Reduce") && In(kInPairs, name);
    if (padding > promise.padding) {
      promise.padding = padding;
      promise.why = name + " gives the same bits in runs of a multiple of " + std::to_string(padding) + " rows";
    }
  }
  if (!costly.empty() && (file.parameter_bytes > kLightBytes || !file.external.empty())) {
    return {
        false, 1,
        costly + " needs runs filled up to several rows, which in a model of this size costs more than batches gain"};
  }
  return promise;
}

}  // namespace slipway::engine::onnx
