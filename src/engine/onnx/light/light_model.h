#pragma once
// Light models are those that ONNX Runtime can load and run here without having been tried elsewhere: what it does for
// them can be told from the file. docs/design/models-are-tried-first.md.

#include <string>
#include <string_view>

#include "engine/onnx/model_file.h"

namespace slipway::engine::onnx {

/// Why a model is not light, as what follows "because of": its operators that are not known to be harmless, or the
/// node that is out of order or may get too large. Empty: it is light. Precondition: ParseModelFile() has read `bytes`
/// into `file`.
std::string WhyNotLight(const ModelFile& file, std::string_view bytes);

}  // namespace slipway::engine::onnx
