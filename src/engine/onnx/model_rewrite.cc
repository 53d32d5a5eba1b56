#include "engine/onnx/model_rewrite.h"

#include <locale.h>
#include <clocale>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "engine/onnx/wire.h"

namespace slipway::engine::onnx {

namespace {

using enum WireField::Type;

constexpr uint32_t kModelGraph = 7;
constexpr uint32_t kModelFunction = 25;
constexpr uint32_t kGraphNode = 1;
constexpr uint32_t kGraphOutput = 12;
constexpr uint32_t kFunctionNode = 7;
constexpr uint32_t kNodeInput = 1;
constexpr uint32_t kNodeOutput = 2;
constexpr uint32_t kNodeType = 4;
constexpr uint32_t kNodeAttribute = 5;
constexpr uint32_t kNodeDomain = 7;
constexpr uint32_t kAttributeText = 4;
constexpr uint32_t kAttributeGraph = 6;
constexpr uint32_t kAttributeGraphs = 11;
constexpr uint32_t kAttributeType = 20;

std::string_view Part(std::string_view message, uint32_t number) {
  WireReader reader(message);
  WireField field;
  std::string_view found;
  while (reader.Next(field)) {
    if (field.Is(number, kBytes)) found = field.bytes;
  }
  return found;
}

class Rewriter {
 public:
  explicit Rewriter(const ModelEdits& edits) : edits_(edits) {}

  std::string Model(std::string_view message) const;

 private:
  std::string Graph(std::string_view message, bool top_level) const;
  void AppendTopNode(const WireField& field, std::string& out) const;
  void AppendTopOutput(const WireField& field, std::string& out) const;
  void AppendNode(const WireField& field, std::string& out) const;
  std::string Function(std::string_view message) const;
  std::string Node(std::string_view message) const;
  std::string Normalizer(std::string_view message) const;
  std::string Attribute(std::string_view message) const;
  const ZipMapNode* DroppedOutput(std::string_view value) const;
  const SplitSequence* SplitOutput(std::string_view value) const;

