#pragma once
// OnnxEngine runs ONNX models through ONNX Runtime's C API, a library opened when the first model is loaded.

#include <memory>

#include "base/error.h"
#include "engine/engine.h"
#include "engine/trial/bundle_trial.h"

namespace slipway::engine::onnx {

/// The EngineLoader of "onnx". Models that are not light go through `trial` first, unless it is empty. Errors:
/// "engine.library" (ONNX Runtime not found or too old), "engine.model" (the file is no ONNX model, wants a newer
/// operator set, external data outside the bundle, an unsupported type, or crashed, hung or flooded its trial),
/// "engine.trial", each with a cure.
EngineLoader OnnxLoader(BundleTrial trial);

}  // namespace slipway::engine::onnx
