#include "engine/onnx/model_file.h"

#include <algorithm>
#include <unordered_set>

#include "base/text.h"
#include "engine/onnx/wire.h"

namespace slipway::engine::onnx {

namespace {

using enum WireField::Type;

// TensorProto.DataType
constexpr int64_t kDouble = 11;

struct Attribute {
  std::string_view name, text;
  std::string_view message;  // as a whole, to look into
};

/// Reads one file. Every Read… returns false after noting the first fault.
class Reader {
 public:
  Reader(ModelFile& file, const ModelFileLimits& limits) : file_(file), limits_(limits) {}

  bool ReadModel(std::string_view message);
  bool saw_graph() const { return saw_graph_; }
  const std::string& fault() const { return fault_; }

 private:
  bool Stop(std::string fault) {
    if (fault_.empty()) fault_ = std::move(fault);
    return false;
  }
  bool Ended(const WireReader& reader, std::string_view what) {
    return reader.ok() || Stop("the file is damaged or cut off inside " + std::string(what));
  }
  bool Within(size_t count, size_t limit, std::string_view what) {
    return count <= limit || Stop("more than " + std::to_string(limit) + " " + std::string(what));
  }

  bool ReadPair(std::string_view message, std::string& first, std::string& second);
  bool ReadOperatorSet(std::string_view message);
  bool ReadGraph(std::string_view message, int depth);
  bool ReadInitializerNames(std::string_view graph);
  bool ReadNode(std::string_view message, int depth);
  bool ReadAttribute(std::string_view message, int depth, Attribute& attribute);
  bool ReadTensor(std::string_view message, bool initializer, bool nested);
  bool ReadSparseTensor(std::string_view message);
  bool ReadExternal(std::string_view message, ExternalTensor& tensor);
  bool ReadFunction(std::string_view message);
  bool ReadValue(std::string_view message, std::vector<DeclaredValue>& values);
  bool ReadType(std::string_view message, int depth, DeclaredValue& value);
  bool ReadSequence(std::string_view message, int depth, DeclaredValue& value);
  bool ReadMap(std::string_view message, int depth, DeclaredValue& value);
  bool ReadTensorType(std::string_view message, DeclaredValue& value);
  bool ReadShape(std::string_view message, DeclaredValue& value);
  void NoteReads(const std::vector<std::string_view>& inputs);
  bool ReadSequenceNode(const std::vector<std::string_view>& elements, std::string_view output, int depth);
  bool ReadNormalizer(const std::vector<Attribute>& attributes);
  bool ReadZipMap(const std::vector<Attribute>& attributes, ZipMapNode node);
  bool ReadLabels(std::string_view attribute, ZipMapNode& node);

