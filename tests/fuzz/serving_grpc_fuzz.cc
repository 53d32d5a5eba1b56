// Any bytes as the message of any gRPC method: the first byte chooses the method, the rest is the message. The answer
// is the same each time, a message or an error of the caller's, never a failure of ours.

#include <cstdint>
#include <string>
#include <string_view>

#include "decoded_invariants.h"
#include "serving/grpc/descriptors.h"
#include "serving/grpc/example_message.h"
#include "serving/grpc/grpc_methods_fixture.h"
#include "serving/grpc/infer_message.h"
#include "serving/grpc/tensor_message.h"
#include "serving/tensors/contract_fixture.h"
#include "serving_doors.h"

using namespace slipway;
using namespace slipway::serving;

namespace {

constexpr std::string_view kMethods[] = {"/inference.GRPCInferenceService/ModelInfer",
                                         "/inference.GRPCInferenceService/ModelStreamInfer",
                                         "/inference.GRPCInferenceService/ModelMetadata",
                                         "/inference.GRPCInferenceService/ModelConfig",
                                         "/inference.GRPCInferenceService/RepositoryIndex",
                                         "/inference.GRPCInferenceService/RepositoryModelLoad",
                                         "/inference.GRPCInferenceService/TraceSetting",
                                         "/tensorflow.serving.PredictionService/Predict",
                                         "/tensorflow.serving.PredictionService/Classify",
                                         "/tensorflow.serving.PredictionService/Regress",
                                         "/tensorflow.serving.PredictionService/GetModelMetadata",
                                         "/tensorflow.serving.ModelService/GetModelStatus",
                                         "/grpc.health.v1.Health/Check",
                                         "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"};

void RequireMessage(std::string_view bytes) {
  rpc::WireReader reader(bytes);
  while (reader.Next()) {
  }
  data::Require(!reader.broken());
}

/// Readers alone, over a column of each kind.
void ReadAlone(std::string_view message) {
  static const data::Layout layout = tensors::EveryKind();
  static const tensors::Contract contract = tensors::ContractOf(layout, 64);
  static tensors::TensorDecoder decoder(contract, layout);
  static grpc::InferMessageReader infer;
  static grpc::TensorMessageReader tensor;
  static grpc::ExampleMessageReader examples(layout);
  static oip::InferRequest request;
  data::Decoded rows(layout), cells(layout), listed(layout);
  decoder.Begin(rows);
  if (infer.Read(message, contract, decoder, request)) data::RequireEven(rows);
  decoder.Begin(cells);
  if (tensor.Read("v", message, decoder) && decoder.End()) data::RequireEven(cells);
  if (examples.Read(message, 64, listed)) data::RequireEven(listed);
  const grpc::DescriptorIndex index(message);
  (void)index.FilesOfSymbol("a");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  static FuzzService service;
  static grpc::GrpcMethods methods(service.live(), {"public", "predict", "observe"});
  if (size == 0) return 0;
  const std::string_view message(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  const std::string_view method = kMethods[bytes[0] % std::size(kMethods)];
  const auto first = methods.Call(method, message), second = methods.Call(method, message);
  data::Require(first.status == second.status && first.error == second.error && first.body == second.body);
  using rpc::Status;
  data::Require(first.status == Status::kOk || first.status == Status::kInvalidArgument ||
                first.status == Status::kNotFound || first.status == Status::kUnimplemented);
  data::Require((first.status == Status::kOk) == first.error.empty());
  RequireMessage(first.body);
  ReadAlone(message);
  return 0;
}
