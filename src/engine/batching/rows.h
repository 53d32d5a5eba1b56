#pragma once
// Tensors joined along their rows, and taken apart again.

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "engine/tensor.h"

namespace slipway::engine {

/// Rows of tensors by their first dimension; 0 without one.
int64_t RowsOf(std::span<const TensorView> tensors);

/// True when rows of `a` and `b` can stand in one tensor: all types are alike, and all shapes but for the rows.
bool CanJoin(std::span<const TensorView> a, std::span<const TensorView> b);

/// One input of a run, made of the same input of several calls. Memory is kept from run to run.
class JoinedInput {
 public:
  /// Of input number `index` of each call; there is at least one, and all can be joined.
  TensorView Join(std::span<const std::span<const TensorView>> calls, size_t index, int64_t rows);

 private:
  std::vector<std::byte> bytes_;
  std::vector<std::string_view> strings_;
};

/// Rows [first, first + rows) of a tensor that has them.
TensorView SliceRows(const TensorView& whole, int64_t first, int64_t rows);

/// Copies rows [first, first + rows) of `from` into `to`. False when `from` has no such rows.
bool CopyRows(const Tensor& from, int64_t first, int64_t rows, Tensor& to);

}  // namespace slipway::engine
