#pragma once
// Pipeline turns validated columns into named features: the compiled, immutable form of the manifest's `features`.
// The very same object computes the trainer's matrix (transform) and the server's (serve): no skew by construction.
// Steps, formulas and their scikit-learn twins: docs/features.md.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/value.h"
#include "data/column.h"
#include "data/type.h"

namespace slipway::features {

/// One entry of `features:` as written: {as: …, <kind>: <inputs>, parameter: …}.
struct StepSpec {
  base::Value written;  ///< the map, with positions
};

/// A named result of the pipeline. one_hot and its like yield several columns of the matrix under one feature.
struct Feature {
  std::string name;                  ///< `as`
  data::ScalarType type;             ///< kNumber, kInteger, kBoolean; kString only when the step yields text
  int64_t width = 1;                 ///< columns of the matrix
  std::vector<std::string> columns;  ///< names of those columns, e.g. "carrier=AA"; width of them
  bool hidden = false;               ///< `hidden: true`: an intermediate result, not given to the model by default
  bool personal = false;             ///< computed from a column with personal data
};

/// Working memory of Run(); one per thread.
class PipelineWorkspace {
 public:
  PipelineWorkspace();
  ~PipelineWorkspace();
  PipelineWorkspace(PipelineWorkspace&&) noexcept;

 private:
  friend class Pipeline;
  struct State;
  std::unique_ptr<State> state_;
};

/// Immutable; Run() from any number of threads, each with its own workspace. Allocates nothing in steady state.
class Pipeline {
 public:
  /// `columns`: the schema's fields in order. `fitted`: what Fit() returned, or null when no step learns.
  /// Errors: unknown step or parameter (nearest name), type errors pointing into an expression, a step that was not
  /// fitted ("features.not_fitted": run slipway fit) or was fitted for another spec ("features.stale_fit").
  static base::Result<Pipeline> Compile(std::span<const data::Field> columns, std::span<const StepSpec> steps,
                                        const base::Value& fitted);
  Pipeline(Pipeline&&) noexcept;
  Pipeline& operator=(Pipeline&&) noexcept;
  ~Pipeline();

  const std::vector<Feature>& features() const;
  int Find(std::string_view name) const;  ///< index of a feature, or -1
  /// True when a step has other values on the rows it was fitted on (target_encode: out of fold).
  bool has_training_path() const;

  /// Computes all features of `rows` rows. `columns` are views of the schema's columns. Results live in the workspace
  /// until its next Run(). The same row gives the same bits in any batch.
  void Run(std::span<const data::ColumnView> columns, int64_t rows, PipelineWorkspace& workspace) const;
  /// The training path: rows are number `first_row`… of the data that Fit() saw, in its order.
  void RunOnTrainingRows(std::span<const data::ColumnView> columns, int64_t rows, int64_t first_row,
                         PipelineWorkspace& workspace) const;

  /// The result of a feature: numbers (double), integers or booleans, row-major rows x width; strings for text
  /// features. Nulls remain where a step yields them; in the matrix they are NaN.
  data::ColumnView Result(int feature, const PipelineWorkspace& workspace) const;

  /// Writes the given features side by side as a row-major matrix of rows x (sum of widths); null is NaN. Text
  /// features cannot be in a matrix (checked by the caller through features()).
  void WriteMatrix(std::span<const int> features, int64_t rows, const PipelineWorkspace& workspace, float* out) const;
  void WriteMatrix(std::span<const int> features, int64_t rows, const PipelineWorkspace& workspace, double* out) const;

 private:
  struct Plan;
  explicit Pipeline(std::unique_ptr<const Plan> plan);
  std::unique_ptr<const Plan> plan_;
};

}  // namespace slipway::features
