#pragma once
// Fitter learns the parameters of the steps that learn (means, quantiles, vocabularies, encodings) in streaming passes
// over the data: constant memory, the same result for the same rows in the same order.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/value.h"
#include "data/column.h"
#include "features/pipeline.h"

namespace slipway::features {

struct FitOptions {
  /// Values kept exactly per quantile-learning step; past this a deterministic sketch answers (docs/features.md).
  int64_t exact_values = int64_t{1} << 22;
  int64_t max_vocabulary = 1 << 20;
};

/// Usage:  for (bool more = true; more;) { for each batch: fitter.Add(columns, rows, target); more = fitter.EndPass();
/// } A step that learns from another learned feature needs another pass; passes() of them are made, 0 when nothing
/// learns. Thread-safety: one thread.
class Fitter {
 public:
  /// `target`: name of the column that target_encode learns from; empty when unknown.
  static base::Result<Fitter> Create(std::span<const data::Field> columns, std::span<const StepSpec> steps,
                                     FitOptions options = {});
  Fitter(Fitter&&) noexcept;
  ~Fitter();

  int passes() const;
  bool needs_target() const;
  /// One batch of the current pass, rows in file order. `target`: numbers or booleans, one a row, when needs_target();
  /// rows whose target is null do not count for steps that need it.
  base::Result<void> Add(std::span<const data::ColumnView> columns, int64_t rows, const data::ColumnView* target);
  /// Ends the pass; true when another one is needed. Errors: a step had nothing to learn from (all null, no rows), or
  /// what was learned does not compile (no column is left, or too many).
  base::Result<bool> EndPass();
  /// What was learned: {"<as>": {"step": kind, "spec": digest of what was written, …}, …}. After the last pass.
  base::Value Learned() const;

 private:
  struct State;
  explicit Fitter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace slipway::features
