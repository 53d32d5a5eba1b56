#pragma once
// LoadedModel: an ONNX Runtime session with what was learned of the model; shared by all sessions of one engine.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/engine.h"
#include "engine/onnx/model_file.h"
#include "engine/onnx/runtime.h"

namespace slipway::engine::onnx {

/// Where a model and its external data come from.
struct ModelSource {
  std::string file;  ///< its path inside the bundle
  std::string_view bytes;
  /// Another file by its path inside the bundle; the view lives until the model is loaded.
  std::function<base::Result<std::string_view>(std::string_view)> read;
};

struct LoadOptions {
  int threads = 1;
  bool exact = true;            ///< find out how many rows may share a run; otherwise rows are run as they come
  bool drop_zip_maps = true;    ///< false decodes the maps themselves
  std::optional<bool> batched;  ///< the manifest's word against the model's declared shapes
};

/// Immutable once loaded.
struct LoadedModel {
  const Runtime* runtime = nullptr;
  Owned<OrtSession> session;
  ModelInfo info;
  std::vector<std::string> input_names;  ///< ONNX Runtime's; outputs may differ from info's where a ZipMap was dropped
  std::vector<std::string> output_names;
  std::vector<bool> output_unshaped;  ///< the file does not tell this output's shape
  int64_t padding = 1;                ///< rows of a run are rounded up to a multiple of this
};

/// Loads from memory. Errors: as LoadOnnxEngine().
base::Result<std::unique_ptr<Engine>> LoadModel(const ModelSource& source, const LoadOptions& options);

/// Fills info.inputs, info.outputs and the names from the session. `dropped`: ZipMaps that RewriteModel() took out.
/// Errors: "engine.model" naming an input or output of a kind that is not supported.
base::Result<void> ReadSignature(const ModelFile& file, const std::vector<const ZipMapNode*>& dropped,
                                 LoadedModel& model);

/// Decides info.batched and info.fixed_rows from the declared shapes:
///   every input's first dimension is dynamic (and, where named, named alike and not after time)  -> batched;
///   every input's and output's first dimension is 1                                              -> batched,
///   fixed_rows 1; every input of rank >= 2 and every output starts with the same k > 1                         ->
///   batched, fixed_rows k; anything else: a run is one row, whose shape is the input's whole shape.
/// `wish` overrides the rule. Errors: "engine.model" when the wish cannot be.
base::Result<void> DecideBatching(std::optional<bool> wish, LoadedModel& model);

}  // namespace slipway::engine::onnx
