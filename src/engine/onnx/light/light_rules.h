#pragma once
// The operators that a model may consist of without being tried first, and for each of them what it gives. An operator
// is here when ONNX Runtime's code for it allocates what its output takes (and no more than that again), divides whole
// numbers by nothing that the file or a row can set, and has no loop that the file can make long; and when, for
// attributes that this file finds in order, it reads nothing beyond them.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/onnx/light/known_graph.h"

namespace slipway::engine::onnx {

/// A node while its rule looks at it.
class LightNode {
 public:
  LightNode(const KnownNode& node, KnownGraph& graph) : node_(node), graph_(graph) {}

  const KnownNode& node() const { return node_; }
  /// nullptr: not given.
  const KnownTensor* input(size_t index) const {
    return index < node_.inputs.size() ? graph_.Find(node_.inputs[index]) : nullptr;
  }
  bool given(size_t index) const { return index < node_.inputs.size() && !node_.inputs[index].empty(); }
  /// Tells what an output is; an output that nobody wants is fine. False when its name is taken.
  bool Give(size_t output, int64_t type, Dimensions shape);
  bool GiveConstant(size_t output, KnownTensor tensor);
  /// Elementary steps beyond one an element of the output.
  void Work(int64_t steps) { work_ = std::min(work_ + steps, kSaturatedSize); }

  /// Memory beyond the outputs'.
  void Take(int64_t bytes) { graph_.Take(bytes); }

  int64_t work() const { return work_; }

 private:
  const KnownNode& node_;
  KnownGraph& graph_;
  int64_t work_ = 0;
};

/// Gives the node's outputs; false when it finds the node out of order or cannot tell how large they get.
using LightRule = bool (*)(LightNode&);

/// nullptr: not one of them. `name` as OperatorName() has it.
LightRule FindLightRule(std::string_view name);
/// The parts of it: operators that only give another shape; the domain ai.onnx.ml and text.
LightRule FindShapeRule(std::string_view name);
LightRule FindMachineLearningRule(std::string_view name);

/// A place from the front; nullopt when it is none.
std::optional<size_t> AxisOf(int64_t axis, size_t rank);

/// Places in a shape of that rank; nullopt when one is none or stands twice.
std::optional<std::vector<size_t>> AxesOf(const std::vector<int64_t>& values, size_t rank);

/// Whole numbers that an attribute has, or in newer operator sets a constant input; nullopt: not known. `told`: whether
/// the node has them at all.
std::optional<std::vector<int64_t>> IntegersOf(const LightNode& node, std::string_view attribute, size_t input,
                                               bool& told);

}  // namespace slipway::engine::onnx
