#pragma once
// TableTally: how the inputs and the answers of many rows are distributed, beside the training table's distributions.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/value.h"
#include "data/column.h"
#include "data/type.h"
#include "monitor/column_tally.h"
#include "monitor/reference.h"

namespace slipway::monitor {

/// What is told of a table: its scalar columns, and of answers the elements of labelled vectors. Immutable.
struct TallyPlan {
  struct Subject {
    std::string name;
    int column = 0;
    int64_t element = -1;  ///< of a vector; -1: the column is a scalar
    bool is_time = false;
    Reference reference;
  };
  std::vector<Subject> inputs, answers;

  /// `baseline`: the content of baseline.json, or null.
  TallyPlan(std::span<const data::Field> inputs, std::span<const data::Field> answers, const base::Value& baseline);
};

/// Lifecycle for each batch: NoteMissing() before it is checked, then Add(). `plan` must outlive this.
/// Thread-safety: one thread at a time.
class TableTally {
 public:
  explicit TableTally(const TallyPlan& plan);

  /// What is missing as the rows came counts as null, whatever the checks put there; of the first columns, the inputs.
  void NoteMissing(const data::Table& rows);
  /// `rows`: those of the batch that count; rejected ones do not.
  void Add(const data::Table& inputs, const data::Table& answers, std::span<const int64_t> rows);
  void Add(const TableTally& other);

  base::Value ToValue() const;
  /// False when the value is of another plan.
  bool Read(const base::Value& value);

  /// {"inputs": {"distance": {…}}, "predictions": {…}}
  base::Value Describe() const;

  /// An input whose values are far from the training table's.
  struct Shift {
    std::string name;
    double psi = 0;
    double null_share = 0, null_share_before = 0;
    std::optional<double> mean, mean_before;
  };
  /// Those with a stability index of `psi` or more, or with as much more missing values, the most shifted first.
  /// Times are left out: they always move on.
  std::vector<Shift> Shifts(double psi, double missing) const;

 private:
  const TallyPlan* plan_;
  std::vector<ColumnTally> inputs_, answers_;
  std::vector<std::vector<uint64_t>> present_;  ///< per input: validity of the batch as it came; empty: all there
};

}  // namespace slipway::monitor
