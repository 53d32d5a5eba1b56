#pragma once
// Kernels: the loops behind functions and operators. A kernel reads operands column by column and writes one column.
// Values of null rows are computed too (they are never seen), so a kernel may not trap on any value.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "data/column.h"
#include "expr/scratch.h"

namespace slipway::expr {

/// One operand over the rows of a block. Values are uint8_t, int64_t, double or std::string_view; a tensor column's are
/// one TensorBlock. A constant has stride 0.
struct Operand {
  const void* values = nullptr;
  const uint8_t* valid = nullptr;  ///< a byte per row (stride applies), 0 or 1; nullptr: none is null
  int64_t stride = 1;

  bool IsValid(int64_t row) const { return valid == nullptr || valid[row * stride] != 0; }
};

struct TensorBlock {
  const data::ColumnView* view = nullptr;
  int64_t first_row = 0;
};

/// What compilation fixed for one use of a function.
struct Binding {
  int64_t zone_microseconds = 0;  ///< of the first timestamp argument
  int64_t immediate = 0;
  std::shared_ptr<const void> object;  ///< a compiled pattern, a set
  std::optional<int> zone_minutes;     ///< set by Prepare: zone of the result
};

struct Call {
  const Operand* slots = nullptr;
  const uint32_t* args = nullptr;
  uint32_t arg_count = 0;
  int64_t rows = 0;
  void* out = nullptr;
  const uint8_t* mask = nullptr;  ///< rows where every argument is valid; nullptr: all. Not for Nulls::kOwn
  uint8_t* valid = nullptr;       ///< kMakes: a copy of the mask to clear bytes in; kOwn: to be filled
  const Binding* binding = nullptr;
  Scratch* scratch = nullptr;

  const Operand& arg(uint32_t i) const { return slots[args[i]]; }
  bool IsNull(int64_t row) const { return mask != nullptr && mask[row] == 0; }
};

using Kernel = void (*)(const Call& call);

/// How a function treats nulls.
enum class Nulls : uint8_t {
  kStrict,  ///< null exactly where an argument is
  kMakes,   ///< the same, and null where it has no answer
  kOwn,     ///< decides itself
};

template <typename T>
struct Cells {
  const T* at;
  int64_t stride;
  explicit Cells(const Operand& operand) : at(static_cast<const T*>(operand.values)), stride(operand.stride) {}
  const T& operator[](int64_t row) const { return at[row * stride]; }
};

/// out = op(a)
template <typename R, typename A, auto kOp>
void Map1(const Call& call) {
  const Cells<A> a(call.arg(0));
  R* out = static_cast<R*>(call.out);
  for (int64_t row = 0; row < call.rows; ++row) out[row] = kOp(a[row]);
}

/// out = op(a, b), with loops of their own for a constant side.
template <typename R, typename A, typename B, auto kOp>
void Map2(const Call& call) {
  const A* a = static_cast<const A*>(call.arg(0).values);
  const B* b = static_cast<const B*>(call.arg(1).values);
  R* out = static_cast<R*>(call.out);
  if (call.arg(1).stride == 0) {
    const B right = *b;
    const int64_t stride = call.arg(0).stride;
    for (int64_t row = 0; row < call.rows; ++row) out[row] = kOp(a[row * stride], right);
  } else if (call.arg(0).stride == 0) {
    const A left = *a;
    for (int64_t row = 0; row < call.rows; ++row) out[row] = kOp(left, b[row]);
  } else {
    for (int64_t row = 0; row < call.rows; ++row) out[row] = kOp(a[row], b[row]);
  }
}

template <typename R, typename A, typename B, typename C, auto kOp>
void Map3(const Call& call) {
  const Cells<A> a(call.arg(0));
  const Cells<B> b(call.arg(1));
  const Cells<C> c(call.arg(2));
  R* out = static_cast<R*>(call.out);
  for (int64_t row = 0; row < call.rows; ++row) out[row] = kOp(a[row], b[row], c[row]);
}

/// op(a, out) tells whether there is an answer; null where not. For Nulls::kMakes.
template <typename R, typename A, auto kOp>
void Try1(const Call& call) {
  const Cells<A> a(call.arg(0));
  R* out = static_cast<R*>(call.out);
  for (int64_t row = 0; row < call.rows; ++row) {
    R value{};
    call.valid[row] &= static_cast<uint8_t>(kOp(a[row], value));
    out[row] = value;
  }
}

template <typename R, typename A, typename B, auto kOp>
void Try2(const Call& call) {
  const Cells<A> a(call.arg(0));
  const Cells<B> b(call.arg(1));
  R* out = static_cast<R*>(call.out);
  for (int64_t row = 0; row < call.rows; ++row) {
    R value{};
    call.valid[row] &= static_cast<uint8_t>(kOp(a[row], b[row], value));
    out[row] = value;
  }
}

/// Folds any number of arguments from the left.
template <typename T, auto kOp>
void Fold(const Call& call) {
  T* out = static_cast<T*>(call.out);
  const Cells<T> first(call.arg(0));
  for (int64_t row = 0; row < call.rows; ++row) out[row] = first[row];
  for (uint32_t i = 1; i < call.arg_count; ++i) {
    const Cells<T> next(call.arg(i));
    for (int64_t row = 0; row < call.rows; ++row) out[row] = kOp(out[row], next[row]);
  }
}

}  // namespace slipway::expr
