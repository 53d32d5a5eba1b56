#pragma once
// What passes between a server and the process that runs a model for it. Tensors lie in memory that both see; how they
// lie there is told by a table beside them, and where the table is by a small message through a socket.
//
// The child is not believed. A table is copied out before it is read, so that nothing that was checked can change
// afterwards, and elements are copied once: a child that writes at the same time spoils its own answer only.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "engine/engine.h"
#include "engine/tensor.h"

namespace slipway::engine::isolated {

/// One message through a lane's socket.
struct Signal {
  enum Kind : uint32_t {
    kRun = 1,       ///< to the child: the table tells deadline and inputs
    kMemory = 2,    ///< to the child, with a descriptor: the lane's memory from now on; an answer that did not fit does
    kAnswer = 3,    ///< to the server: the table tells outputs, or the error
    kTooSmall = 4,  ///< to the server: an answer of `at` bytes does not fit
  };
  uint32_t kind = 0;
  uint32_t table_bytes = 0;
  uint64_t sequence = 0;  ///< of the run
  uint64_t at = 0;        ///< where the table begins
};

/// Puts tensors side by side, each at a multiple of 64 bytes, and a table of them behind.
class Packing {
 public:
  void PutNumber(int64_t number) { Put(&number, sizeof(number)); }
  void PutText(std::string_view text);
  /// What it points to is read by Write().
  void PutTensor(const TensorView& tensor);
  size_t bytes() const { return TableAt() + table_.size(); }
  /// Precondition: bytes() fit. Fills in where the table is.
  void Write(std::span<std::byte> memory, Signal& signal) const;

 private:
  struct Place {
    const TensorView* tensor;
    size_t at, count;
  };
  void Put(const void* data, size_t bytes) { table_.append(static_cast<const char*>(data), bytes); }
  size_t TableAt() const { return (end_ + 7) / 8 * 8; }
  std::string table_;
  std::vector<Place> places_;
  size_t end_ = 0;
};

/// What a child is asked for. Views lead into the memory.
struct Request {
  base::SteadyTime deadline;
  std::vector<TensorView> inputs;
  std::vector<std::vector<std::string_view>> texts;
};
void PackRequest(base::SteadyTime deadline, std::span<const TensorView> inputs, Packing& packing);
/// Errors: data_loss "engine.protocol".
base::Result<void> ReadRequest(std::span<const std::byte> memory, const Signal& signal, Request& request);

/// `ran`: how the run of `outputs` ended. `scratch` is kept as long as the packing.
struct AnswerScratch {
  std::vector<TensorView> views;
  std::vector<std::vector<std::string_view>> texts;
};
void PackAnswer(const base::Result<void>& ran, std::span<const Tensor> outputs, AnswerScratch& scratch,
                Packing& packing);

/// How a run ended, as the child tells it.
struct Answer {
  base::Result<void> ran;
};
/// Copies outputs of these specs out of the memory, which somebody may be writing to. Errors: data_loss
/// "engine.protocol": sizes, types or texts that no child of ours would write.
base::Result<Answer> ReadAnswer(std::span<const std::byte> memory, const Signal& signal,
                                std::span<const TensorSpec> specs, std::span<Tensor> outputs);

}  // namespace slipway::engine::isolated
