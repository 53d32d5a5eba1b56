#pragma once
// OnnxEngine runs ONNX models through ONNX Runtime's C API, a library opened when the first model is loaded.

#include <memory>

#include "base/error.h"
#include "engine/engine.h"

namespace slipway::engine::onnx {

/// The EngineLoader of "onnx". Errors: "engine.library" (ONNX Runtime not found or too old), "engine.model" (the file
/// is no ONNX model, wants a newer operator set, external data outside the bundle, an unsupported type), each with a
/// cure.
base::Result<std::unique_ptr<Engine>> LoadOnnxEngine(const bundle::Bundle& bundle, const EngineOptions& options);

}  // namespace slipway::engine::onnx
