#pragma once
// Contract: what a bundle takes and gives, as far as it can be told without its engine.

#include <vector>

#include "bundle/manifest.h"
#include "data/layout.h"
#include "engine/engine.h"
#include "schema/schema.h"

namespace slipway::scoring {

/// Immutable; const access from any thread.
struct Contract {
  bundle::Manifest manifest;
  schema::Schema schema;
  data::Layout layout;                     ///< what decoders fill
  std::vector<data::Field> output_fields;  ///< of a prediction
  engine::ModelInfo model;
  /// False: the manifest's word alone. Then the model's tensors and the fields of predictions are not known, nor the
  /// schema where the manifest has no `inputs:`.
  bool whole = true;

  /// Before the bundle's engine has been loaded.
  static Contract OfManifest(const bundle::Manifest& manifest) {
    Contract contract;
    contract.manifest = manifest;
    contract.schema = manifest.schema;
    contract.model.engine = manifest.model.engine;
    contract.whole = false;
    return contract;
  }
};

}  // namespace slipway::scoring
