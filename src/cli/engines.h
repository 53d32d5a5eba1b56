#pragma once
// The engines this program knows: the one place that names them.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "bundle/bundle.h"
#include "engine/engine.h"
#include "engine/trial/bundle_trial.h"
#include "scoring/scorer.h"

namespace slipway::cli {

/// With models that are not light tried first, by starting this program once more.
const engine::EngineTable& Engines();

/// What may be put around each engine's loader.
using AroundLoader = std::function<engine::EngineLoader(engine::EngineLoader)>;
/// The same engines with another trial; none: every model is loaded at once.
engine::EngineTable MakeEngines(const engine::BundleTrial& trial, const AroundLoader& around = {});

/// Files beside the model that it takes weights from, as it names them; nothing when it is no model of a known kind.
std::vector<std::string> ExternalFiles(const bundle::Manifest& manifest, std::string_view model);

struct LoadedBundle {
  bundle::Bundle bundle;
  std::shared_ptr<const scoring::Scorer> scorer;
};

/// Opens a folder or archive and compiles it.
base::Result<LoadedBundle> LoadBundle(const std::string& path);

}  // namespace slipway::cli
