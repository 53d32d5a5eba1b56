#include "scoring/scorer.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>

#include "scoring/constant_answer.h"
#include "scoring/model_inputs.h"
#include "scoring/prediction_decoder.h"
#include "scoring/preprocessor.h"

namespace slipway::scoring {
namespace {

using base::Code;
using base::Fail;

/// Adds the time since the last lap to a phase.
class Laps {
 public:
  void Lap(int64_t& phase) {
    const auto now = std::chrono::steady_clock::now();
    phase += (now - last_).count();
    last_ = now;
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

}  // namespace

struct Scorer::Plan {
  std::shared_ptr<const Contract> contract;
  std::optional<Preprocessor> preprocessor;
  // Without these it answers with constants only.
  std::unique_ptr<engine::Engine> engine;
  std::optional<ModelInputs> inputs;
  std::optional<PredictionDecoder> decoder;
  int64_t fixed_rows = 0;  ///< the model's
  int64_t chunk_rows = 1;
  std::vector<data::Table> constants;  ///< by step of the manifest's fallback; empty where it is none
};

struct Workspace::State {
  Preprocessor::Workspace preprocessing;
  ModelInputs::Buffers inputs;
  PredictionDecoder::Buffers outputs;
  std::unique_ptr<engine::Session> session;
  std::vector<engine::TensorView> views;
  std::vector<engine::Tensor> tensors;
  data::Table accepted;  ///< predictions of the rows that passed, before they are spread over all rows
  std::vector<std::pair<int64_t, data::Violation>> misfits;
  double nudge = 0;
};

Workspace::Workspace(std::unique_ptr<State> state) : state_(std::move(state)) {}
Workspace::~Workspace() = default;
Workspace::Workspace(Workspace&&) noexcept = default;
Workspace& Workspace::operator=(Workspace&&) noexcept = default;

void Workspace::NudgeOutputs(double share) {
  state_->nudge = share;
}

Scorer::Scorer(std::unique_ptr<const Plan> plan) : plan_(std::move(plan)) {}
Scorer::~Scorer() = default;

const std::shared_ptr<const Contract>& Scorer::contract() const {
  return plan_->contract;
}
const bundle::Manifest& Scorer::manifest() const {
  return plan_->contract->manifest;
}
const schema::Schema& Scorer::schema() const {
  return plan_->contract->schema;
}
const data::Layout& Scorer::layout() const {
  return plan_->preprocessor->validator().layout();
}
const std::vector<data::Field>& Scorer::output_fields() const {
  return plan_->contract->output_fields;
}
const engine::ModelInfo& Scorer::model() const {
  return plan_->contract->model;
}
std::optional<engine::ProcessReading> Scorer::process() const {
  return plan_->engine == nullptr ? std::nullopt : plan_->engine->process();
}
int64_t Scorer::chunk_rows() const {
  return plan_->chunk_rows;
}

namespace {

int64_t ChunkRows(const bundle::Manifest& manifest, const engine::ModelInfo& model, bool variable) {
  if (model.fixed_rows > 0) {
    const bool exact = manifest.model.batching == bundle::Batching::kExact;
    return exact ? std::clamp<int64_t>(model.exact_rows, 1, model.fixed_rows) : model.fixed_rows;
  }
  if (variable || !model.batched) return 1;
  if (manifest.model.batching == bundle::Batching::kRelaxed) return Preprocessor::kBlockRows;
  return std::clamp<int64_t>(model.exact_rows, 1, Preprocessor::kBlockRows);
}

/// By step of the manifest's fallback.
base::Result<std::vector<data::Table>> MakeConstantAnswers(const Contract& contract) {
  std::vector<data::Table> answers;
  for (const auto& step : contract.manifest.fallback) {
    auto& answer = answers.emplace_back();
    if (step.kind != bundle::FallbackStep::Kind::kConstant) continue;
    SLIPWAY_ASSIGN(answer, MakeConstantAnswer(contract.output_fields, step.constant));
  }
  return answers;
}

bool LabelsAreWanted(const engine::ModelInfo& model) {
  return std::ranges::any_of(model.outputs, [](const engine::TensorSpec& spec) {
    return spec.kind == engine::TensorSpec::Kind::kMaps && spec.labels.empty();
  });
}

/// Runs the model once on a blank row: pages its memory in, and learns the labels of maps whose file does not tell
/// them. A model may refuse a blank row; that is only an error when the labels depend on it.
base::Result<void> WarmUp(const ModelInputs& inputs, engine::Engine& engine, engine::ModelInfo& model) {
  const bool labels_wanted = LabelsAreWanted(model);
  // Of open shapes a blank row would have the smallest, which few models are made for.
  if (inputs.variable() && !labels_wanted) return {};
  SLIPWAY_ASSIGN(auto session, engine.NewSession());
  ModelInputs::Buffers buffers;
  std::vector<engine::TensorView> views;
  std::vector<engine::Tensor> tensors(model.outputs.size());
  inputs.FillBlank(buffers);
  inputs.View(0, 1, std::max<int64_t>(model.fixed_rows, 1), buffers, views);
  auto ran = session->Run(views, tensors, {.at = std::chrono::steady_clock::now() + std::chrono::minutes(1)});
  const bool needed = labels_wanted || (!ran && ran.error().code == Code::kResourceExhausted);
  if (!ran) return needed ? ran : base::Result<void>();
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (model.outputs[i].labels.empty()) model.outputs[i].labels = tensors[i].labels;
  }
  return {};
}

}  // namespace

base::Result<std::shared_ptr<const Scorer>> Scorer::Create(const bundle::Bundle& bundle,
                                                           const engine::EngineTable& engines,
                                                           const ScorerOptions& options) {
  auto plan = std::make_unique<Plan>();
  const auto contract = std::make_shared<Contract>();
  plan->contract = contract;
  contract->manifest = bundle.manifest();
  const bundle::Manifest& manifest = contract->manifest;
  // What a person wrote is checked before the model is loaded: its faults are the likelier ones, and cheaper to find.
  if (manifest.has_inputs) {
    contract->schema = manifest.schema;
    SLIPWAY_ASSIGN(plan->preprocessor, Preprocessor::Create(manifest, bundle.fitted(), contract->schema));
  } else if (!manifest.features.empty()) {
    return Fail(Code::kInvalidArgument, "manifest.inputs",
                "features are declared without inputs: add `inputs:` with the columns that the features read",
                "slipway.yaml");
  }
  SLIPWAY_ASSIGN(plan->engine, engines.Load(bundle, options.engine));
  engine::ModelInfo& model = contract->model;
  model = plan->engine->info();
  if (!manifest.has_inputs) {
    SLIPWAY_ASSIGN(contract->schema, SchemaOfModel(model, manifest.model.missing_is_nan));
    contract->schema.unknown_fields = manifest.schema.unknown_fields;
    SLIPWAY_ASSIGN(plan->preprocessor, Preprocessor::Create(manifest, bundle.fitted(), contract->schema));
  }
  contract->layout = plan->preprocessor->validator().layout();
  SLIPWAY_ASSIGN(plan->inputs, ModelInputs::Create(manifest, contract->schema, *plan->preprocessor, model));
  const bool warm_up = options.warm_up || LabelsAreWanted(model);
  if (warm_up) SLIPWAY_TRY(WarmUp(*plan->inputs, *plan->engine, model));
  SLIPWAY_ASSIGN(plan->decoder, PredictionDecoder::Create(manifest, contract->schema, model));
  contract->output_fields = plan->decoder->fields();
  plan->chunk_rows = ChunkRows(manifest, model, plan->inputs->variable());
  plan->fixed_rows = model.fixed_rows;
  SLIPWAY_ASSIGN(plan->constants, MakeConstantAnswers(*contract));
  return std::shared_ptr<const Scorer>(new Scorer(std::move(plan)));
}

base::Result<std::shared_ptr<const Scorer>> Scorer::CreateForConstants(const bundle::Bundle& bundle,
                                                                       std::shared_ptr<const Contract> known) {
  auto plan = std::make_unique<Plan>();
  if (known == nullptr || !known->whole) {
    Contract contract = Contract::OfManifest(bundle.manifest());
    SLIPWAY_ASSIGN(contract.output_fields, FieldsOfConstants(contract.manifest));
    contract.layout = contract.schema.MakeLayout();
    known = std::make_shared<const Contract>(std::move(contract));
  }
  plan->contract = std::move(known);
  const Contract& contract = *plan->contract;
  SLIPWAY_ASSIGN(plan->preprocessor, Preprocessor::Create(contract.manifest, bundle.fitted(), contract.schema));
  SLIPWAY_ASSIGN(plan->constants, MakeConstantAnswers(contract));
  return std::shared_ptr<const Scorer>(new Scorer(std::move(plan)));
}

base::Result<std::unique_ptr<engine::Session>> Scorer::NewSession() const {
  if (plan_->engine == nullptr) return nullptr;
  return plan_->engine->NewSession();
}

base::Result<Workspace> Scorer::NewWorkspace() const {
  SLIPWAY_ASSIGN(auto session, NewSession());
  return NewWorkspace(std::move(session));
}

Workspace Scorer::NewWorkspace(std::unique_ptr<engine::Session> session) const {
  auto state = std::make_unique<Workspace::State>();
  state->session = std::move(session);
  if (plan_->decoder) state->outputs = plan_->decoder->NewBuffers();
  state->tensors.resize(model().outputs.size());
  state->accepted = data::Table::Make(output_fields());
  return Workspace(std::move(state));
}

namespace {

template <typename Float>
void NudgeElements(double share, engine::Tensor& tensor) {
  auto* values = reinterpret_cast<Float*>(tensor.data.data());
  for (size_t i = 0; i < tensor.data.size() / sizeof(Float); ++i) {
    const double value = values[i];
    values[i] = static_cast<Float>(value + share * std::max(std::abs(value), 1.0));
  }
}

void Nudge(double share, std::span<engine::Tensor> tensors) {
  for (auto& tensor : tensors) {
    if (tensor.type == engine::ElementType::kFloat32) NudgeElements<float>(share, tensor);
    if (tensor.type == engine::ElementType::kFloat64) NudgeElements<double>(share, tensor);
  }
}

base::Result<void> CheckDeadline(const base::Deadline& deadline) {
  if (deadline.Stopped()) return Fail(Code::kCancelled, "scoring.cancelled", "scoring was cancelled before it ended");
  if (deadline.Expired()) {
    return Fail(Code::kDeadlineExceeded, "scoring.deadline",
                "scoring did not end within its time; send fewer rows or raise limits.timeout");
  }
  return {};
}

/// Puts the predictions of the accepted rows, in order, back to their places; null elsewhere.
void Spread(const data::Table& accepted, const schema::Report& report, int64_t rows, data::Table& predictions) {
  for (size_t c = 0; c < predictions.columns.size(); ++c) {
    int64_t next = 0;
    for (int64_t row = 0; row < rows; ++row) {
      if (report.rejected[static_cast<size_t>(row)]) {
        predictions.columns[c].AppendNull();
      } else {
        predictions.columns[c].AppendFrom(accepted.columns[c], next++);
      }
    }
  }
  predictions.rows = rows;
}

/// Turns rows that the model had no form for into rejected ones.
void RejectMisfits(std::vector<std::pair<int64_t, data::Violation>>& misfits, const data::Layout& layout,
                   schema::Report& report, data::Table& predictions) {
  for (auto& [row, violation] : misfits) {
    violation.row = row;
    violation.field = layout.Find(violation.path);
    if (!report.rejected[static_cast<size_t>(row)]) {
      report.rejected[static_cast<size_t>(row)] = 1;
      ++report.rejected_rows;
      for (auto& column : predictions.columns) column.SetNull(row);
    }
    report.violations.push_back(std::move(violation));
  }
  std::ranges::stable_sort(report.violations, {}, &data::Violation::row);
}

}  // namespace

base::Result<void> Scorer::Score(data::Decoded& rows, Workspace& workspace, Scores& scores,
                                 const base::Deadline& deadline) const {
  auto& state = *workspace.state_;
  const auto& preprocessor = *plan_->preprocessor;
  Laps laps;
  scores.timings = {};
  scores.report.Clear();
  if (scores.predictions.columns.size() != output_fields().size()) {
    scores.predictions = data::Table::Make(output_fields());
  }
  scores.predictions.Clear();
  SLIPWAY_TRY(CheckDeadline(deadline));

  const data::Table& table = preprocessor.Check(rows, scores.report, state.preprocessing);
  const bool all_passed = scores.report.rejected_rows == 0;
  data::Table& predictions = all_passed ? scores.predictions : state.accepted;
  if (!all_passed) predictions.Clear();
  state.misfits.clear();
  laps.Lap(scores.timings.validate);

  for (int64_t first = 0; first < table.rows; first += Preprocessor::kBlockRows) {
    const int64_t block = std::min(Preprocessor::kBlockRows, table.rows - first);
    preprocessor.Features(table, first, block, state.preprocessing);
    plan_->inputs->Fill(preprocessor, state.preprocessing, block, state.inputs);
    plan_->decoder->Begin(state.outputs);
    laps.Lap(scores.timings.features);
    for (int64_t at = 0; at < block; at += plan_->chunk_rows) {
      SLIPWAY_TRY(CheckDeadline(deadline));
      const int64_t chunk = std::min(plan_->chunk_rows, block - at);
      plan_->inputs->View(at, chunk, plan_->fixed_rows > 0 ? plan_->fixed_rows : chunk, state.inputs, state.views);
      SLIPWAY_TRY(state.session->Run(state.views, state.tensors, deadline));
      ++scores.timings.runs;
      if (state.nudge != 0) [[unlikely]] {
        Nudge(state.nudge, state.tensors);
      }
      SLIPWAY_TRY(plan_->decoder->Take(state.tensors, chunk, state.outputs));
    }
    laps.Lap(scores.timings.infer);
    plan_->decoder->Finish(state.preprocessing.columns, block, state.outputs, predictions);
    for (auto& misfit : state.inputs.misfits) {
      state.misfits.emplace_back(first + misfit.row, std::move(misfit.violation));
    }
    laps.Lap(scores.timings.decode);
  }

  if (!all_passed) {
    if (!state.misfits.empty()) {  // rows so far count accepted ones only
      std::vector<int64_t> original;
      for (int64_t row = 0; row < rows.table.rows; ++row) {
        if (!scores.report.rejected[static_cast<size_t>(row)]) original.push_back(row);
      }
      for (auto& misfit : state.misfits) misfit.first = original[static_cast<size_t>(misfit.first)];
    }
    Spread(state.accepted, scores.report, rows.table.rows, scores.predictions);
  }
  if (!state.misfits.empty()) RejectMisfits(state.misfits, layout(), scores.report, scores.predictions);
  laps.Lap(scores.timings.decode);
  return {};
}

void Scorer::ScoreConstant(size_t step, bool even_rejected, data::Decoded& rows, Workspace& workspace,
                           Scores& scores) const {
  auto& state = *workspace.state_;
  scores.timings = {};
  scores.report.Clear();
  if (scores.predictions.columns.size() != output_fields().size()) {
    scores.predictions = data::Table::Make(output_fields());
  }
  scores.predictions.Clear();
  plan_->preprocessor->Check(rows, scores.report, state.preprocessing);
  if (even_rejected) {
    std::ranges::fill(scores.report.rejected, 0);
    scores.report.rejected_rows = 0;
    scores.report.violations.clear();
  }
  const data::Table& constant = plan_->constants[step];
  for (size_t c = 0; c < scores.predictions.columns.size(); ++c) {
    for (int64_t row = 0; row < rows.table.rows; ++row) {
      const bool rejected = scores.report.rejected_rows > 0 && scores.report.rejected[static_cast<size_t>(row)];
      if (rejected) {
        scores.predictions.columns[c].AppendNull();
      } else {
        scores.predictions.columns[c].AppendFrom(constant.columns[c], 0);
      }
    }
  }
  scores.predictions.rows = rows.table.rows;
}

}  // namespace slipway::scoring
