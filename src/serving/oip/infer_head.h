#pragma once
// What an inference request says besides its tensors' data, and the memory of the last one.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serving/tensors/tensor_decoder.h"
#include "serving/tensors/tensor_encoder.h"

namespace slipway::serving::oip {

struct RequestedOutput {
  int output = 0;  ///< index in the contract
  std::optional<bool> binary;
  int64_t classes = 0;  ///< of a classification; 0: the tensor itself
};

/// Reused: memory is kept.
struct InferRequest {
  std::string id;
  bool has_id = false;
  bool binary_output = false;           ///< where an output does not say
  std::chrono::microseconds timeout{};  ///< 0: none
  int priority = 0;                     ///< 1 goes first; 0: nothing was said
  tensors::NonFinite non_finite = tensors::NonFinite::kNull;
  std::vector<RequestedOutput> outputs;  ///< empty: all, in the model's order
};

/// The JSON before binary tensors, as it was read last: what one text said to one contract. Clients send the same text
/// with other data again and again, and comparing it costs a small part of reading it. Thread-safety: one thread.
class RememberedHead {
 public:
  struct Input {
    std::string name;
    tensors::Datatype datatype;
    tensors::Shape shape;
    int64_t size = 0;  ///< of its binary data
    tensors::TensorHead head() const { return {name, datatype, shape}; }
  };

  /// Whether this text was read without a fault for this contract, and all its inputs were binary.
  bool Holds(std::string_view text, uint64_t contract) const {
    return whole_ && contract == contract_ && text == text_;
  }
  const std::vector<Input>& inputs() const { return inputs_; }
  const InferRequest& request() const { return request_; }

  /// Forgets, for a text that is read now; Add() and Keep() follow while and after that.
  void Begin(std::string_view text) {
    whole_ = false;
    fits_ = text.size() <= kMostBytes;
    inputs_.clear();
  }
  void Add(const tensors::TensorHead& head, int64_t size) {
    if (fits_) inputs_.push_back({std::string(head.name), head.datatype, head.shape, size});
  }
  void Keep(std::string_view text, uint64_t contract, const InferRequest& request) {
    if (!fits_) return;
    text_ = text;
    contract_ = contract;
    request_ = request;
    whole_ = true;
  }

 private:
  static constexpr size_t kMostBytes = 64 << 10;
  bool whole_ = false, fits_ = false;
  uint64_t contract_ = 0;
  std::string text_;
  std::vector<Input> inputs_;
  InferRequest request_;
};

}  // namespace slipway::serving::oip
