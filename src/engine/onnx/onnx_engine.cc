#include "engine/onnx/onnx_engine.h"

#include <string>
#include <vector>

#include "base/text.h"
#include "engine/onnx/loaded_model.h"

namespace slipway::engine::onnx {

namespace {

base::Result<LoadOptions> ReadOptions(const bundle::ModelSpec& spec, const EngineOptions& options) {
  static const std::vector<std::string> kKeys = {"threads", "batched"};
  LoadOptions load;
  load.threads = options.threads;
  load.exact = spec.batching == bundle::Batching::kExact;
  if (!spec.options.is_map()) return load;
  for (const auto& [key, value] : spec.options.map()) {
    const auto fail = [&](const std::string& message) {
      std::string where = "slipway.yaml";
      if (const base::Position& at = value.position(); at.line > 0) {
        where += ":" + std::to_string(at.line) + ":" + std::to_string(at.column);
      }
      return base::Fail(base::Code::kInvalidArgument, "engine.option", message, where);
    };
    if (key == "threads") {
      if (!value.is_integer() || value.integer() < 1 || value.integer() > 256) {
        return fail("model.threads must be a whole number from 1 to 256: the threads inside one run");
      }
      load.threads = static_cast<int>(value.integer());
    } else if (key == "batched") {
      if (!value.is_boolean())
        return fail("model.batched must be true or false: whether the first dimension counts rows");
      load.batched = value.boolean();
    } else {
      return fail("the onnx engine knows no such key under model: " + base::Shorten(key) +
                  base::DidYouMean(key, kKeys) + "; known are threads and batched");
    }
  }
  return load;
}

}  // namespace

base::Result<std::unique_ptr<Engine>> LoadOnnxEngine(const bundle::Bundle& bundle, const EngineOptions& options) {
  const bundle::ModelSpec& spec = bundle.manifest().model;
  SLIPWAY_ASSIGN(const LoadOptions load, ReadOptions(spec, options));
  ModelSource source;
  source.file = spec.file;
  SLIPWAY_ASSIGN(source.bytes, bundle.Read(spec.file));
  source.read = [&bundle](std::string_view name) { return bundle.Read(name); };
  return LoadModel(source, load);
}

}  // namespace slipway::engine::onnx