  ModelFile& file_;
  const ModelFileLimits& limits_;
  std::unordered_set<std::string_view> initializers_;  // names, of all graphs
  size_t nodes_ = 0;
  size_t labels_ = 0;
  size_t elements_ = 0;
  bool saw_graph_ = false;
  bool top_level_ = true;
  std::string fault_;
};

bool Reader::ReadModel(std::string_view message) {
  WireReader reader(message);
  WireField field;
  std::string_view graph;
  std::vector<std::string_view> functions;
  while (reader.Next(field)) {
    if (field.Is(1, kVarint)) file_.ir_version = static_cast<int64_t>(field.value);
    if (field.Is(2, kBytes)) file_.producer = base::Shorten(field.bytes, 200);
    if (field.Is(3, kBytes)) file_.producer_version = base::Shorten(field.bytes, 200);
    if (field.Is(4, kBytes)) file_.domain = base::Shorten(field.bytes, 200);
    if (field.Is(5, kVarint)) file_.model_version = static_cast<int64_t>(field.value);
    if (field.Is(6, kBytes)) file_.documentation = base::Shorten(field.bytes, 2000);
    if (field.Is(7, kBytes)) {
      if (saw_graph_) return Stop("it has two graphs");  // which one is meant depends on the reader
      graph = field.bytes;
      saw_graph_ = true;
    }
    if (field.Is(8, kBytes) && !ReadOperatorSet(field.bytes)) return false;
    if (field.Is(14, kBytes)) {
      std::pair<std::string, std::string> entry;
      if (!ReadPair(field.bytes, entry.first, entry.second)) return false;
      file_.metadata.push_back(std::move(entry));
      if (!Within(file_.metadata.size(), limits_.entries, "metadata entries")) return false;
    }
    if (field.Is(25, kBytes)) {
      functions.push_back(field.bytes);
      if (!Within(functions.size(), limits_.entries, "functions")) return false;
    }
  }
  if (!Ended(reader, "the model")) return false;
  if (saw_graph_ && !ReadGraph(graph, 0)) return false;
  top_level_ = false;
  return std::ranges::all_of(functions, [this](std::string_view function) { return ReadFunction(function); });
}

bool Reader::ReadPair(std::string_view message, std::string& first, std::string& second) {
  WireReader reader(message);
  WireField field;
  while (reader.Next(field)) {
    if (field.Is(1, kBytes)) first = field.bytes;
    if (field.Is(2, kBytes)) second = field.bytes;
  }
  return Ended(reader, "a pair of texts");
}

bool Reader::ReadOperatorSet(std::string_view message) {
  WireReader reader(message);
  WireField field;
  std::pair<std::string, int64_t> set;
  while (reader.Next(field)) {
    if (field.Is(1, kBytes) && field.bytes != "ai.onnx") set.first = field.bytes;
    if (field.Is(2, kVarint)) set.second = static_cast<int64_t>(field.value);
  }
  file_.operator_sets.push_back(std::move(set));
  return Ended(reader, "an operator set") && Within(file_.operator_sets.size(), limits_.entries, "operator sets");
}

bool Reader::ReadInitializerNames(std::string_view graph) {
  WireReader reader(graph);
  WireField field;
  while (reader.Next(field)) {
    if (!field.Is(5, kBytes)) continue;
    WireReader tensor(field.bytes);
    WireField part;
    while (tensor.Next(part)) {
      if (part.Is(8, kBytes)) initializers_.insert(part.bytes);
    }
    if (!Ended(tensor, "a tensor") || !Within(initializers_.size(), limits_.tensors, "initializers")) return false;
  }
  return Ended(reader, "a graph");
}

bool Reader::ReadGraph(std::string_view message, int depth) {
  if (depth > limits_.depth) return Stop("graphs nested more than " + std::to_string(limits_.depth) + " deep");
  if (!ReadInitializerNames(message)) return false;
  WireReader reader(message);
  WireField field;
  while (reader.Next(field)) {
    if (field.type != kBytes) continue;
    bool fine = true;
    if (field.number == 1) fine = ReadNode(field.bytes, depth);
    if (field.number == 2 && depth == 0) file_.graph_name = base::Shorten(field.bytes, 200);
    if (field.number == 5) fine = ReadTensor(field.bytes, true, depth > 0);
    if (field.number == 11 && depth == 0) fine = ReadValue(field.bytes, file_.inputs);
    if (field.number == 12 && depth == 0) fine = ReadValue(field.bytes, file_.outputs);
    if (field.number == 15) fine = ReadSparseTensor(field.bytes);
    if (!fine) return false;
  }
  if (!Ended(reader, "a graph")) return false;
  if (depth == 0) {
    // Before IR version 4 every initializer had to be listed among the inputs.
    std::erase_if(file_.inputs, [this](const DeclaredValue& input) { return initializers_.contains(input.name); });
  }
  return true;
}

bool Reader::ReadNode(std::string_view message, int depth) {
  if (!Within(++nodes_, limits_.nodes, "nodes")) return false;
  WireReader reader(message);
  WireField field;
  std::vector<std::string_view> inputs, outputs;
  std::string_view type, domain;
  std::vector<Attribute> attributes;
  while (reader.Next(field)) {
    if (field.type != kBytes) continue;
    if (field.number == 1) inputs.push_back(field.bytes);
    if (field.number == 2) outputs.push_back(field.bytes);
    if (field.number == 4) type = field.bytes;
    if (field.number == 7) domain = field.bytes;
    if (field.number == 5) {
      Attribute attribute;
      if (!ReadAttribute(field.bytes, depth, attribute)) return false;
      attributes.push_back(attribute);
    }
    if (!Within(std::max({inputs.size(), outputs.size(), attributes.size()}), limits_.values,
                "inputs, outputs or attributes of one node")) {
      return false;
    }
  }
  if (!Ended(reader, "a node")) return false;
  if (domain == "ai.onnx") domain = {};
  ++file_.operators[OperatorName(domain, base::Shorten(type, 200))];
  if (file_.operators.size() > limits_.entries) return Stop("too many kinds of operators");
  NoteReads(inputs);
  if (domain == "ai.onnx.ml" && type == "ZipMap" && inputs.size() == 1 && outputs.size() == 1) {
    ZipMapNode node;
    node.input = inputs[0];
    node.output = outputs[0];
    node.top_level = top_level_ && depth == 0;
    return ReadZipMap(attributes, std::move(node));
  }
  if (domain.empty() && type == "SequenceConstruct" && outputs.size() == 1) {
    return ReadSequenceNode(inputs, outputs[0], depth);
  }
  if (domain.empty() && type == "StringNormalizer") return ReadNormalizer(attributes);
  return true;
}

/// A node reads these: none of them is an output of the model alone.
void Reader::NoteReads(const std::vector<std::string_view>& inputs) {
  const auto read = [&](const std::string& value) { return std::ranges::find(inputs, value) != inputs.end(); };
  for (ZipMapNode& node : file_.zip_maps) node.output_used |= read(node.output);
  for (SequenceNode& node : file_.sequences) node.output_used |= read(node.output);
}

bool Reader::ReadSequenceNode(const std::vector<std::string_view>& elements, std::string_view output, int depth) {
  elements_ += elements.size();
  if (!Within(elements_, limits_.elements, "elements of sequences")) return false;
  SequenceNode node;
  node.output = output;
  node.elements.assign(elements.begin(), elements.end());
  node.top_level = top_level_ && depth == 0;
  file_.sequences.push_back(std::move(node));
  return Within(file_.sequences.size(), 256, "SequenceConstruct nodes");
}

bool Reader::ReadNormalizer(const std::vector<Attribute>& attributes) {
  std::string locale = "en_US.UTF-8";  // what ONNX Runtime takes when the attribute is absent
  for (const Attribute& attribute : attributes) {
    if (attribute.name == "locale") locale = attribute.text;
  }
  if (std::ranges::find(file_.locales, locale) == file_.locales.end()) file_.locales.push_back(locale);
  return Within(file_.locales.size(), 64, "locales");
}

bool Reader::ReadAttribute(std::string_view message, int depth, Attribute& attribute) {
  attribute.message = message;
  WireReader reader(message);
  WireField field;
  while (reader.Next(field)) {
    // Lists of numbers and texts are most of a tree ensemble.
    if (field.number == 7) reader.SkipFixed32(7);
    if (field.number == 8) reader.EachVarint(8, [](uint64_t) {});
    if (field.number == 9) reader.EachText(9, [](std::string_view) {});
    if (field.type != kBytes || field.number == 9) continue;
    bool fine = true;
    if (field.number == 1) attribute.name = field.bytes;
    if (field.number == 4) attribute.text = field.bytes;
    if (field.number == 5 || field.number == 10) fine = ReadTensor(field.bytes, false, true);
    if (field.number == 6 || field.number == 11) fine = ReadGraph(field.bytes, depth + 1);
    if (field.number == 22 || field.number == 23) fine = ReadSparseTensor(field.bytes);
    if (!fine) return false;
  }
  file_.parameter_bytes += static_cast<int64_t>(message.size());
  return Ended(reader, "an attribute");
}

bool Reader::ReadTensor(std::string_view message, bool initializer, bool nested) {
  WireReader reader(message);
  WireField field;
  ExternalTensor external;
  external.nested = nested;
  bool is_external = false;
  while (reader.Next(field)) {
    if (field.Is(2, kVarint) && field.value == kDouble) file_.uses_float64 = true;
    if (field.Is(8, kBytes)) external.name = base::Shorten(field.bytes, 200);
    if (field.Is(14, kVarint) && field.value == 1) is_external = true;
    if (field.Is(13, kBytes)) {
      is_external = true;
      if (!ReadExternal(field.bytes, external)) return false;
    }
  }
  if (!Ended(reader, "a tensor")) return false;
  if (initializer) {
    ++file_.initializers;
    file_.initializer_bytes += static_cast<int64_t>(message.size());
    file_.parameter_bytes += static_cast<int64_t>(message.size());
  }
  if (is_external) file_.external.push_back(std::move(external));
  return Within(file_.external.size(), limits_.tensors, "tensors with external data");
}

bool Reader::ReadSparseTensor(std::string_view message) {
  WireReader reader(message);
  WireField field;
  while (reader.Next(field)) {
    if ((field.Is(1, kBytes) || field.Is(2, kBytes)) && !ReadTensor(field.bytes, false, true)) return false;
  }
  return Ended(reader, "a sparse tensor");
}

bool Reader::ReadExternal(std::string_view message, ExternalTensor& tensor) {
  std::string key, value;
  if (!ReadPair(message, key, value)) return false;
  if (key == "location") {
    if (!tensor.location.empty()) return Stop("a tensor has two external locations");
    tensor.location = value;
  }
  if (key != "offset" && key != "length") return true;
  const auto number = base::ParseInt64(value);
  if (!number || *number < 0)
    return Stop("the external data's " + key + " is no whole number from 0: " + base::Shorten(value));
  (key == "offset" ? tensor.offset : tensor.length) = *number;
  return true;
}

bool Reader::ReadFunction(std::string_view message) {
  WireReader reader(message);
  WireField field;
  std::string_view name, domain;
  while (reader.Next(field)) {
    if (field.Is(1, kBytes)) name = field.bytes;
    if (field.Is(10, kBytes)) domain = field.bytes;
    if (field.Is(7, kBytes) && !ReadNode(field.bytes, 1)) return false;
  }
  file_.functions.push_back(OperatorName(domain, base::Shorten(name, 200)));
  return Ended(reader, "a function");
}

bool Reader::ReadValue(std::string_view message, std::vector<DeclaredValue>& values) {
  if (!Within(values.size() + 1, limits_.values, "inputs or outputs")) return false;
  DeclaredValue value;
  WireReader reader(message);
  WireField field;
  while (reader.Next(field)) {
    if (field.Is(1, kBytes)) value.name = field.bytes;
    if (field.Is(2, kBytes) && !ReadType(field.bytes, 0, value)) return false;
  }
  values.push_back(std::move(value));
  return Ended(reader, "a graph's input or output");
}

bool Reader::ReadType(std::string_view message, int depth, DeclaredValue& value) {
  if (depth > limits_.depth) return Stop("types nested too deep");
  WireReader reader(message);
  WireField field;
  while (reader.Next(field)) {
    if (field.type != kBytes) continue;
    bool fine = true;
    if (field.number == 1) {
      value.kind = DeclaredValue::Kind::kTensor;
      fine = ReadTensorType(field.bytes, value);
    }
    if (field.number == 4) fine = ReadSequence(field.bytes, depth, value);
    if (field.number == 5) fine = ReadMap(field.bytes, depth, value);
    if (field.number == 8) value.kind = DeclaredValue::Kind::kSparse;
    if (field.number == 9) value.kind = DeclaredValue::Kind::kOptional;
    if (!fine) return false;
  }
  return Ended(reader, "a type");
}

bool Reader::ReadSequence(std::string_view message, int depth, DeclaredValue& value) {
  WireReader reader(message);
  WireField field;
  while (reader.Next(field)) {
    if (field.Is(1, kBytes) && !ReadType(field.bytes, depth + 1, value)) return false;
  }
  if (value.kind != DeclaredValue::Kind::kMaps || depth > 0) value.kind = DeclaredValue::Kind::kSequence;
  return Ended(reader, "a sequence type");
}

bool Reader::ReadMap(std::string_view message, int depth, DeclaredValue& value) {
  WireReader reader(message);
  WireField field;
  while (reader.Next(field)) {
    if (field.Is(1, kVarint)) value.integer_keys = field.value == 7;
    if (field.Is(2, kBytes) && !ReadType(field.bytes, depth + 1, value)) return false;
  }
  // A map outside a sequence is a kind of its own that no converter writes.
  value.kind = depth == 1 ? DeclaredValue::Kind::kMaps : DeclaredValue::Kind::kUnknown;
  return Ended(reader, "a map type");
}

bool Reader::ReadTensorType(std::string_view message, DeclaredValue& value) {
  WireReader reader(message);
  WireField field;
  while (reader.Next(field)) {
    if (field.Is(1, kVarint)) value.element = static_cast<int64_t>(field.value);
    if (field.Is(2, kBytes) && !ReadShape(field.bytes, value)) return false;
  }
  if (value.element == kDouble) file_.uses_float64 = true;
  return Ended(reader, "a tensor type");
}

bool Reader::ReadShape(std::string_view message, DeclaredValue& value) {
  value.has_shape = true;
  value.shape.clear();
  value.dimension_names.clear();
  WireReader reader(message);
  WireField field;
  while (reader.Next(field)) {
    if (!field.Is(1, kBytes)) continue;
    if (!Within(value.shape.size() + 1, limits_.rank, "dimensions")) return false;
    int64_t size = -1;
    std::string name;
    WireReader dimension(field.bytes);
    WireField part;
    while (dimension.Next(part)) {
      if (part.Is(1, kVarint)) size = static_cast<int64_t>(part.value);
      if (part.Is(2, kBytes)) name = base::Shorten(part.bytes, 100);
    }
    if (!Ended(dimension, "a dimension")) return false;
    value.shape.push_back(size < 0 ? -1 : size);
    value.dimension_names.push_back(std::move(name));
  }
  return Ended(reader, "a shape");
}

bool Reader::ReadZipMap(const std::vector<Attribute>& attributes, ZipMapNode node) {
  for (const Attribute& attribute : attributes) {
    node.integer_labels |= attribute.name == "classlabels_int64s";
    if (attribute.name.starts_with("classlabels_") && !ReadLabels(attribute.message, node)) return false;
  }
  file_.zip_maps.push_back(std::move(node));
  return Within(file_.zip_maps.size(), 256, "ZipMap nodes");
}

bool Reader::ReadLabels(std::string_view attribute, ZipMapNode& node) {
  WireReader reader(attribute);
  WireField field;
  while (reader.Next(field)) {
    if (field.Is(8, kVarint)) node.labels.push_back(std::to_string(static_cast<int64_t>(field.value)));
    if (field.Is(9, kBytes)) node.labels.emplace_back(field.bytes);
    if (field.Is(8, kBytes)) {  // packed
      for (size_t at = 0; at < field.bytes.size();) {
        uint64_t value = 0;
        for (int shift = 0; at < field.bytes.size(); shift += 7) {
          const auto byte = static_cast<uint8_t>(field.bytes[at++]);
          if (shift < 64) value |= static_cast<uint64_t>(byte & 0x7f) << shift;
          if (byte < 0x80) break;
        }
        node.labels.push_back(std::to_string(static_cast<int64_t>(value)));
      }
    }
    if (!Within(labels_ + node.labels.size(), limits_.labels, "class labels")) return false;
  }
  labels_ += node.labels.size();
  return Ended(reader, "class labels");
}

}  // namespace

std::string OperatorName(std::string_view domain, std::string_view type) {
  if (domain.empty() || domain == "ai.onnx") return std::string(type);
  return base::Shorten(domain, 200) + "." + std::string(type);
}

base::Result<ModelFile> ParseModelFile(std::string_view bytes, const ModelFileLimits& limits) {
  ModelFile file;
  Reader reader(file, limits);
  if (!reader.ReadModel(bytes)) {
    return base::Fail(base::Code::kInvalidArgument, "engine.model", "not a readable ONNX model: " + reader.fault());
  }
  if (!reader.saw_graph() || file.operator_sets.empty()) {
    return base::Fail(base::Code::kInvalidArgument, "engine.model",
                      "not an ONNX model: it has no graph or no operator sets");
  }
  return file;
}

base::Value ModelFile::Describe() const {
  base::Value sets = base::Value::Map();
  for (const auto& [name, version] : operator_sets) sets.Set(name.empty() ? "ai.onnx" : name, version);
  base::Value counts = base::Value::Map();
  for (const auto& [name, count] : operators) counts.Set(name, count);
  base::Value out = base::Value::Map();
  out.Set("producer", producer).Set("producer_version", producer_version);
  out.Set("ir_version", ir_version).Set("operator_sets", std::move(sets)).Set("operators", std::move(counts));
  out.Set("initializers", initializers).Set("parameter_bytes", parameter_bytes);
  if (!graph_name.empty()) out.Set("graph", graph_name);
  if (!domain.empty()) out.Set("domain", domain);
  if (model_version != 0) out.Set("model_version", model_version);
  if (!documentation.empty()) out.Set("documentation", documentation);
  if (!metadata.empty()) {
    base::Value entries = base::Value::Map();
    for (const auto& [key, value] : metadata) entries.Set(base::Shorten(key, 200), base::Shorten(value, 2000));
    out.Set("metadata", std::move(entries));
  }
  return out;
}

}  // namespace slipway::engine::onnx
