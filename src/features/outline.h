#pragma once
// Outline is `features:` read and checked, before anything is learned: steps in order, who reads whom, in which pass a
// step learns, and a digest per step that says whether what was learned still belongs to what is written.

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "data/type.h"
#include "features/pipeline.h"
#include "features/step.h"

namespace slipway::features {

struct OutlineStep {
  std::string as;
  std::string kind;
  std::string where;
  std::string digest;  ///< over kind, parameters and the digests of what it reads
  bool hidden = false;
  bool personal = false;  ///< reads a column with personal data, directly or through other steps
  std::unique_ptr<Step> step;
  std::vector<int> reads;  ///< symbols: column i, or columns + step index
  Shape shape;             ///< as known before fitting
  int reads_pass = 0;      ///< its inputs exist from this pass on; a learner learns in it
  int yields_pass = 0;     ///< its own result exists from this pass on
};

struct Outline {
  std::vector<data::Field> columns;
  std::vector<OutlineStep> steps;
  int passes = 0;
};

/// Errors carry the place in the manifest: "14:9", else "features[2]".
base::Result<Outline> ReadOutline(std::span<const data::Field> columns, std::span<const StepSpec> steps);

/// What a step may read of a column.
Input ColumnInput(const data::Field& field);

}  // namespace slipway::features
