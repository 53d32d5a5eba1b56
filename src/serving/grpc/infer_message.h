#pragma once
// Reads ModelInferRequest: its tensors go straight from the message's bytes into rows, what else it says into an
// oip::InferRequest.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "rpc/wire_reader.h"
#include "serving/oip/infer_head.h"
#include "serving/tensors/tensor_decoder.h"

namespace slipway::serving::grpc {

/// Which model a request is for; views into its bytes.
struct ModelChoice {
  std::string_view name, version;
};
/// Fields 1 and 2 of every message that names a model. Errors: "grpc.message".
base::Result<ModelChoice> ReadModelChoice(std::string_view message, uint32_t name_field = 1,
                                          uint32_t version_field = 2);

/// invalid_argument "grpc.message": the bytes are no message of that type.
base::Error BrokenMessage(std::string_view type);

/// Keeps its buffers. Thread-safety: one thread.
class InferMessageReader {
 public:
  /// The decoder has begun; on success its rows are complete. Errors: "grpc.message", "oip.request", those of
  /// TensorDecoder.
  base::Result<void> Read(std::string_view message, const tensors::Contract& contract, tensors::TensorDecoder& decoder,
                          oip::InferRequest& request);
  /// Of the last message: the caller wants to be told which message of a stream is the last.
  bool wants_final() const { return wants_final_; }

 private:
  struct Input {
    std::string_view name, contents;
    tensors::Datatype datatype = tensors::Datatype::kFp64;
    tensors::Shape shape;
    bool has_datatype = false, has_contents = false;
  };
  /// One entry of a map of InferParameter.
  struct Parameter {
    std::string_view name, text;
    int64_t number = 0;
    bool is_number = false, is_flag = false;
  };
  static base::Result<Parameter> ReadParameter(std::string_view entry);
  base::Result<void> ReadRequestParameter(std::string_view entry, oip::InferRequest& request);
  base::Result<void> ReadInput(std::string_view message);
  base::Result<void> ReadOutput(std::string_view message, const tensors::Contract& contract,
                                oip::InferRequest& request);
  base::Result<void> Decode(tensors::TensorDecoder& decoder);
  base::Result<std::string_view> TypedBytes(const Input& input);

  std::vector<Input> inputs_;
  std::vector<std::string_view> raw_;
  std::string typed_;  ///< contents of the tensor at hand, as raw ones have them
  bool wants_final_ = false;
};

}  // namespace slipway::serving::grpc
