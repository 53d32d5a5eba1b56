#pragma once
// FitRun learns everything a bundle learns from its training table: what to impute in columns, the parameters of the
// feature steps, and, in a last pass over what serving will compute, the baseline that drift is later measured against.
// Streaming: the table is read once a pass, and memory does not grow with its rows. The same table gives the same
// bytes.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/value.h"
#include "bundle/manifest.h"
#include "data/decoded.h"
#include "data/layout.h"

namespace slipway::fitting {

/// The layout of a training table: the schema's columns, then `carried` ones (and the target) as text; everything else
/// the table holds is ignored. Columns of the schema that have the name of a carried one stay as they are.
data::Layout TrainingLayout(const bundle::Manifest& manifest, const std::vector<std::string>& carried);

/// A carried text as a number: decimal, true or false; nullopt for anything else.
std::optional<double> TargetValue(const data::Column& column, int64_t row);

/// Counts of one pass.
struct FitCounts {
  int64_t rows = 0;
  int64_t rejected = 0;               ///< rows that break the schema: they teach nothing
  int64_t without_target = 0;         ///< accepted rows whose target is null
  std::vector<std::string> examples;  ///< messages of the first few violations
};

/// Usage: for (bool more = true; more;) { while (batch) run.Add(batch); more = run.EndPass(); }
/// Thread-safety: one thread.
class FitRun {
 public:
  /// `target`: instead of the manifest's. Errors: as schema::Validator and features::Fitter; "fit.no_target" when a
  /// step needs one; "fit.model_schema" when the manifest declares no inputs.
  static base::Result<FitRun> Create(const bundle::Manifest& manifest);
  FitRun(FitRun&&) noexcept;
  ~FitRun();

  /// What decoders of the training table fill.
  const data::Layout& layout() const;
  int pass() const;  ///< 0-based
  int passes() const;

  /// One batch of the current pass, in the table's order; repaired in place.
  base::Result<void> Add(data::Decoded& rows);
  /// True when the table has to be read again. Errors: no row was accepted, a step had nothing to learn from, the
  /// target is not numeric.
  base::Result<bool> EndPass();

  const FitCounts& counts() const;  ///< of the last pass
  /// fitted.json: {"format":1,"columns":{…},"features":{…}}; the caller adds where the data came from.
  base::Value Fitted() const;
  /// baseline.json: how columns, features and target are distributed over the accepted rows. After the last pass.
  base::Value Baseline() const;

 private:
  struct State;
  explicit FitRun(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace slipway::fitting
