#pragma once
// The engines this program knows: the one place that names them.

#include "base/error.h"
#include "bundle/bundle.h"
#include "engine/engine.h"
#include "scoring/scorer.h"

namespace slipway::cli {

const engine::EngineTable& Engines();

struct LoadedBundle {
  bundle::Bundle bundle;
  std::shared_ptr<const scoring::Scorer> scorer;
};

/// Opens a folder or archive and compiles it.
base::Result<LoadedBundle> LoadBundle(const std::string& path);

}  // namespace slipway::cli
