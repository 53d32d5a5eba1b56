#include "engine/onnx/light/light_rules.h"

#include <array>
#include <numeric>
#include <utility>

namespace slipway::engine::onnx {

namespace {

using Kind = Dimension::Kind;

/// The size that two operands have together, or nullopt when they do not fit.
std::optional<Dimension> Together(const Dimension& a, const Dimension& b) {
  if (a.exact() && b.exact() && a.most != b.most && a.most != 1 && b.most != 1) return std::nullopt;
  if (a.exact() && a.most == 1) return b;
  if (b.exact() && b.most == 1) return a;
  if (a.exact()) return a;
  if (b.exact()) return b;
  return Dimension{std::max(a.most, b.most), a.kind == b.kind ? a.kind : Kind::kOpen};
}

std::optional<Dimensions> Broadcast(const Dimensions& a, const Dimensions& b) {
  Dimensions out(std::max(a.size(), b.size()));
  for (size_t i = 0; i < out.size(); ++i) {
    const Dimension one;
    const Dimension& left = i < a.size() ? a[a.size() - 1 - i] : one;
    const Dimension& right = i < b.size() ? b[b.size() - 1 - i] : one;
    const auto both = Together(left, right);
    if (!both) return std::nullopt;
    out[out.size() - 1 - i] = *both;
  }
  return out;
}

bool Same(LightNode& node) {
  const KnownTensor* x = node.input(0);
  return x != nullptr && node.Give(0, x->type, x->shape);
}

bool SameAsTruths(LightNode& node) {
  const KnownTensor* x = node.input(0);
  return x != nullptr && node.Give(0, kBoolElement, x->shape);
}

bool Dropout(LightNode& node) {
  const KnownTensor* x = node.input(0);
  return x != nullptr && node.Give(1, kBoolElement, x->shape) && node.Give(0, x->type, x->shape);
}

bool LayerNormalization(LightNode& node) {
  const KnownTensor* x = node.input(0);
  return x != nullptr && x->floating() && node.Give(1, kFloatElement, x->shape) &&
         node.Give(2, kFloatElement, x->shape) && node.Give(0, x->type, x->shape);
}

bool BatchNormalization(LightNode& node) {
  return node.node().outputs.size() == 1 && node.node().Integer("training_mode", 0) == 0 && Same(node);
}

bool Cast(LightNode& node) {
  const KnownTensor* x = node.input(0);
  return x != nullptr && node.Give(0, node.node().Integer("to", 0), x->shape);
}

/// All inputs against each other; `type` 0: that of the first.
bool Elementwise(LightNode& node, int64_t type) {
  std::optional<Dimensions> shape = Dimensions();
  for (size_t i = 0; i < node.node().inputs.size(); ++i) {
    const KnownTensor* x = node.input(i);
    if (x == nullptr) return false;
    shape = Broadcast(*shape, x->shape);
    if (!shape) return false;
  }
  node.Work(Times(MostElements(*shape), static_cast<int64_t>(node.node().inputs.size())));
  return node.input(0) != nullptr && node.Give(0, type != 0 ? type : node.input(0)->type, *shape);
}

bool Arithmetic(LightNode& node) {
  return Elementwise(node, 0);
}

bool Comparison(LightNode& node) {
  return Elementwise(node, kBoolElement);
}

/// Whole numbers divide with a trap: the smallest of them by -1.
bool Division(LightNode& node) {
  const KnownTensor* a = node.input(0);
  const KnownTensor* b = node.input(1);
  return a != nullptr && b != nullptr && a->floating() && b->floating() && Elementwise(node, 0);
}

bool Where(LightNode& node) {
  return node.input(1) != nullptr && Elementwise(node, node.input(1)->type);
}

struct Matrix {
  Dimension rows, columns;
};

Matrix LastTwo(const Dimensions& shape, bool transposed) {
  const Dimension& a = shape[shape.size() - 2];
  const Dimension& b = shape.back();
  return transposed ? Matrix{b, a} : Matrix{a, b};
}

bool Gemm(LightNode& node) {
  const KnownTensor* a = node.input(0);
  const KnownTensor* b = node.input(1);
  if (a == nullptr || b == nullptr || a->shape.size() != 2 || b->shape.size() != 2) return false;
  const Matrix left = LastTwo(a->shape, node.node().Integer("transA", 0) != 0);
  const Matrix right = LastTwo(b->shape, node.node().Integer("transB", 0) != 0);
  node.Work(Times(Times(left.rows.most, left.columns.most), right.columns.most));
  return node.Give(0, a->type, {left.rows, right.columns});
}

bool MatMul(LightNode& node) {
  const KnownTensor* a = node.input(0);
  const KnownTensor* b = node.input(1);
  if (a == nullptr || b == nullptr || a->shape.empty() || b->shape.empty()) return false;
  Dimensions left = a->shape, right = b->shape;
  const bool row = left.size() == 1, column = right.size() == 1;
  if (row) left.insert(left.begin(), Dimension());
  if (column) right.emplace_back();
  const Matrix first = LastTwo(left, false), second = LastTwo(right, false);
  left.resize(left.size() - 2);
  right.resize(right.size() - 2);
  auto shape = Broadcast(left, right);
  if (!shape) return false;
  if (!row) shape->push_back(first.rows);
  if (!column) shape->push_back(second.columns);
  node.Work(Times(MostElements(*shape), first.columns.most));
  return node.Give(0, a->type, std::move(*shape));
}

bool Reduce(LightNode& node) {
  const KnownTensor* x = node.input(0);
  bool told = false;
  const auto values = IntegersOf(node, "axes", 1, told);
  if (x == nullptr || told != values.has_value()) return false;
  auto axes = AxesOf(values.value_or(std::vector<int64_t>()), x->shape.size());
  if (!axes) return false;
  if (axes->empty() && node.node().Integer("noop_with_empty_axes", 0) != 0) return Same(node);
  Dimensions shape;
  for (size_t i = 0; i < x->shape.size(); ++i) {
    const bool reduced = axes->empty() || std::ranges::find(*axes, i) != axes->end();
    if (!reduced) shape.push_back(x->shape[i]);
    if (reduced && node.node().Integer("keepdims", 1) != 0) shape.emplace_back();
  }
  node.Work(MostElements(x->shape));
  return node.Give(0, x->type, std::move(shape));
}

bool ArgumentOfExtreme(LightNode& node) {
  const KnownTensor* x = node.input(0);
  if (x == nullptr) return false;
  const auto axis = AxisOf(node.node().Integer("axis", 0), x->shape.size());
  if (!axis) return false;
  Dimensions shape = x->shape;
  shape[*axis] = Dimension();
  if (node.node().Integer("keepdims", 1) == 0) shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(*axis));
  node.Work(MostElements(x->shape));
  return node.Give(0, kInt64Element, std::move(shape));
}

bool Constant(LightNode& node) {
  if (node.node().attributes.size() != 1) return false;
  const KnownAttribute& value = node.node().attributes.front();
  if (value.name == "value") {
    auto tensor = ReadKnownTensor(value.tensor);
    return tensor && node.GiveConstant(0, std::move(*tensor));
  }
  if (value.name == "value_float") return node.Give(0, kFloatElement, {});
  if (value.name == "value_int") return node.GiveConstant(0, {kInt64Element, {}, std::vector<int64_t>{value.integer}});
  if (value.name == "value_floats" && value.floats > 0) return node.Give(0, kFloatElement, {{value.floats}});
  if (value.name == "value_ints" && value.integers > 0 && value.integers <= 64) {
    return node.GiveConstant(0, {kInt64Element, {{value.integers}}, value.Integers()});
  }
  return false;
}

struct NamedRule {
  std::string_view names;
  LightRule rule;
};

constexpr std::array kRules = {
    NamedRule{" Abs Acos Acosh Asin Asinh Atan Atanh Celu Ceil Clip Cos Cosh Elu Erf Exp Floor Gelu HardSigmoid "
              "HardSwish Hardmax Identity LeakyRelu Log LogSoftmax Mish Neg Not PRelu Reciprocal Relu Round Selu "
              "Sigmoid Sign Sin Sinh Softmax Softplus Softsign Sqrt Tan Tanh ThresholdedRelu ",
              Same},
    NamedRule{" IsInf IsNaN ", SameAsTruths},
    NamedRule{" Add Max Mean Min Mul Pow Sub Sum ", Arithmetic},
    NamedRule{" And Equal Greater GreaterOrEqual Less LessOrEqual Or Xor ", Comparison},
    NamedRule{" ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum "
              "ReduceSumSquare ",
              Reduce},
    NamedRule{" ArgMax ArgMin ", ArgumentOfExtreme},
    NamedRule{" BatchNormalization ", BatchNormalization},
    NamedRule{" Cast ", Cast},
    NamedRule{" Constant ", Constant},
    NamedRule{" Div ", Division},
    NamedRule{" Dropout ", Dropout},
    NamedRule{" Gemm ", Gemm},
    NamedRule{" LayerNormalization ", LayerNormalization},
    NamedRule{" MatMul ", MatMul},
    NamedRule{" Where ", Where},
};

}  // namespace

