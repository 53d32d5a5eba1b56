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
#include "engine/onnx/run_watch.h"
#include "engine/onnx/runtime.h"

namespace slipway::engine::onnx {

/// Where a model and its external data come from.
struct ModelSource {
  std::string file;  ///< its path inside the bundle
  std::string_view bytes;
  /// Another file by its path inside the bundle; the view lives until the model is loaded.
  std::function<base::Result<std::string_view>(std::string_view)> read;
};

struct ExternalFile;
struct ModelEdits;

/// Has a model tried where it can do no harm, before it is loaded here. `cause` follows "because of". An error is that
/// of LoadModel().
using ModelTrial = std::function<base::Result<void>(std::string_view cause, const std::vector<ExternalFile>& external)>;

struct LoadOptions {
  int threads = 1;
  bool exact = true;            ///< find out how many rows may share a run; otherwise rows are run as they come
  bool drop_zip_maps = true;    ///< false decodes the maps themselves
  std::optional<bool> batched;  ///< the manifest's word against the model's declared shapes
  ModelTrial trial;             ///< for models that are not light; none: they are loaded at once
};

/// Immutable once loaded.
struct LoadedModel {
  const Runtime* runtime = nullptr;
  Owned<OrtSession> session;
  ModelInfo info;
  std::vector<std::string> input_names;  ///< ONNX Runtime's; outputs may differ from info's where the file was edited
  std::vector<std::string> output_names;
  std::vector<bool> output_unshaped;  ///< the file does not tell this output's shape
  std::vector<bool> output_sideways;  ///< found out: rows lie side by side, [1,rows]; sessions give them as [rows]
  int64_t padding = 1;                ///< rows of a run are rounded up to a multiple of this
  std::unique_ptr<RunWatch> watch;    ///< ends runs that outlast their time; none for light models
};

/// Loads from memory. Errors: as OnnxLoader()'s; resource_exhausted "engine.memory" when made-up rows found too little.
base::Result<std::unique_ptr<Engine>> LoadModel(const ModelSource& source, const LoadOptions& options);

/// Fills info.inputs, info.outputs and the names from the session. `edits`: those that the session's file has.
/// Errors: "engine.model" naming an input or output of a kind that is not supported.
base::Result<void> ReadSignature(const ModelFile& file, const ModelEdits& edits, LoadedModel& model);

/// Errors: "engine.model" naming an input whose declared shape makes a run larger than any row can be.
base::Result<void> CheckRunSize(const ModelInfo& info);

/// Decides info.batched and info.fixed_rows from the declared shapes:
///   every input's first dimension is dynamic (and, where named, named alike and not after time)  -> batched;
///   every input's and output's first dimension is 1                                              -> batched,
///   fixed_rows 1; every input of rank >= 2 and every output starts with the same k > 1                         ->
///   batched, fixed_rows k; anything else: a run is one row, whose shape is the input's whole shape.
/// `wish` overrides the rule. Errors: "engine.model" when the wish cannot be.
base::Result<void> DecideBatching(std::optional<bool> wish, LoadedModel& model);

}  // namespace slipway::engine::onnx
