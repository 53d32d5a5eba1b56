#include "engine/onnx/light/light_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "base/text.h"
#include "engine/onnx/light/known_graph.h"
#include "engine/onnx/light/light_rules.h"

namespace slipway::engine::onnx {

namespace {

using enum WireField::Type;

constexpr size_t kMostNodes = 20'000;
constexpr int64_t kMostBytes = int64_t{1} << 29;  ///< of all tensors of a trial run together
constexpr int64_t kMostWork = int64_t{1} << 32;   ///< multiplications and the like of a trial run: a second or so
constexpr size_t kShownOperators = 6;

std::string StrangeOperators(const ModelFile& file) {
  std::vector<std::string> strange;
  for (const auto& [name, count] : file.operators) {
    if (FindLightRule(name) == nullptr) strange.push_back(base::Shorten(name));
  }
  std::string text;
  for (size_t i = 0; i < std::min(strange.size(), kShownOperators); ++i) text += (i > 0 ? ", " : "") + strange[i];
  if (strange.size() > kShownOperators) text += fmt::format(" and {} more", strange.size() - kShownOperators);
  return text;
}

/// The one graph; nullopt when the model has parts that are not known here.
std::optional<std::string_view> GraphOf(std::string_view model) {
  constexpr uint64_t kOnce = 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 7;
  constexpr uint64_t kMany = 1 << 8 | 1 << 14;  // operator sets, metadata
  StrictReader reader(model, kOnce, kMany);
  WireField field;
  std::string_view graph;
  while (reader.Next(field)) {
    if (field.Is(7, kBytes)) graph = field.bytes;
  }
  if (!reader.ok() || graph.empty()) return std::nullopt;
  return graph;
}

/// ONNX Runtime crashes on some inputs that are left out in the middle (LayerNormalization's, 1.32).
bool LeavesInputsOut(const KnownNode& node) {
  return node.type != "Clip" && std::ranges::find(node.inputs, std::string_view()) != node.inputs.end();
}

/// Looks at one node; what is wrong with it, or nothing.
std::string JudgeNode(std::string_view message, KnownGraph& graph, int64_t& work) {
  const auto node = ReadKnownNode(message);
  if (!node) return "a node of an unusual make";
  const std::string name = OperatorName(node->domain, node->type);
  const LightRule rule = FindLightRule(name);
  if (rule == nullptr) return base::Shorten(name);
  LightNode light(*node, graph);
  if (LeavesInputsOut(*node) || !rule(light)) return "the attributes or shapes of " + base::Shorten(name);
  work += light.work();
  const bool large = graph.bytes() > kMostBytes || work > kMostWork;
  return large ? "how large it gets at " + base::Shorten(name) : std::string();
}

}  // namespace

std::string WhyNotLight(const ModelFile& file, std::string_view bytes) {
  if (std::string strange = StrangeOperators(file); !strange.empty()) return strange;
  if (!file.functions.empty()) return "the functions that it defines";
  if (!file.external.empty()) return "the weights in other files";
  const auto message = GraphOf(bytes);
  if (!message) return "parts of the file that are not known here";
  KnownGraph graph;
  if (!graph.Open(*message)) return "inputs or initializers of an unusual make";
  if (graph.bytes() > kMostBytes) return "how large its inputs are";
  if (graph.nodes().size() > kMostNodes) return "its many nodes";
  int64_t work = 0;
  for (std::string_view node : graph.nodes()) {
    if (std::string fault = JudgeNode(node, graph, work); !fault.empty()) return fault;
  }
  return {};
}

}  // namespace slipway::engine::onnx
