#pragma once
// Made-up rows for trying a model out, the same at every load.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"

namespace slipway::engine::onnx {

/// How daring the values are; a model may refuse some (an index past its table, a text that is no number).
struct ProbeStyle {
  int64_t dynamic_size = 5;  ///< for a dimension of a row that the model leaves open
  int64_t smallest = 0;      ///< integer
  int64_t largest = 9;       ///< integer
  bool extremes = true;      ///< numbers of many magnitudes, not only near one
  bool numeric_texts = false;
};

/// The size that an open dimension of this input's rows gets. Images, which have two of them, get at least 64: kernels
/// make nothing of smaller ones, and ONNX Runtime 1.32 divides by that (MaxPool of what Conv left).
int64_t OpenSize(const TensorSpec& spec, bool batched, const ProbeStyle& style);

/// Rows for every input of a model, packed so that any set of them makes a batch. The caller has seen to it that a row
/// fits into memory.
class ProbeRows {
 public:
  ProbeRows(const ModelInfo& info, int64_t rows, const ProbeStyle& style);
  int64_t rows() const { return rows_; }

  /// Views over the given rows side by side, valid until the next call. For models without a batch dimension the shape
  /// is that of one row.
  std::span<const TensorView> Batch(std::span<const int64_t> rows);

 private:
  struct Input {
    ElementType type = ElementType::kFloat32;
    std::vector<int64_t> row_shape;
    size_t row_elements = 1;
    std::vector<std::byte> values;        // all rows
    std::vector<std::string_view> texts;  // all rows
    std::vector<std::byte> batch_values;
    std::vector<std::string_view> batch_texts;
  };
  void FillValues(Input& input, const ProbeStyle& style);
  uint64_t Random();
  float RandomNumber(bool extremes);

  int64_t rows_;
  bool batched_;
  uint64_t state_ = 0x9e3779b97f4a7c15;
  std::vector<Input> inputs_;
  std::vector<TensorView> views_;
};

}  // namespace slipway::engine::onnx
