// Which operators of ONNX Runtime 1.32's CPU kernels give a row the same bits in any batch. Found by experiment on
// x86-64 (the operator_… models of tests/conformance/models repeat it) and confirmed for each model by the probe at
// load.
#include <algorithm>
#include <iterator>
#include <string_view>

#include "engine/onnx/row_exactness.h"

namespace slipway::engine::onnx {

namespace {

/// Move values, compute every element by itself in IEEE-exact steps, or walk rows one by one.
constexpr std::string_view kAlone[] = {"Abs",
                                       "Add",
                                       "And",
                                       "ArgMax",
                                       "ArgMin",
                                       "AveragePool",
                                       "BatchNormalization",
                                       "Cast",
                                       "CastLike",
                                       "Ceil",
                                       "Clip",
                                       "Concat",
                                       "Constant",
                                       "ConstantOfShape",
                                       "Conv",
                                       "ConvTranspose",
                                       "CumSum",
                                       "DepthToSpace",
                                       "DequantizeLinear",
                                       "Div",
                                       "Dropout",
                                       "Equal",
                                       "Erf",
                                       "Exp",
                                       "Expand",
                                       "Flatten",
                                       "Floor",
                                       "GRU",
                                       "Gather",
                                       "GatherElements",
                                       "GatherND",
                                       "Gelu",
                                       "Gemm",
                                       "GlobalAveragePool",
                                       "GlobalMaxPool",
                                       "Greater",
                                       "GreaterOrEqual",
                                       "HardSigmoid",
                                       "HardSwish",
                                       "Hardmax",
                                       "Identity",
                                       "If",
                                       "InstanceNormalization",
                                       "IsInf",
                                       "IsNaN",
                                       "LRN",
                                       "LSTM",
                                       "LayerNormalization",
                                       "LeakyRelu",
                                       "Less",
                                       "LessOrEqual",
                                       "LogSoftmax",
                                       "LpNormalization",
                                       "MatMul",
                                       "MatMulInteger",
                                       "Max",
                                       "MaxPool",
                                       "Min",
                                       "Mod",
                                       "Mul",
                                       "Neg",
                                       "Not",
                                       "OneHot",
                                       "Or",
                                       "PRelu",
                                       "Pad",
                                       "QLinearConv",
                                       "QLinearMatMul",
                                       "QuantizeLinear",
                                       "Range",
                                       "Reciprocal",
                                       "ReduceMax",
                                       "ReduceMin",
                                       "Relu",
                                       "Reshape",
                                       "Round",
                                       "Shape",
                                       "Sigmoid",
                                       "Sign",
                                       "Size",
                                       "Slice",
                                       "Softmax",
                                       "Softsign",
                                       "SpaceToDepth",
                                       "Split",
                                       "Sqrt",
                                       "Squeeze",
                                       "StringConcat",
                                       "StringNormalizer",
                                       "StringSplit",
                                       "Sub",
                                       "Sum",
                                       "Tanh",
                                       "TfIdfVectorizer",
                                       "ThresholdedRelu",
                                       "Tile",
                                       "TopK",
                                       "Transpose",
                                       "Trilu",
                                       "Unsqueeze",
                                       "Where",
                                       "Xor",
                                       "ai.onnx.ml.ArrayFeatureExtractor",
                                       "ai.onnx.ml.Binarizer",
                                       "ai.onnx.ml.CastMap",
                                       "ai.onnx.ml.CategoryMapper",
                                       "ai.onnx.ml.FeatureVectorizer",
                                       "ai.onnx.ml.Imputer",
                                       "ai.onnx.ml.LabelEncoder",
                                       "ai.onnx.ml.Normalizer",
                                       "ai.onnx.ml.OneHotEncoder",
                                       "ai.onnx.ml.Scaler",
                                       "ai.onnx.ml.TreeEnsemble",
                                       "ai.onnx.ml.TreeEnsembleClassifier",
                                       "ai.onnx.ml.TreeEnsembleRegressor",
                                       "ai.onnx.ml.ZipMap",
                                       "com.microsoft.FastGelu",
                                       "com.microsoft.Gelu",
                                       "com.microsoft.QuickGelu",
                                       "com.microsoft.Tokenizer"};

/// Take another path for a single row (a matrix times a vector), the same one for two rows or more. Reductions over
/// rows whose length is no multiple of four also depend on a row's address; the probe finds those out.
constexpr std::string_view kInPairs[] = {"Einsum",
                                         "RNN",
                                         "ReduceL1",
                                         "ReduceL2",
                                         "ReduceLogSum",
                                         "ReduceLogSumExp",
                                         "ReduceMean",
                                         "ReduceProd",
                                         "ReduceSum",
                                         "ReduceSumSquare",
                                         "ai.onnx.ml.LinearClassifier",
                                         "ai.onnx.ml.LinearRegressor",
                                         "ai.onnx.ml.SVMClassifier",
                                         "ai.onnx.ml.SVMRegressor",
                                         "com.microsoft.CDist"};

/// Compute four elements at a time and the rest one by one with another formula, so a row's place decides its last
/// bits.
constexpr std::string_view kInFours[] = {"Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "Celu", "Cosh",     "Elu",
                                         "Log",  "Loop",  "Mish", "Pow",   "Scan", "Selu",  "Sinh", "Softplus", "Tan"};

/// Alone in single precision on x86-64, in fours in double precision or elsewhere.
constexpr std::string_view kTranscendental[] = {"Erf",     "Exp",     "Gelu", "LogSoftmax", "ReduceLogSumExp",
                                                "Sigmoid", "Softmax", "Tanh"};

#if defined(__x86_64__)
constexpr bool kVectorFunctions = true;
#else
constexpr bool kVectorFunctions = false;
#endif

/// Past this size running a single row as four costs more than batches gain.
constexpr int64_t kLightBytes = 1 << 20;

bool In(std::string_view name, auto& list) {
  return std::ranges::find(list, name) != std::end(list);
}

/// Rows that a run must hold a multiple of; 0: unknown.
int64_t PaddingOf(std::string_view name, const OperatorUse& use, bool float64) {
  if (In(name, kInFours)) return 4;
  if (In(name, kTranscendental) && (float64 || !kVectorFunctions)) return 4;
  if (In(name, kInPairs) || use.variable_weights > 0) return 2;
  return In(name, kAlone) ? 1 : 0;
}

}  // namespace

OperatorPromise JudgeOperators(const ModelFile& file) {
  OperatorPromise promise{true, 1, "every operator computes rows one by one"};
  for (const auto& [name, use] : file.operators) {
    if (std::ranges::find(file.functions, name) != file.functions.end()) continue;  // its body is counted too
    const int64_t padding = PaddingOf(name, use, file.uses_float64);
    if (padding == 0) return {false, 1, name + " is not known to give a row the same bits in every batch"};
    if (padding > promise.padding) {
      promise.padding = padding;
      promise.why = name + " gives the same bits in runs of a multiple of " + std::to_string(padding) + " rows";
    }
  }
  if (promise.padding > 2 && (file.parameter_bytes > kLightBytes || !file.external.empty())) {
    return {false, 1, promise.why + "; for a model of this size that costs more than batches gain"};
  }
  return promise;
}

}  // namespace slipway::engine::onnx
