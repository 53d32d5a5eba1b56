#include "engine/onnx/loaded_model.h"

#define ORT_API_MANUAL_INIT
#include <onnxruntime_c_api.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "engine/onnx/external_data.h"
#include "engine/onnx/foreign_file.h"
#include "engine/onnx/light/light_model.h"
#include "engine/onnx/load_error.h"
#include "engine/onnx/model_rewrite.h"
#include "engine/onnx/onnx_session.h"
#include "engine/onnx/row_exactness.h"

namespace slipway::engine::onnx {

namespace {

class OnnxEngine final : public Engine {
 public:
  explicit OnnxEngine(std::shared_ptr<const LoadedModel> model) : model_(std::move(model)) {}
  const ModelInfo& info() const override { return model_->info; }
  base::Result<std::unique_ptr<Session>> NewSession() const override { return std::make_unique<OnnxSession>(model_); }

 private:
  std::shared_ptr<const LoadedModel> model_;
};

/// A plan of memory per input shape saves allocations in models of several nodes. Plans are never dropped, so rows of
/// many shapes would let them grow without end.
bool PlansPay(const ModelFile& file) {
  int64_t nodes = 0;
  for (const auto& [name, count] : file.operators) nodes += count;
  for (const DeclaredValue& input : file.inputs) {
    const auto dynamic = std::ranges::count(input.shape, -1);
    if (!input.has_shape || dynamic > 1 || (dynamic == 1 && input.shape[0] != -1)) return false;
  }
  return nodes >= 4;
}

base::Result<Owned<OrtSessionOptions>> MakeOptions(const OrtApi& api, int threads, bool plan_memory,
                                                   const std::vector<ExternalFile>& files) {
  constexpr std::string_view kDoing = "preparing a session";
  OrtSessionOptions* raw = nullptr;
  SLIPWAY_TRY(Check(api.CreateSessionOptions(&raw), kDoing));
  Owned<OrtSessionOptions> options(raw);
  SLIPWAY_TRY(Check(api.SetIntraOpNumThreads(raw, threads), kDoing));
  SLIPWAY_TRY(Check(api.SetInterOpNumThreads(raw, 1), kDoing));
  SLIPWAY_TRY(Check(api.SetSessionExecutionMode(raw, ORT_SEQUENTIAL), kDoing));
  SLIPWAY_TRY(Check(api.SetSessionGraphOptimizationLevel(raw, ORT_ENABLE_ALL), kDoing));
  SLIPWAY_TRY(Check(api.SetSessionLogSeverityLevel(raw, ORT_LOGGING_LEVEL_FATAL), kDoing));
  SLIPWAY_TRY(Check(api.AddSessionConfigEntry(raw, "session.intra_op.allow_spinning", "0"), kDoing));
  SLIPWAY_TRY(Check(api.AddSessionConfigEntry(raw, "session.inter_op.allow_spinning", "0"), kDoing));
  if (!plan_memory) SLIPWAY_TRY(Check(api.DisableMemPattern(raw), kDoing));
  if (!files.empty()) {
    std::vector<const char*> names;
    std::vector<char*> buffers;
    std::vector<size_t> lengths;
    for (const ExternalFile& file : files) {
      names.push_back(file.location.c_str());
      buffers.push_back(const_cast<char*>(file.bytes.data()));
      lengths.push_back(file.bytes.size());
    }
    SLIPWAY_TRY(Check(
        api.AddExternalInitializersFromFilesInMemory(raw, names.data(), buffers.data(), lengths.data(), names.size()),
        kDoing));
  }
  return options;
}

base::Result<ModelFile> ParseOrExplain(const ModelSource& source) {
  auto file = ParseModelFile(source.bytes);
  if (file) return file;
  const std::string foreign = DescribeForeignFile(source.bytes, source.file);
  if (!foreign.empty()) file.error().message = foreign;
  return file;
}

/// What to change in the file before ONNX Runtime reads it.
base::Result<ModelEdits> ChooseEdits(const ModelFile& file, bool drop_zip_maps) {
  ModelEdits edits;
  if (drop_zip_maps) edits.drop = DroppableZipMaps(file);
  edits.split = SplittableSequences(file);
  for (const std::string& locale : file.locales) {
    SLIPWAY_ASSIGN(const std::string instead, LocaleInPlaceOf(locale));
    if (!instead.empty()) edits.locale = instead;
  }
  return edits;
}

base::Result<void> OpenSession(const ModelSource& source, const LoadOptions& options, const ModelFile& file,
                               const std::vector<ExternalFile>& files, const ModelEdits& edits, LoadedModel& model) {
  const OrtApi& api = model.runtime->api();
  SLIPWAY_ASSIGN(const auto session_options, MakeOptions(api, options.threads, PlansPay(file), files));
  const std::string edited = edits.empty() ? std::string() : RewriteModel(source.bytes, edits);
  const std::string_view bytes = edits.empty() ? source.bytes : std::string_view(edited);
  OrtSession* session = nullptr;
  if (OrtStatus* status = api.CreateSessionFromArray(model.runtime->env(), bytes.data(), bytes.size(),
                                                     session_options.get(), &session)) {
    return std::unexpected(ExplainLoadFailure(file, TakeMessage(status), model.runtime->version()));
  }
  model.session.reset(session);
  return {};
}

base::Result<std::shared_ptr<LoadedModel>> Open(const ModelSource& source, const LoadOptions& options,
                                                const ModelFile& file) {
  SLIPWAY_ASSIGN(ModelEdits edits, ChooseEdits(file, options.drop_zip_maps));
  auto model = std::make_shared<LoadedModel>();
  SLIPWAY_ASSIGN(model->runtime, Runtime::Get());
  SLIPWAY_ASSIGN(const auto files, ReadExternalData(file, source));
  for (const ExternalFile& external : files) model->info.external_files.push_back(external.path);
  if (const std::string cause = WhyNotLight(file, source.bytes); !cause.empty()) {
    if (options.trial) SLIPWAY_TRY(options.trial(cause, files));
    model->watch = std::make_unique<RunWatch>(*model->runtime);
  }
  auto opened = OpenSession(source, options, file, files, edits, *model);
  if (!opened && !edits.drop.empty()) {
    edits.drop.clear();  // a ZipMap of an unusual make: let ONNX Runtime have it, and decode its maps
    opened = OpenSession(source, options, file, files, edits, *model);
  }
  SLIPWAY_TRY(std::move(opened));
  SLIPWAY_TRY(ReadSignature(file, edits, *model));
  return model;
}

base::Result<std::unique_ptr<Engine>> Load(const ModelSource& source, const LoadOptions& options) {
  SLIPWAY_ASSIGN(const ModelFile file, ParseOrExplain(source));
  SLIPWAY_ASSIGN(auto model, Open(source, options, file));
  model->info.engine = "onnx";
  SLIPWAY_TRY(DecideBatching(options.batched, *model));
  SLIPWAY_TRY(CheckRunSize(model->info));
  SLIPWAY_TRY(FindExactRows(file, options.exact, model));
  model->info.details = file.Describe();
  model->info.details.Set("runtime", "ONNX Runtime " + model->runtime->version());
  return std::make_unique<OnnxEngine>(std::move(model));
}

}  // namespace

base::Result<std::unique_ptr<Engine>> LoadModel(const ModelSource& source, const LoadOptions& options) {
  auto engine = Load(source, options);
  if (!engine && engine.error().where.empty()) engine.error().where = source.file;
  return engine;
}

}  // namespace slipway::engine::onnx
