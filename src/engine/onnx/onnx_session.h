#pragma once
// OnnxSession: one thread's way into a LoadedModel. Values are bound once per shape and reused; a run of a known shape
// allocates nothing of its own.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "engine/engine.h"
#include "engine/onnx/loaded_model.h"
#include "engine/onnx/run_watch.h"

namespace slipway::engine::onnx {

/// Memory at a multiple of 64 bytes: kernels that treat a misaligned head apart would otherwise give other bits.
class AlignedBytes {
 public:
  /// Throws std::bad_alloc, as containers do.
  void Resize(size_t bytes) {
    if (bytes <= capacity_) return;
    memory_.reset(static_cast<std::byte*>(::operator new(bytes, kAlignment)));
    capacity_ = bytes;
  }
  std::byte* data() const { return memory_.get(); }

 private:
  static constexpr std::align_val_t kAlignment{64};
  struct Free {
    void operator()(std::byte* memory) const { ::operator delete(memory, kAlignment); }
  };
  std::unique_ptr<std::byte, Free> memory_;
  size_t capacity_ = 0;
};

class OnnxSession final : public Session {
 public:
  explicit OnnxSession(std::shared_ptr<const LoadedModel> model);
  /// Errors: invalid_argument "engine.input" (an input of another type or shape than the model takes),
  /// "engine.deadline" and "engine.cancelled" (before the run, and inside it unless the model is light), "engine.run",
  /// resource_exhausted "engine.memory".
  base::Result<void> Run(std::span<const TensorView> inputs, std::span<Tensor> outputs,
                         const base::Deadline& deadline) override;

 private:
  struct BoundInput {
    std::vector<int64_t> shape;  ///< as run: rows padded
    size_t bytes = 0;            ///< as given
    size_t row_bytes = 0;        ///< strings: elements a row
    size_t elements = 0;
    AlignedBytes buffer;
    Owned<OrtValue> value;
    const void* lent = nullptr;  ///< the caller's memory that `value` stands on, when it is not `buffer`
  };
  struct BoundOutput {
    std::vector<int64_t> shape;  ///< as run
    size_t bytes = 0;
    AlignedBytes buffer;
    Owned<OrtValue> value;  ///< empty: ONNX Runtime allocates
  };
  /// Everything bound for one set of input shapes.
  struct Slot {
    std::vector<std::vector<int64_t>> given;
    int64_t rows = 0, run_rows = 0;  ///< of batched models
    std::vector<BoundInput> inputs;
    std::vector<const OrtValue*> input_values;
    std::vector<BoundOutput> outputs;
    std::vector<OrtValue*> output_values;
    uint64_t last_use = 0;
    int64_t padded() const { return run_rows - rows; }
  };

  base::Result<void> CheckInput(const TensorView& view, const TensorSpec& spec) const;
  base::Result<Slot*> FindSlot(std::span<const TensorView> inputs);
  base::Result<void> Bind(std::span<const TensorView> inputs, Slot& slot) const;
  base::Result<void> BindInput(const TensorView& view, const Slot& slot, BoundInput& bound) const;
  base::Result<void> Fill(const TensorView& view, const Slot& slot, BoundInput& bound) const;
  base::Result<void> FillStrings(const TensorView& view, BoundInput& bound) const;
  base::Result<void> Call(Slot& slot, const base::Deadline& deadline);
  base::Result<void> CallWatched(Slot& slot, const base::Deadline& deadline);
  base::Result<void> CallNow(Slot& slot);
  base::Result<void> Take(const TensorSpec& spec, Slot& slot, size_t index, Tensor& out);
  base::Result<void> TakeTensor(Slot& slot, size_t index, OrtValue* value, Tensor& out);
  base::Result<void> TakeStrings(const OrtValue* value, size_t count, Tensor& out);
  base::Result<void> NewStrings(const std::vector<int64_t>& shape, Owned<OrtValue>& value) const;
  base::Result<void> Wrap(ElementType type, const std::vector<int64_t>& shape, void* data,
                          Owned<OrtValue>& value) const;
  base::Result<void> Preset(ElementType type, BoundOutput& bound) const;

  std::shared_ptr<const LoadedModel> model_;
  const OrtApi& api_;
  std::vector<const char*> input_names_;
  std::vector<const char*> output_names_;
  std::vector<std::unique_ptr<Slot>> slots_;
  Slot* last_ = nullptr;
  uint64_t uses_ = 0;
  bool preset_ = true;  ///< until the model turns out to give other shapes for the same input shapes
  std::string text_;
  std::vector<size_t> offsets_;
  std::unique_ptr<RunWatch::Seat> seat_;  ///< none for light models
};

/// Decodes ONNX's sequence of maps, one a row, to a tensor of rows x labels in `spec`'s order, or, when it tells none,
/// in the order of the first map, told in out.labels. Errors: "engine.run" when rows have different labels.
base::Result<void> TakeMaps(const Runtime& runtime, const OrtValue* sequence, const TensorSpec& spec, Tensor& out);

}  // namespace slipway::engine::onnx
