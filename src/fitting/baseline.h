#pragma once
// Baseline: how each column was distributed in the training table. Two passes: the first finds the edges of the bins,
// the second counts.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/value.h"
#include "data/column.h"
#include "data/type.h"
#include "features/learn/quantiles.h"

namespace slipway::fitting {

/// Equal-frequency bins of a numeric column.
inline constexpr int kBaselineBins = 20;
/// Texts counted one by one; the rest is summed up as "other".
inline constexpr size_t kBaselineValues = 200;

/// Thread-safety: one thread.
class ColumnBaseline {
 public:
  explicit ColumnBaseline(const data::Field& field);

  /// First pass. Tensors and personal texts are counted, not described.
  void Explore(const data::ColumnView& column, int64_t rows);
  void EndExploring();
  /// Second pass.
  void Count(const data::ColumnView& column, int64_t rows);
  base::Value ToValue() const;

 private:
  bool numeric() const;
  double Number(const data::ColumnView& column, int64_t row) const;

  data::Field field_;
  features::Quantiles quantiles_;
  std::vector<double> edges_;  ///< ascending, between the bins
  std::vector<int64_t> bins_;
  std::map<std::string, int64_t, std::less<>> values_;
  int64_t other_ = 0, rows_ = 0, nulls_ = 0, non_finite_ = 0;
};

}  // namespace slipway::fitting