  const ModelEdits& edits_;
};

std::string Rewriter::Model(std::string_view message) const {
  std::string out;
  out.reserve(message.size() + 256);
  WireReader reader(message);
  WireField field;
  while (reader.Next(field)) {
    if (field.Is(kModelGraph, kBytes)) {
      AppendWireBytes(out, kModelGraph, Graph(field.bytes, true));
    } else if (field.Is(kModelFunction, kBytes) && !edits_.locale.empty()) {
      AppendWireBytes(out, kModelFunction, Function(field.bytes));
    } else {
      out += field.whole;
    }
  }
  return out;
}

/// ValueInfo of a tensor; `shape` empty: not told.
std::string TensorValue(std::string_view name, int64_t element, std::string_view shape) {
  std::string tensor, type, value;
  AppendWireInteger(tensor, 1, static_cast<uint64_t>(element));
  if (!shape.empty()) AppendWireBytes(tensor, 2, shape);
  AppendWireBytes(type, 1, tensor);
  AppendWireBytes(value, 1, name);
  AppendWireBytes(value, 2, type);
  return value;
}

/// TensorShapeProto of [?, columns].
std::string MatrixShape(size_t columns) {
  std::string width, shape;
  if (columns > 0) AppendWireInteger(width, 1, columns);
  AppendWireBytes(shape, 1, "");
  AppendWireBytes(shape, 1, width);
  return shape;
}

std::string IdentityNode(std::string_view from, std::string_view to) {
  std::string node;
  AppendWireBytes(node, kNodeInput, from);
  AppendWireBytes(node, kNodeOutput, to);
  AppendWireBytes(node, kNodeType, "Identity");
  return node;
}

std::string Rewriter::Graph(std::string_view message, bool top_level) const {
  std::string out;
  out.reserve(message.size() + 256);
  WireReader reader(message);
  WireField field;
  while (reader.Next(field)) {
    if (field.Is(kGraphNode, kBytes)) {
      top_level ? AppendTopNode(field, out) : AppendNode(field, out);
    } else if (top_level && field.Is(kGraphOutput, kBytes)) {
      AppendTopOutput(field, out);
    } else {
      out += field.whole;
    }
  }
  return out;
}

/// What stands in the place of a node of the main graph.
void Rewriter::AppendTopNode(const WireField& field, std::string& out) const {
  if (edits_.drop.empty() && edits_.split.empty()) return AppendNode(field, out);
  const std::string_view type = Part(field.bytes, kNodeType);
  const std::string_view output = Part(field.bytes, kNodeOutput);
  if (type == "ZipMap" && DroppedOutput(output) != nullptr) return;
  const SplitSequence* split = type == "SequenceConstruct" ? SplitOutput(output) : nullptr;
  if (split == nullptr || split->node->output_used) AppendNode(field, out);
  if (split == nullptr) return;
  for (const SequenceElement& element : split->elements) {
    AppendWireBytes(out, kGraphNode, IdentityNode(element.tensor, element.bound));
  }
}

void Rewriter::AppendNode(const WireField& field, std::string& out) const {
  if (edits_.locale.empty()) {
    out += field.whole;
  } else {
    AppendWireBytes(out, kGraphNode, Node(field.bytes));
  }
}

/// What stands in the place of an output of the main graph.
void Rewriter::AppendTopOutput(const WireField& field, std::string& out) const {
  const std::string_view name = Part(field.bytes, 1);
  const ZipMapNode* dropped = DroppedOutput(name);
  const SplitSequence* split = SplitOutput(name);
  if (dropped != nullptr) {
    AppendWireBytes(out, kGraphOutput, TensorValue(dropped->input, 1, MatrixShape(dropped->labels.size())));
  } else if (split != nullptr) {
    for (const SequenceElement& element : split->elements) {
      AppendWireBytes(out, kGraphOutput, TensorValue(element.bound, split->type, ""));
    }
  } else {
    out += field.whole;
  }
}

std::string Rewriter::Function(std::string_view message) const {
  std::string out;
  WireReader reader(message);
  WireField field;
  while (reader.Next(field)) {
    if (field.Is(kFunctionNode, kBytes)) {
      AppendWireBytes(out, kFunctionNode, Node(field.bytes));
    } else {
      out += field.whole;
    }
  }
  return out;
}

std::string Rewriter::Node(std::string_view message) const {
  const std::string_view domain = Part(message, kNodeDomain);
  if (Part(message, kNodeType) == "StringNormalizer" && (domain.empty() || domain == "ai.onnx")) {
    return Normalizer(message);
  }
  std::string out;
  WireReader reader(message);
  WireField field;
  while (reader.Next(field)) {
    if (field.Is(kNodeAttribute, kBytes)) {
      AppendWireBytes(out, kNodeAttribute, Attribute(field.bytes));
    } else {
      out += field.whole;
    }
  }
  return out;
}

std::string Rewriter::Normalizer(std::string_view message) const {
  std::string out;
  WireReader reader(message);
  WireField field;
  while (reader.Next(field)) {
    const bool locale = field.Is(kNodeAttribute, kBytes) && Part(field.bytes, 1) == "locale";
    if (!locale) out += field.whole;
  }
  std::string attribute;
  AppendWireBytes(attribute, 1, "locale");
  AppendWireBytes(attribute, kAttributeText, edits_.locale);
  AppendWireInteger(attribute, kAttributeType, 3);  // STRING
  AppendWireBytes(out, kNodeAttribute, attribute);
  return out;
}

std::string Rewriter::Attribute(std::string_view message) const {
  std::string out;
  WireReader reader(message);
  WireField field;
  while (reader.Next(field)) {
    if (field.Is(kAttributeGraph, kBytes) || field.Is(kAttributeGraphs, kBytes)) {
      AppendWireBytes(out, field.number, Graph(field.bytes, false));
    } else {
      out += field.whole;
    }
  }
  return out;
}

const ZipMapNode* Rewriter::DroppedOutput(std::string_view value) const {
  const auto found = std::ranges::find_if(edits_.drop, [&](const ZipMapNode* node) { return node->output == value; });
  return found == edits_.drop.end() ? nullptr : *found;
}

const SplitSequence* Rewriter::SplitOutput(std::string_view value) const {
  const auto found =
      std::ranges::find_if(edits_.split, [&](const SplitSequence& split) { return split.node->output == value; });
  return found == edits_.split.end() ? nullptr : &*found;
}

bool HasLocale(const std::string& name) {
  locale_t locale = newlocale(LC_ALL_MASK, name.c_str(), nullptr);
  if (locale == nullptr) return false;
  freelocale(locale);
  return true;
}

}  // namespace

std::vector<const ZipMapNode*> DroppableZipMaps(const ModelFile& file) {
  std::vector<const ZipMapNode*> found;
  const auto is_value = [](const std::vector<DeclaredValue>& values, std::string_view name) {
    return std::ranges::any_of(values, [&](const DeclaredValue& value) { return value.name == name; });
  };
  for (const ZipMapNode& node : file.zip_maps) {
    const bool input_taken = is_value(file.inputs, node.input) || is_value(file.outputs, node.input) ||
                             std::ranges::any_of(found, [&](const ZipMapNode* f) { return f->input == node.input; });
    if (node.top_level && !node.output_used && !node.input.empty() && !node.labels.empty() && !input_taken &&
        is_value(file.outputs, node.output)) {
      found.push_back(&node);
    }
  }
  return found;
}

std::vector<SplitSequence> SplittableSequences(const ModelFile& file) {
  constexpr size_t kLongestName = 1000;  // each element repeats it
  std::vector<SplitSequence> found;
  std::set<std::string> names;
  for (const DeclaredValue& output : file.outputs) names.insert(output.name);
  for (const SequenceNode& node : file.sequences) {
    const auto output = std::ranges::find(file.outputs, node.output, &DeclaredValue::name);
    if (!node.top_level || node.output.size() > kLongestName || output == file.outputs.end() ||
        output->kind != DeclaredValue::Kind::kSequence) {
      continue;
    }
    const std::string bound = "slipway:" + std::to_string(found.size()) + ":";
    SplitSequence split{&node, output->element, {}};
    for (size_t i = 0; i < node.elements.size(); ++i) {
      std::string name = node.output + "_" + std::to_string(i);
      while (!names.insert(name).second) name += "_";
      split.elements.push_back({node.elements[i], bound + std::to_string(i), std::move(name)});
    }
    found.push_back(std::move(split));
  }
  return found;
}

std::string RewriteModel(std::string_view bytes, const ModelEdits& edits) {
  return Rewriter(edits).Model(bytes);
}

base::Result<std::string> LocaleInPlaceOf(std::string_view wanted) {
  if (wanted == "C" || wanted == "POSIX" || HasLocale(std::string(wanted))) return std::string();
  const bool turkic = wanted.starts_with("tr") || wanted.starts_with("az");
  for (const char* candidate : {"C.UTF-8", "C.utf8", "en_US.UTF-8"}) {
    if (!turkic && HasLocale(candidate)) return std::string(candidate);
  }
  return base::Fail(
      base::Code::kFailedPrecondition, "engine.model",
      "a StringNormalizer of this model wants a locale that this machine lacks, and " +
          std::string(turkic ? "no other has its upper and lower case" : "there is no C.UTF-8 either") + ": " +
          base::Shorten(wanted) +
          "; install it (Debian: apt install locales && locale-gen), or export the model with locale \"C\"");
}

}  // namespace slipway::engine::onnx
