#pragma once
// Weights that lie beside an ONNX file: which files they are, and that they are the bundle's own.

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/onnx/loaded_model.h"
#include "engine/onnx/model_file.h"

namespace slipway::engine::onnx {

struct ExternalFile {
  std::string location;  ///< as the model names it
  std::string path;      ///< inside the bundle
  std::string_view bytes;
};

/// Reads every file that tensors of `file` point to. Errors: "engine.model" naming tensor and location: a location that
/// is not a plain relative path, a file that the bundle lacks, data past a file's end, data of tensors in nested
/// graphs.
base::Result<std::vector<ExternalFile>> ReadExternalData(const ModelFile& file, const ModelSource& source);

}  // namespace slipway::engine::onnx
