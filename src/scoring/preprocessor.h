#pragma once
// Preprocessor: the part of a bundle before the model, validation and features. Training matrices (transform) and
// predictions (Scorer) both come through it, so they cannot differ.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/error.h"
#include "base/value.h"
#include "bundle/manifest.h"
#include "data/column.h"
#include "data/decoded.h"
#include "features/pipeline.h"
#include "schema/validator.h"

namespace slipway::scoring {

/// A range of rows of a view. `first` is a multiple of 64, so that validity words stay aligned. row_shapes
/// stays at the column's start: its rank is not known to a view.
data::ColumnView Slice(const data::ColumnView& view, int64_t first, int64_t rows);

/// Positions "14:9" of rooms that do not know the file's name become "slipway.yaml:14:9".
base::Error InManifest(base::Error error);

/// The rows that a check did not reject, with all their columns, which may be more than the schema's: `rows` itself
/// when all passed, else a copy in `memory`, which is kept for tables of the same columns.
const data::Table& AcceptedRows(data::Table& rows, const schema::Report& report, data::Table& memory);

/// Immutable; thread-safe with one workspace per thread.
class Preprocessor {
 public:
  /// Rows of one block of Features(): bounds the registers' memory whatever the batch.
  static constexpr int64_t kBlockRows = 1024;

  struct Workspace {
    schema::ValidatorWorkspace validation;
    features::PipelineWorkspace features;
    std::vector<data::ColumnView> columns;  ///< views of the schema's columns in the current block
    data::Table accepted;                   ///< the rows that passed, when some did not
  };

  /// `schema` instead of the manifest's when the model's own tensors are the schema.
  static base::Result<Preprocessor> Create(const bundle::Manifest& manifest, const base::Value& fitted,
                                           const schema::Schema& schema);

  const schema::Validator& validator() const { return validator_; }
  const features::Pipeline& pipeline() const { return pipeline_; }
  bool has_features() const { return has_features_; }

  /// Validates and repairs. Returns the rows that passed, as AcceptedRows() in the workspace's memory.
  const data::Table& Check(data::Decoded& rows, schema::Report& report, Workspace& workspace) const;

  /// Points workspace.columns at a block and computes its features. `training_row`: number of the block's first row in
  /// the fitted data, to take the training path.
  void Features(const data::Table& table, int64_t first, int64_t rows, Workspace& workspace,
                std::optional<int64_t> training_row = {}) const;

 private:
  Preprocessor(schema::Validator validator, features::Pipeline pipeline, bool has_features)
      : validator_(std::move(validator)), pipeline_(std::move(pipeline)), has_features_(has_features) {}
  schema::Validator validator_;
  features::Pipeline pipeline_;
  bool has_features_;
};

}  // namespace slipway::scoring
