#pragma once
// Turns ONNX Runtime's refusal of a model into what a person can do about it.

#include <string>
#include <string_view>

#include "base/error.h"
#include "engine/onnx/model_file.h"

namespace slipway::engine::onnx {

/// `text`: ONNX Runtime's cleaned message. Always "engine.model", resource_exhausted when memory ran out; knows
/// operator sets and IR versions that are too new, foreign operators, missing kernels and locales.
base::Error ExplainLoadFailure(const ModelFile& file, std::string_view text, std::string_view runtime_version);

}  // namespace slipway::engine::onnx
