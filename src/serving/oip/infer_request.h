#pragma once
// Reads inference requests: their tensors go straight into rows, what else they say into an InferRequest.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "data/json_cursor.h"
#include "serving/oip/infer_head.h"
#include "serving/tensors/tensor_decoder.h"

namespace slipway::serving::oip {

/// Reads bodies of POST …/infer. Keeps its buffers. Thread-safety: one thread.
class InferRequestReader {
 public:
  explicit InferRequestReader(const data::JsonBounds& bounds);

  /// `json_length`: the value of Inference-Header-Content-Length; nullopt when there is none, and all of `body` is
  /// JSON. 0: all of it is the data of the model's only input. The decoder has begun; on success its rows are complete.
  /// Errors: "json.malformed", "json.limit", "oip.request", "oip.binary", those of TensorDecoder.
  base::Result<void> Read(std::string_view body, std::optional<int64_t> json_length, const tensors::Contract& contract,
                          tensors::TensorDecoder& decoder, InferRequest& request);

 private:
  using Shape = tensors::Shape;
  /// A tensor of the request, as far as it was read.
  struct Input {
    std::string name;
    std::optional<tensors::Datatype> datatype;
    std::optional<Shape> shape;
    int64_t binary_size = -1;  ///< -1: not said
    bool has_name = false, has_data = false, decoded = false;
    size_t data_place = 0;
    void Clear();
    bool IsComplete() const { return has_name && datatype && shape; }
  };
  struct RawPart {
    tensors::TensorDecoder::Slot slot;
    int64_t size;
  };

  base::Result<void> ReadRaw(std::string_view body, const tensors::Contract& contract, tensors::TensorDecoder& decoder,
                             InferRequest& request);
  base::Result<void> ReadDocument(std::string_view text);
  base::Result<void> ReadMember(std::string_view name);
  base::Result<void> ReadRequestParameters();
  base::Result<void> ReadInputs();
  base::Result<void> ReadInput();
  base::Result<void> ReadInputMember(std::string_view name);
  base::Result<void> ReadInputParameters();
  base::Result<void> ReadShape();
  base::Result<void> DecodeData();
  base::Result<void> EndInput();
  base::Result<void> ReadOutputs();
  base::Result<void> ReadOutput();
  base::Result<void> ReadOutputParameters(RequestedOutput& output);
  base::Result<void> AddRawParts(std::string_view bytes);

  template <typename Member>
  base::Result<void> ReadObject(std::string_view what, Member&& member);
  template <typename Element>
  base::Result<void> ReadList(std::string_view what, Element&& element);
  base::Result<void> ReadText(std::string_view what, std::string& text);
  base::Result<bool> ReadFlag(std::string_view what);
  base::Result<int64_t> ReadCount(std::string_view what);
  base::Result<void> Skip();
  base::Error Broken() const { return cursor_.Error(); }

  base::Result<void> ReadHead(std::string_view text);
  base::Result<void> Repeat();

  data::JsonCursor cursor_;
  RememberedHead remembered_;
  Input input_;
  std::string text_;
  std::vector<RawPart> parts_;
  // The request at hand.
  const tensors::Contract* contract_ = nullptr;
  tensors::TensorDecoder* decoder_ = nullptr;
  InferRequest* request_ = nullptr;
  bool has_binary_section_ = false;
  bool all_binary_ = false;  ///< of the inputs read so far
};

}  // namespace slipway::serving::oip
