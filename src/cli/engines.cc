#include "cli/engines.h"

#include <algorithm>
#include <utility>

#include "cli/trial.h"
#include "engine/onnx/model_file.h"
#include "engine/onnx/onnx_engine.h"

namespace slipway::cli {

engine::EngineTable MakeEngines(const engine::BundleTrial& trial, const AroundLoader& around) {
  engine::EngineTable engines;
  const auto add = [&](const char* name, engine::EngineLoader loader) {
    engines.Register(name, around ? around(std::move(loader)) : std::move(loader));
  };
  add("onnx", engine::onnx::OnnxLoader(trial));
  return engines;
}

const engine::EngineTable& Engines() {
  static const engine::EngineTable table = MakeEngines(TryFirst);
  return table;
}

std::vector<std::string> ExternalFiles(const bundle::Manifest& manifest, std::string_view model) {
  std::vector<std::string> names;
  if (manifest.model.engine != "onnx") return names;
  const auto file = engine::onnx::ParseModelFile(model);
  if (!file) return names;
  for (const auto& tensor : file->external) {
    if (std::ranges::find(names, tensor.location) == names.end()) names.push_back(tensor.location);
  }
  return names;
}

base::Result<LoadedBundle> LoadBundle(const std::string& path) {
  SLIPWAY_ASSIGN(auto bundle, bundle::Bundle::Open(path));
  SLIPWAY_ASSIGN(auto scorer, scoring::Scorer::Create(bundle, Engines()));
  return LoadedBundle{std::move(bundle), std::move(scorer)};
}

}  // namespace slipway::cli
