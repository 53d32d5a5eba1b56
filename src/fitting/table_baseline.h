#pragma once
// TableBaseline: the reference that drift is measured against: how columns, features and target are distributed in the
// training table. Written as baseline.json (docs/formats/bundle.md). It knows fields and views only, so predictions can
// be described by it as well.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/value.h"
#include "data/decoded.h"
#include "features/pipeline.h"
#include "fitting/value_baseline.h"

namespace slipway::fitting {

/// One pass over the rows in their order, whatever the batches: NoteMissing() before a batch is checked, then the
/// others. Memory does not grow with the rows. Thread-safety: one thread.
class TableBaseline {
 public:
  /// Hidden features are left out. `target`: its name, when there is one.
  TableBaseline(std::span<const data::Field> columns, std::span<const features::Feature> features,
                std::optional<std::string> target);

  /// Remembers which values of a batch are missing as it came, since a repair may fill them.
  void NoteMissing(const data::Table& rows);
  /// The rows of that batch which were not rejected, as checked; what was missing counts as null.
  void AddColumns(const data::Table& rows, std::span<const uint8_t> rejected);
  /// The features of some accepted rows, just computed.
  void AddFeatures(const features::Pipeline& pipeline, const features::PipelineWorkspace& workspace, int64_t rows);
  /// The target of accepted rows: the texts, and the numbers they mean, null where they mean none.
  void AddTarget(const data::Column& texts, const data::Column& numbers);

  base::Value ToValue();

 private:
  base::Value DescribeTarget();

  std::vector<ValueBaseline> columns_;
  std::vector<std::vector<uint64_t>> present_;  ///< per column: validity of the batch as it came; empty: all there
  std::vector<int> feature_indices_;
  std::vector<ValueBaseline> features_;
  std::optional<std::string> target_;
  NumberDistribution target_numbers_;
  TextDistribution target_texts_;
  int64_t rows_ = 0;
  int64_t target_rows_ = 0, target_nulls_ = 0;
  bool target_is_numeric_ = true;
};

}  // namespace slipway::fitting