std::optional<size_t> AxisOf(int64_t axis, size_t rank) {
  const auto size = static_cast<int64_t>(rank);
  if (axis < -size || axis >= size) return std::nullopt;
  return static_cast<size_t>(axis < 0 ? axis + size : axis);
}

std::optional<std::vector<int64_t>> IntegersOf(const LightNode& node, std::string_view attribute, size_t input,
                                               bool& told) {
  const KnownAttribute* found = node.node().Find(attribute);
  told = found != nullptr || node.given(input);
  if (found != nullptr) return found->Integers();
  const KnownTensor* tensor = node.input(input);
  return tensor == nullptr ? std::nullopt : tensor->integers;
}

std::optional<std::vector<size_t>> AxesOf(const std::vector<int64_t>& values, size_t rank) {
  std::vector<size_t> axes;
  for (int64_t value : values) {
    const auto axis = AxisOf(value, rank);
    if (!axis || std::ranges::find(axes, *axis) != axes.end()) return std::nullopt;
    axes.push_back(*axis);
  }
  return axes;
}

bool LightNode::Give(size_t output, int64_t type, Dimensions shape) {
  return output >= node_.outputs.size() || node_.outputs[output].empty() ||
         GiveConstant(output, {type, std::move(shape), {}});
}

bool LightNode::GiveConstant(size_t output, KnownTensor tensor) {
  if (output >= node_.outputs.size() || tensor.MostBytes() == 0 || tensor.shape.size() > 8) return false;
  Work(MostElements(tensor.shape));
  return graph_.Put(node_.outputs[output], std::move(tensor));
}

LightRule FindLightRule(std::string_view name) {
  if (name.find('.') != std::string_view::npos || name == "StringNormalizer" || name == "TfIdfVectorizer") {
    return FindMachineLearningRule(name);
  }
  if (const LightRule rule = FindShapeRule(name)) return rule;
  if (name.empty() || name.find(' ') != std::string_view::npos) return nullptr;
  const std::string word = " " + std::string(name) + " ";
  const auto found = std::ranges::find_if(
      kRules, [&](const NamedRule& rule) { return rule.names.find(word) != std::string_view::npos; });
  return found == kRules.end() ? nullptr : found->rule;
}

}  // namespace slipway::engine::onnx
