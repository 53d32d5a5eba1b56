#include "serving/grpc/tensorflow_messages.h"

#include "rpc/wire_reader.h"
#include "rpc/wire_writer.h"
#include "serving/grpc/infer_message.h"
#include "serving/tfserving/signatures.h"
#include "serving/version_reference.h"

namespace slipway::serving::grpc {
namespace {

using base::Value;
using rpc::WireReader;
using rpc::WireType;
using rpc::WireWriter;
using Kind = FieldShape;

constexpr std::string_view kSignatures = "signature_def";

constexpr WordNumber kDataTypes[] = {{"DT_FLOAT", 1},   {"DT_DOUBLE", 2},    {"DT_INT32", 3},   {"DT_UINT8", 4},
                                     {"DT_INT16", 5},   {"DT_INT8", 6},      {"DT_STRING", 7},  {"DT_INT64", 9},
                                     {"DT_BOOL", 10},   {"DT_BFLOAT16", 14}, {"DT_UINT16", 17}, {"DT_HALF", 19},
                                     {"DT_UINT32", 22}, {"DT_UINT64", 23}};
constexpr FieldShape kDimensionFields[] = {{"size", 1, Kind::kInteger}, {"name", 2}};
constexpr MessageShape kDimension = {kDimensionFields};
constexpr FieldShape kShapeFields[] = {{"dim", 2, Kind::kMessage, &kDimension}, {"unknown_rank", 3, Kind::kFlag}};
constexpr MessageShape kShape = {kShapeFields};
constexpr FieldShape kInfoFields[] = {
    {"name", 1}, {"dtype", 2, Kind::kWord, nullptr, kDataTypes}, {"tensor_shape", 3, Kind::kMessage, &kShape}};
constexpr MessageShape kInfo = {kInfoFields};
constexpr FieldShape kSignatureFields[] = {
    {"inputs", 1, Kind::kMap, &kInfo}, {"outputs", 2, Kind::kMap, &kInfo}, {"method_name", 3}};
constexpr MessageShape kSignature = {kSignatureFields};
constexpr FieldShape kSignatureMapFields[] = {{"signature_def", 1, Kind::kMap, &kSignature}};
constexpr MessageShape kSignatureMap = {kSignatureMapFields};

constexpr WordNumber kStates[] = {{"AVAILABLE", 30}};
constexpr WordNumber kCodes[] = {{"OK", 0}};
constexpr FieldShape kStatusFields[] = {{"error_code", 1, Kind::kWord, nullptr, kCodes}, {"error_message", 2}};
constexpr MessageShape kStatus = {kStatusFields};
constexpr FieldShape kVersionFields[] = {{"version", 1, Kind::kInteger},
                                         {"state", 2, Kind::kWord, nullptr, kStates},
                                         {"status", 3, Kind::kMessage, &kStatus}};
constexpr MessageShape kVersion = {kVersionFields};
constexpr FieldShape kStatusResponseFields[] = {{"model_version_status", 1, Kind::kMessage, &kVersion}};
constexpr MessageShape kStatusResponse = {kStatusResponseFields};

/// Versions are integers there: by which a request may name the same version again; 0 where there is none.
int64_t VersionNumber(std::string_view text) {
  const auto version = bundle::Version::Parse(text);
  return version ? IntegerVersion(*version).value_or(0) : 0;
}

}  // namespace

std::string ModelSpec::Reference(const live::LiveSet& live) const {
  std::string reference;
  ComposeReference(live, name, version ? std::to_string(*version) : std::string(label), reference);
  return reference;
}

base::Result<ModelSpec> ReadModelSpec(std::string_view message) {
  ModelSpec spec;
  WireReader reader(message);
  while (reader.Next()) {
    if (!reader.Is(1, WireType::kBytes)) continue;
    WireReader fields(reader.bytes());
    while (fields.Next()) {
      if (fields.Is(1, WireType::kBytes)) spec.name = fields.bytes();
      if (fields.Is(3, WireType::kBytes)) spec.signature = fields.bytes();
      if (fields.Is(4, WireType::kBytes)) {
        spec.label = fields.bytes();
        spec.version.reset();
      }
      if (!fields.Is(2, WireType::kBytes)) continue;
      spec.version = 0;
      WireReader number(fields.bytes());
      while (number.Next()) {
        if (number.Is(1, WireType::kVarint)) spec.version = number.integer();
      }
      if (number.broken()) return std::unexpected(BrokenMessage("tensorflow.serving.ModelSpec"));
    }
    if (fields.broken()) return std::unexpected(BrokenMessage("tensorflow.serving.ModelSpec"));
  }
  if (reader.broken()) return std::unexpected(BrokenMessage("that this method takes"));
  return spec;
}

void AppendModelSpec(uint32_t field, const live::LoadedModel& model, std::string_view signature, std::string& out) {
  WireWriter writer(out);
  const auto part = writer.Begin(field);
  writer.Text(1, model.name);
  if (const auto number = IntegerVersion(model.version)) {
    const auto version = writer.Begin(2);
    writer.Integer(1, *number);
    writer.End(version);
  } else {
    writer.Text(4, model.version_text);
  }
  if (!signature.empty()) writer.Text(3, signature);
  writer.End(part);
}

void AppendMetadata(const live::LoadedModel& model, std::string& out) {
  const Value metadata = tfserving::DescribeMetadata(model);
  AppendModelSpec(1, model, "", out);
  WireWriter writer(out);
  const auto entry = writer.Begin(2);
  writer.Text(1, kSignatures);
  const auto any = writer.Begin(2);
  writer.Text(1, "type.googleapis.com/tensorflow.serving.SignatureDefMap");
  const auto value = writer.Begin(2);
  AppendMessage(*metadata.Find("metadata")->Find(kSignatures), kSignatureMap, out);
  writer.End(value);
  writer.End(any);
  writer.End(entry);
}

void AppendStatus(const live::Snapshot& snapshot, const live::LoadedModel& model, bool all, std::string& out) {
  Value status = tfserving::DescribeStatus(snapshot, model, all);
  for (auto& [name, versions] : status.map()) {
    if (!versions.is_list()) continue;
    for (Value& version : versions.list()) {
      version.Set("version", VersionNumber(version.Find("version")->string()));
    }
  }
  AppendMessage(status, kStatusResponse, out);
}

}  // namespace slipway::serving::grpc
