#pragma once
// The answer to an inference request: JSON, and after it the tensors that were asked for as bytes.

#include <string>

#include "net/http_message.h"
#include "serving/oip/infer_request.h"
#include "serving/served_model.h"

namespace slipway::serving::oip {

inline constexpr std::string_view kJsonLength = "Inference-Header-Content-Length";

/// Writes answers. Keeps its buffers. Thread-safety: one thread.
class InferAnswerWriter {
 public:
  /// Writes what `served` has scored, none of its rows rejected. Errors: "tensor.ragged", "tensor.classification".
  base::Result<void> Write(const InferRequest& request, ServedModel& served, net::Response& response);

 private:
  base::Result<void> AppendOutput(const InferRequest& request, const RequestedOutput& output, ServedModel& served,
                                  std::string& out);

  std::string binary_;
  data::Column classes_;
};

}  // namespace slipway::serving::oip
