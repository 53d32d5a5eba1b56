#include "engine/onnx/onnx_engine.h"

#include <string_view>
#include <utility>

#include "engine/onnx/external_data.h"
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

base::Result<std::unique_ptr<Engine>> LoadFrom(const bundle::Bundle& bundle, const LoadOptions& options) {
  ModelSource source;
  source.file = bundle.manifest().model.file;
  SLIPWAY_ASSIGN(source.bytes, bundle.Read(source.file));
  source.read = [&bundle](std::string_view name) { return bundle.Read(name); };
  return LoadModel(source, options);
}

}  // namespace

EngineLoader OnnxLoader(BundleTrial trial) {
  return [trial = std::move(trial)](const bundle::Bundle& bundle, const EngineOptions& options) {
    LoadOptions load = ReadOptions(bundle.manifest().model, options);
    if (trial) {
      load.trial = [&](std::string_view cause, const std::vector<ExternalFile>& external) {
        TrialTask task{bundle, options, {}, "ONNX Runtime", cause};
        for (const ExternalFile& file : external) task.external_files.push_back(file.path);
        return trial(task);
      };
    }
    return LoadFrom(bundle, load);
  };
}

}  // namespace slipway::engine::onnx
