#include "engine/onnx/onnx_engine.h"

#include <string_view>

#include "engine/onnx/loaded_model.h"

namespace slipway::engine::onnx {

namespace {

/// The manifest's reader has checked the keys and their values.
LoadOptions ReadOptions(const bundle::ModelSpec& spec, const EngineOptions& options) {
  LoadOptions load;
  load.threads = options.threads;
  load.exact = spec.batching == bundle::Batching::kExact;
  if (const base::Value* threads = spec.options.Find("threads")) load.threads = static_cast<int>(threads->integer());
  if (const base::Value* batched = spec.options.Find("batched")) load.batched = batched->boolean();
  return load;
}

}  // namespace

base::Result<std::unique_ptr<Engine>> LoadOnnxEngine(const bundle::Bundle& bundle, const EngineOptions& options) {
  const bundle::ModelSpec& spec = bundle.manifest().model;
  const LoadOptions load = ReadOptions(spec, options);
  ModelSource source;
  source.file = spec.file;
  SLIPWAY_ASSIGN(source.bytes, bundle.Read(spec.file));
  source.read = [&bundle](std::string_view name) { return bundle.Read(name); };
  return LoadModel(source, load);
}

}  // namespace slipway::engine::onnx
