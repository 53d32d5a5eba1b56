#include <algorithm>

#define ORT_API_MANUAL_INIT
#include <onnxruntime_c_api.h>

#include "base/text.h"
#include "engine/onnx/element.h"
#include "engine/onnx/loaded_model.h"
#include "engine/onnx/model_rewrite.h"

namespace slipway::engine::onnx {

namespace {

base::Result<void> Unsupported(std::string_view role, const std::string& name, std::string_view what) {
  return base::Fail(base::Code::kUnimplemented, "engine.model",
                    std::string(role) + " " + base::Shorten(name) + " is " + std::string(what) +
                        "; supported are tensors of numbers, booleans and strings, and ZipMap's maps of outputs");
}

base::Result<void> ReadTensorSpec(const OrtApi& api, const OrtTypeInfo* type, std::string_view role, TensorSpec& spec) {
  const OrtTensorTypeAndShapeInfo* info = nullptr;
  SLIPWAY_TRY(Check(api.CastTypeInfoToTensorInfo(type, &info), "reading the model's signature"));
  ONNXTensorElementDataType element = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
  SLIPWAY_TRY(Check(api.GetTensorElementType(info, &element), "reading the model's signature"));
  const auto known = FromOnnx(element);
  if (!known)
    return Unsupported(role, spec.name, "a tensor of a type that no column can hold (complex, 4 or 8 bit float)");
  spec.type = *known;
  size_t rank = 0;
  SLIPWAY_TRY(Check(api.GetDimensionsCount(info, &rank), "reading the model's signature"));
  spec.shape.resize(rank);
  std::vector<const char*> names(rank, "");
  SLIPWAY_TRY(Check(api.GetDimensions(info, spec.shape.data(), rank), "reading the model's signature"));
  SLIPWAY_TRY(Check(api.GetSymbolicDimensions(info, names.data(), rank), "reading the model's signature"));
  for (int64_t& dimension : spec.shape) dimension = std::max<int64_t>(dimension, -1);
  for (const char* name : names) spec.dimension_names.emplace_back(name != nullptr ? base::Shorten(name, 100) : "");
  return {};
}

base::Result<void> ReadMapsSpec(const OrtApi& api, const OrtTypeInfo* type, TensorSpec& spec) {
  const std::string_view what =
      "a sequence of something other than maps from a label to a float, and not put together by "
      "SequenceConstruct in the model's main graph";
  const OrtSequenceTypeInfo* sequence = nullptr;
  SLIPWAY_TRY(Check(api.CastTypeInfoToSequenceTypeInfo(type, &sequence), "reading the model's signature"));
  OrtTypeInfo* raw = nullptr;
  SLIPWAY_TRY(Check(api.GetSequenceElementType(sequence, &raw), "reading the model's signature"));
  const Owned<OrtTypeInfo> element(raw);
  const OrtMapTypeInfo* map = nullptr;
  SLIPWAY_TRY(Check(api.CastTypeInfoToMapTypeInfo(element.get(), &map), "reading the model's signature"));
  if (map == nullptr) return Unsupported("output", spec.name, what);
  ONNXTensorElementDataType key = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
  SLIPWAY_TRY(Check(api.GetMapKeyType(map, &key), "reading the model's signature"));
  SLIPWAY_TRY(Check(api.GetMapValueType(map, &raw), "reading the model's signature"));
  const Owned<OrtTypeInfo> value(raw);
  TensorSpec values;
  values.name = spec.name;
  SLIPWAY_TRY(ReadTensorSpec(api, value.get(), "output", values));
  const bool integers = key == ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64;
  if ((!integers && key != ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING) || values.type != ElementType::kFloat32) {
    return Unsupported("output", spec.name, what);
  }
  spec.kind = TensorSpec::Kind::kMaps;
  spec.type = ElementType::kFloat32;
  spec.integer_labels = integers;
  spec.shape = {-1, -1};
  spec.dimension_names = {"", ""};
  return {};
}

base::Result<void> ReadSpec(const OrtApi& api, const OrtTypeInfo* type, bool input, TensorSpec& spec) {
  ONNXType kind = ONNX_TYPE_UNKNOWN;
  SLIPWAY_TRY(Check(api.GetOnnxTypeFromTypeInfo(type, &kind), "reading the model's signature"));
  const std::string_view role = input ? "input" : "output";
  if (kind == ONNX_TYPE_TENSOR) return ReadTensorSpec(api, type, role, spec);
  if (kind == ONNX_TYPE_SEQUENCE && !input) return ReadMapsSpec(api, type, spec);
  if (kind == ONNX_TYPE_SEQUENCE) return Unsupported(role, spec.name, "a sequence");
  if (kind == ONNX_TYPE_MAP) return Unsupported(role, spec.name, "a map");
  if (kind == ONNX_TYPE_OPTIONAL) return Unsupported(role, spec.name, "optional");
  if (kind == ONNX_TYPE_SPARSETENSOR) return Unsupported(role, spec.name, "a sparse tensor");
  return Unsupported(role, spec.name, "of an unknown kind");
}

void SetLabels(const ZipMapNode& node, TensorSpec& spec) {
  spec.kind = TensorSpec::Kind::kMaps;
  spec.labels = node.labels;
  spec.integer_labels = node.integer_labels;
  spec.shape = {-1, static_cast<int64_t>(node.labels.size())};
  spec.dimension_names = {"", ""};
}

base::Result<void> ReadInputs(LoadedModel& model) {
  const OrtApi& api = model.runtime->api();
  OrtAllocator* allocator = nullptr;
  SLIPWAY_TRY(Check(api.GetAllocatorWithDefaultOptions(&allocator), "reading the model's signature"));
  size_t count = 0;
  SLIPWAY_TRY(Check(api.SessionGetInputCount(model.session.get(), &count), "reading the model's signature"));
  for (size_t i = 0; i < count; ++i) {
    char* name = nullptr;
    SLIPWAY_TRY(
        Check(api.SessionGetInputName(model.session.get(), i, allocator, &name), "reading the model's signature"));
    TensorSpec spec;
    spec.name = name;
    allocator->Free(allocator, name);
    OrtTypeInfo* type = nullptr;
    SLIPWAY_TRY(Check(api.SessionGetInputTypeInfo(model.session.get(), i, &type), "reading the model's signature"));
    const Owned<OrtTypeInfo> owned(type);
    SLIPWAY_TRY(ReadSpec(api, type, true, spec));
    model.input_names.push_back(spec.name);
    model.info.inputs.push_back(std::move(spec));
  }
  return {};
}

/// Gives an output of the edited file the name and labels that it has in the model as it was exported.
void UndoEdits(const ModelFile& file, const ModelEdits& edits, TensorSpec& spec, bool& unshaped) {
  for (const ZipMapNode* node : edits.drop) {
    if (node->input != spec.name) continue;
    spec.name = node->output;
    SetLabels(*node, spec);
    unshaped = false;
  }
  for (const SplitSequence& split : edits.split) {
    const auto element = std::ranges::find(split.elements, spec.name, &SequenceElement::bound);
    if (element == split.elements.end()) continue;
    spec.name = element->name;
    return;
  }
  for (const ZipMapNode& node : file.zip_maps) {
    const bool undropped = spec.kind == TensorSpec::Kind::kMaps && spec.labels.empty() && node.output == spec.name;
    if (undropped && !node.labels.empty()) SetLabels(node, spec);
  }
}

base::Result<void> ReadOutputs(const ModelFile& file, const ModelEdits& edits, LoadedModel& model) {
  const OrtApi& api = model.runtime->api();
  OrtAllocator* allocator = nullptr;
  SLIPWAY_TRY(Check(api.GetAllocatorWithDefaultOptions(&allocator), "reading the model's signature"));
  size_t count = 0;
  SLIPWAY_TRY(Check(api.SessionGetOutputCount(model.session.get(), &count), "reading the model's signature"));
  for (size_t i = 0; i < count; ++i) {
    char* name = nullptr;
    SLIPWAY_TRY(
        Check(api.SessionGetOutputName(model.session.get(), i, allocator, &name), "reading the model's signature"));
    TensorSpec spec;
    spec.name = name;
    allocator->Free(allocator, name);
    OrtTypeInfo* type = nullptr;
    SLIPWAY_TRY(Check(api.SessionGetOutputTypeInfo(model.session.get(), i, &type), "reading the model's signature"));
    const Owned<OrtTypeInfo> owned(type);
    SLIPWAY_TRY(ReadSpec(api, type, false, spec));
    model.output_names.push_back(spec.name);
    const auto declared = std::ranges::find(file.outputs, spec.name, &DeclaredValue::name);
    const bool told = declared != file.outputs.end() && declared->has_shape;
    bool unshaped = spec.shape.empty() && spec.kind == TensorSpec::Kind::kTensor && !told;
    UndoEdits(file, edits, spec, unshaped);
    model.output_unshaped.push_back(unshaped);
    model.output_sideways.push_back(false);
    model.info.outputs.push_back(std::move(spec));
  }
  return {};
}

bool NamedAfterTime(const std::string& name) {
  return name.find("seq") != std::string::npos || name.find("time") != std::string::npos ||
         name.find("length") != std::string::npos;
}

/// Exporters name unknown dimensions "unk__12"; such a name says nothing.
bool Telling(const std::string& name) {
  return !name.empty() && !name.starts_with("unk") && !name.starts_with("?");
}

bool RowsAreDynamic(const std::vector<TensorSpec>& inputs) {
  std::string shared;
  for (const TensorSpec& input : inputs) {
    if (input.shape.empty() || input.shape[0] != -1) return false;
    const std::string& name = input.dimension_names[0];
    if (!Telling(name)) continue;
    if (NamedAfterTime(name) || (!shared.empty() && name != shared)) return false;
    shared = name;
  }
  return !inputs.empty();
}

/// The k that every input and output starts with, or 0.
int64_t SharedFixedRows(const LoadedModel& model) {
  const auto& inputs = model.info.inputs;
  if (inputs.empty() || inputs[0].shape.empty()) return 0;
  const int64_t rows = inputs[0].shape[0];
  for (const TensorSpec& input : inputs) {
    if (input.shape.empty() || input.shape[0] != rows || (rows > 1 && input.shape.size() < 2)) return 0;
  }
  for (size_t i = 0; i < model.info.outputs.size(); ++i) {
    const auto& shape = model.info.outputs[i].shape;
    if (model.output_unshaped[i]) continue;
    if (shape.empty() || (shape[0] != rows && shape[0] != -1)) return 0;
  }
  return rows > 0 ? rows : 0;
}

}  // namespace

base::Result<void> ReadSignature(const ModelFile& file, const ModelEdits& edits, LoadedModel& model) {
  SLIPWAY_TRY(ReadInputs(model));
  return ReadOutputs(file, edits, model);
}

base::Result<void> CheckRunSize(const ModelInfo& info) {
  constexpr int64_t kMostElements = int64_t{1} << 28;
  int64_t all = 0;
  for (const TensorSpec& spec : info.inputs) {
    int64_t elements = info.batched ? std::max<int64_t>(info.fixed_rows, 1) : 1;
    for (const int64_t dimension : spec.RowShape(info.batched)) {
      if (__builtin_mul_overflow(elements, std::max<int64_t>(dimension, 1), &elements)) elements = kMostElements + 1;
      elements = std::min(elements, kMostElements + 1);
    }
    all += elements;
    if (all <= kMostElements) continue;
    return base::Fail(
        base::Code::kInvalidArgument, "engine.model",
        "the inputs of one run have more than " + std::to_string(kMostElements) +
            " elements by their declared shapes; export the model with a smaller shape, or a dynamic one; "
            "the run gets too large at input " +
            base::Shorten(spec.name));
  }
  return {};
}

base::Result<void> DecideBatching(std::optional<bool> wish, LoadedModel& model) {
  ModelInfo& info = model.info;
  info.fixed_rows = 0;
  info.batched = RowsAreDynamic(info.inputs);
  if (!info.batched) {
    info.fixed_rows = SharedFixedRows(model);
    info.batched = info.fixed_rows > 0;
  }
  if (!wish || *wish == info.batched) return {};
  info.batched = *wish;
  info.fixed_rows = 0;
  if (!*wish) return {};
  for (const TensorSpec& input : info.inputs) {
    const int64_t rows = input.shape.empty() ? 0 : input.shape[0];
    const bool clash = rows > 0 && info.fixed_rows > 0 && rows != info.fixed_rows;
    if (rows == 0 || clash) {
      return base::Fail(
          base::Code::kInvalidArgument, "engine.model",
          "model.batched is true, but this input's first dimension cannot count rows: " + base::Shorten(input.name),
          "model.batched");
    }
    if (rows > 0) info.fixed_rows = rows;
  }
  return {};
}

}  // namespace slipway::engine::onnx
