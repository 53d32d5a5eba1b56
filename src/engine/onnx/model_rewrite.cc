#include "engine/onnx/model_rewrite.h"

#include <locale.h>
#include <clocale>

#include <algorithm>

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
  std::string Function(std::string_view message) const;
  std::string Node(std::string_view message) const;
  std::string Normalizer(std::string_view message) const;
  std::string Attribute(std::string_view message) const;
  bool Drops(std::string_view node) const;
  const ZipMapNode* DroppedOutput(std::string_view value) const;

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

/// ValueInfo of float tensor [?, labels].
std::string MatrixValue(std::string_view name, size_t labels) {
  std::string rows, columns, shape, tensor, type, value;
  if (labels > 0) AppendWireInteger(columns, 1, labels);
  AppendWireBytes(shape, 1, rows);
  AppendWireBytes(shape, 1, columns);
  AppendWireInteger(tensor, 1, 1);
  AppendWireBytes(tensor, 2, shape);
  AppendWireBytes(type, 1, tensor);
  AppendWireBytes(value, 1, name);
  AppendWireBytes(value, 2, type);
  return value;
}

std::string Rewriter::Graph(std::string_view message, bool top_level) const {
  std::string out;
  out.reserve(message.size() + 256);
  WireReader reader(message);
  WireField field;
  while (reader.Next(field)) {
    if (field.Is(kGraphNode, kBytes)) {
      if (top_level && Drops(field.bytes)) continue;
      if (edits_.locale.empty()) {
        out += field.whole;
      } else {
        AppendWireBytes(out, kGraphNode, Node(field.bytes));
      }
      continue;
    }
    const ZipMapNode* dropped =
        top_level && field.Is(kGraphOutput, kBytes) ? DroppedOutput(Part(field.bytes, 1)) : nullptr;
    if (dropped != nullptr) {
      AppendWireBytes(out, kGraphOutput, MatrixValue(dropped->input, dropped->labels.size()));
    } else {
      out += field.whole;
    }
  }
  return out;
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

bool Rewriter::Drops(std::string_view node) const {
  if (edits_.drop.empty() || Part(node, kNodeType) != "ZipMap") return false;
  return DroppedOutput(Part(node, kNodeOutput)) != nullptr;
}

const ZipMapNode* Rewriter::DroppedOutput(std::string_view value) const {
  const auto found = std::ranges::find_if(edits_.drop, [&](const ZipMapNode* node) { return node->output == value; });
  return found == edits_.drop.end() ? nullptr : *found;
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
