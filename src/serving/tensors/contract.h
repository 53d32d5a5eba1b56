#pragma once
// Contract: one version of a model as tensors show it, the same behind every protocol that speaks tensors.

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "scoring/contract.h"
#include "serving/tensors/datatype.h"

namespace slipway::serving::tensors {

/// Dimensions of a tensor that came or goes, without memory of its own.
struct Shape {
  static constexpr size_t kMaxRank = 16;
  std::array<int64_t, kMaxRank> dimensions{};
  size_t rank = 0;

  void Add(int64_t dimension) { dimensions[rank++] = dimension; }
  int64_t operator[](size_t i) const { return dimensions[i]; }
  std::span<const int64_t> span() const { return {dimensions.data(), rank}; }
  std::string ToString() const;  ///< "[8,4]"
};

/// One input or output.
struct Port {
  std::string name;
  Datatype datatype = Datatype::kFp64;
  /// As shown: -1 where it varies. A column is [-1,1], the number of rows first; a model's own tensor has the shape
  /// that the model declares.
  std::vector<int64_t> shape;
  bool rows_first = true;           ///< the first dimension is the number of rows; else it is a single row
  int field = 0;                    ///< index in the layout, or among the output fields
  bool optional = false;            ///< an input that a request may leave out
  bool nan_is_missing = false;      ///< an input of which a NaN means a missing value
  std::vector<std::string> labels;  ///< of an output's elements
};

/// Immutable; const access from any thread.
struct Contract {
  std::vector<Port> inputs, outputs;  ///< in the order of the layout, of the output fields
  bool batched = true;                ///< a request may hold several rows
  int64_t max_rows = 0;
  uint64_t serial = 0;  ///< unlike every other contract's of this process

  static Contract Of(const scoring::Contract& bundle);
  /// Index of the output, or -1.
  int FindOutput(std::string_view name) const;
};

}  // namespace slipway::serving::tensors
