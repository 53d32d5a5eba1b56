#pragma once
// Registers is the memory of one evaluation: a buffer for each of a plan's, a null mask for each slot, texts, the
// result.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/column.h"
#include "expr/plan.h"
#include "expr/scratch.h"

namespace slipway::expr {

/// Fits one plan at a time; Bind() to another is cheap and, once every plan's size was seen, allocates nothing.
/// Thread-safety: one thread at a time.
class Registers {
 public:
  /// Runs the plan over all rows, block by block, and keeps the result until the next call.
  data::ColumnView Run(const Plan& plan, std::span<const data::ColumnView> columns, int64_t rows);

 private:
  void Bind(const Plan& plan, int64_t capacity);
  void BindBuffers(const Plan& plan);
  uint8_t* MaskOf(size_t slot) { return masks_ + slot * mask_bytes_; }
  void LoadColumn(const Plan& plan, size_t index, const data::ColumnView& view, int64_t first_row, int64_t rows);
  void RunStep(const Step& step, size_t slot, const Plan& plan, int64_t rows);
  void StoreValidity(const Operand& result, int64_t first_row, int64_t rows);
  void StoreValues(const Plan& plan, const Operand& result, int64_t first_row, int64_t rows);
  template <typename T>
  void CopyValues(const Operand& result, int64_t first_row, int64_t rows);
  void StoreTexts(const Operand& result, int64_t first_row, int64_t rows);
  void SetNull(int64_t row);

  uint64_t plan_id_ = 0;
  int64_t capacity_ = 0;
  std::vector<uint64_t> memory_;
  std::vector<Operand> slots_;
  std::vector<uint8_t*> buffers_;
  std::vector<void*> outputs_;            ///< per step
  std::vector<std::string_view*> texts_;  ///< per column; nullptr unless a string
  std::vector<TensorBlock> tensors_;      ///< per column
  uint8_t* masks_ = nullptr;
  size_t mask_bytes_ = 0;
  Scratch scratch_;

  std::vector<uint64_t> values_;
  std::vector<uint64_t> validity_;
  bool has_nulls_ = false;
  std::vector<int32_t> offsets_;
  std::string bytes_;
};

}  // namespace slipway::expr
