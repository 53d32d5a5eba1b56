#include "serving/tfserving/signatures.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <string>

#include "base/text.h"
#include "serving/tfserving/class_outputs.h"

namespace slipway::serving::tfserving {
namespace {

using base::Value;
using engine::ElementType;

constexpr std::string_view kPredictNames[] = {"serving_default"};
constexpr std::string_view kClassifyNames[] = {"serving_default", "classification"};
constexpr std::string_view kRegressNames[] = {"serving_default", "regression"};

std::string_view DatatypeOf(ElementType type) {
  switch (type) {
    case ElementType::kFloat32:
      return "DT_FLOAT";
    case ElementType::kFloat64:
      return "DT_DOUBLE";
    case ElementType::kFloat16:
      return "DT_HALF";
    case ElementType::kBFloat16:
      return "DT_BFLOAT16";
    case ElementType::kInt8:
      return "DT_INT8";
    case ElementType::kInt16:
      return "DT_INT16";
    case ElementType::kInt32:
      return "DT_INT32";
    case ElementType::kInt64:
      return "DT_INT64";
    case ElementType::kUInt8:
      return "DT_UINT8";
    case ElementType::kUInt16:
      return "DT_UINT16";
    case ElementType::kUInt32:
      return "DT_UINT32";
    case ElementType::kUInt64:
      return "DT_UINT64";
    case ElementType::kBoolean:
      return "DT_BOOL";
    case ElementType::kString:
      return "DT_STRING";
  }
  return "DT_INVALID";
}

std::string_view DatatypeOf(const data::Field& field) {
  switch (field.type.scalar) {
    case data::ScalarType::kBoolean:
      return "DT_BOOL";
    case data::ScalarType::kInteger:
      return "DT_INT64";
    case data::ScalarType::kNumber:
      return field.single_precision ? "DT_FLOAT" : "DT_DOUBLE";
    case data::ScalarType::kString:
    case data::ScalarType::kTimestamp:
      return "DT_STRING";
  }
  return "DT_INVALID";
}

Value TensorInfo(std::string_view name, std::string_view datatype, std::span<const int64_t> shape) {
  Value dimensions = Value::List();
  for (const int64_t size : shape) {
    dimensions.Add(Value::Map().Set("size", std::to_string(size)).Set("name", ""));
  }
  return Value::Map()
      .Set("dtype", datatype)
      .Set("tensor_shape", Value::Map().Set("dim", std::move(dimensions)).Set("unknown_rank", false))
      .Set("name", std::string(name) + ":0");
}

Value DescribeFields(const std::vector<data::Field>& fields) {
  Value tensors = Value::Map();
  for (const auto& field : fields) {
    std::vector<int64_t> shape = {-1};
    shape.insert(shape.end(), field.type.shape.begin(), field.type.shape.end());
    tensors.Set(field.name, TensorInfo(field.name, DatatypeOf(field), shape));
  }
  return tensors;
}

Value DescribeTensors(const std::vector<engine::TensorSpec>& specs) {
  Value tensors = Value::Map();
  for (const auto& spec : specs) tensors.Set(spec.name, TensorInfo(spec.name, DatatypeOf(spec.type), spec.shape));
  return tensors;
}

/// Names that `signature_name` may have; the last one is the method's own.
std::span<const std::string_view> SignaturesOf(Method method) {
  switch (method) {
    case Method::kClassify:
      return kClassifyNames;
    case Method::kRegress:
      return kRegressNames;
    case Method::kPredict:
      break;
  }
  return kPredictNames;
}

}  // namespace

base::Result<void> CheckSignature(Method method, std::string_view name) {
  const auto known = SignaturesOf(method);
  if (name.empty() || std::ranges::find(known, name) != known.end()) return {};
  return base::Fail(base::Code::kInvalidArgument, "signature.unknown",
                    fmt::format("Serving signature name: \"{}\" not found in signature def; use \"{}\" or leave "
                                "\"signature_name\" out",
                                base::Shorten(name), known.back()));
}

base::Error NoSuchOutput(std::string_view method, std::string_view wanted, std::string_view instead) {
  return {base::Code::kInvalidArgument, "signature.missing",
          fmt::format("this model answers no {}: it has no {}; use {}", method, wanted, instead), ""};
}

Value DescribeMetadata(const live::LoadedModel& model) {
  const scoring::Contract& contract = *model.contract;
  const auto& manifest = contract.manifest;
  const Value inputs =
      manifest.has_inputs ? DescribeFields(contract.layout.fields()) : DescribeTensors(contract.model.inputs);
  const Value outputs =
      manifest.outputs.empty() ? DescribeTensors(contract.model.outputs) : DescribeFields(contract.output_fields);
  const auto signature = [&](std::string_view method) {
    return Value::Map()
        .Set("inputs", inputs)
        .Set("outputs", outputs)
        .Set("method_name", "tensorflow/serving/" + std::string(method));
  };
  Value signatures = Value::Map().Set(std::string(kPredictNames[0]), signature("predict"));
  if (FindClasses(contract.output_fields)) signatures.Set(std::string(kClassifyNames[1]), signature("classify"));
  if (FindValue(contract.output_fields)) signatures.Set(std::string(kRegressNames[1]), signature("regress"));
  return Value::Map()
      .Set("model_spec",
           Value::Map().Set("name", model.name).Set("signature_name", "").Set("version", model.version_text))
      .Set("metadata", Value::Map().Set("signature_def", Value::Map().Set("signature_def", std::move(signatures))));
}

Value DescribeStatus(const live::Snapshot& snapshot, const live::LoadedModel& model, bool all) {
  Value versions = Value::List();
  for (const auto& version : snapshot.Find(model.name)->versions) {
    if (!all && version->version != model.version) continue;
    versions.Add(Value::Map()
                     .Set("version", version->version_text)
                     .Set("state", "AVAILABLE")
                     .Set("status", Value::Map().Set("error_code", "OK").Set("error_message", "")));
  }
  return Value::Map().Set("name", model.name).Set("ready", true).Set("model_version_status", std::move(versions));
}

}  // namespace slipway::serving::tfserving
