#pragma once
// TensorFlow's TensorProto into rows, and prediction columns into TensorProto.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "data/column.h"
#include "serving/tensors/tensor_decoder.h"

namespace slipway::serving::grpc {

/// Keeps its buffer. Thread-safety: one thread.
class TensorMessageReader {
 public:
  /// Hands the tensor to the decoder, which has begun. Errors: "grpc.message"; "tensor.datatype" for those that no
  /// column takes; "tensor.limit"; those of TensorDecoder.
  base::Result<void> Read(std::string_view name, std::string_view message, tensors::TensorDecoder& decoder);

 private:
  struct Head;
  base::Result<std::string_view> Elements(const Head& head, std::string_view name, std::string_view message,
                                          int64_t count);
  base::Result<void> FillUp(tensors::Datatype datatype, int64_t missing);

  std::string elements_;  ///< as raw tensors have them
  size_t last_ = 0;       ///< where the last element begins
};

/// Appends the fields of a TensorProto, its elements in the field of their type, as TensorFlow Serving writes them:
/// hand-written clients look there.
void AppendTensor(tensors::Datatype datatype, const tensors::Shape& shape, const data::Column& column,
                  std::string& out);

/// Appends a field of TensorShapeProto.
void AppendShape(uint32_t field, const tensors::Shape& shape, std::string& out);

}  // namespace slipway::serving::grpc
