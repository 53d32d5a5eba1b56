#include "cli/engines.h"

#include "engine/onnx/onnx_engine.h"

namespace slipway::cli {

const engine::EngineTable& Engines() {
  static const engine::EngineTable table = [] {
    engine::EngineTable engines;
    engines.Register("onnx", engine::onnx::LoadOnnxEngine);
    return engines;
  }();
  return table;
}

base::Result<LoadedBundle> LoadBundle(const std::string& path) {
  SLIPWAY_ASSIGN(auto bundle, bundle::Bundle::Open(path));
  SLIPWAY_ASSIGN(auto scorer, scoring::Scorer::Create(bundle, Engines()));
  return LoadedBundle{std::move(bundle), std::move(scorer)};
}

}  // namespace slipway::cli
