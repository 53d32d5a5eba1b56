#include "serving/served_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>

#include "base/value.h"

namespace slipway::serving {
namespace {

constexpr std::string_view kDoorNames[] = {"native", "oip", "tfserving", "mlflow", "grpc"};
constexpr std::string_view kOutcomeNames[] = {"ok", "partial", "rejected", "error"};
constexpr std::string_view kPhaseNames[] = {"decode", "validate", "features", "infer", "outputs", "encode"};

/// A tensor of one element a row is a scalar field; the lists around it, which callers who know the tensor send and
/// expect.
std::vector<int> ListRanks(std::span<const engine::TensorSpec> tensors, const std::vector<data::Field>& fields,
                           bool batched) {
  std::vector<int> ranks(fields.size());
  for (size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].type.is_scalar()) ranks[i] = static_cast<int>(tensors[i].RowShape(batched).size());
  }
  return ranks;
}

std::vector<int> InputRanks(const scoring::Scorer& scorer) {
  if (scorer.manifest().has_inputs) return {};
  return ListRanks(scorer.model().inputs, scorer.layout().fields(), scorer.model().batched);
}

std::vector<int> OutputRanks(const scoring::Scorer& scorer) {
  if (!scorer.manifest().outputs.empty()) return {};
  return ListRanks(scorer.model().outputs, scorer.output_fields(), scorer.model().batched);
}

}  // namespace

std::string_view DoorName(Door door) {
  return kDoorNames[static_cast<size_t>(door)];
}

PredictionMetrics::PredictionMetrics(telemetry::MetricRegistry& registry)
    : calls(registry.AddCounter({"slipway_predictions_total",
                                 "Prediction calls, by how they ended.",
                                 {"model", "version", "door", "outcome"},
                                 2048})),
      rows(registry.AddCounter({"slipway_prediction_rows_total",
                                "Rows scored and rejected.",
                                {"model", "version", "door", "outcome"},
                                2048})),
      violations(registry.AddCounter({"slipway_violations_total",
                                      "Violations of the input schema, by code.",
                                      {"model", "version", "code"},
                                      2048})),
      phases(registry.AddHistogram({"slipway_prediction_phase_seconds",
                                    "Time of a call spent per phase.",
                                    {"model", "version", "door", "phase"},
                                    1024,
                                    1e-9})) {}

base::Result<std::unique_ptr<ServedModel>> ServedModel::Create(std::shared_ptr<const live::LoadedModel> model,
                                                               const PredictionMetrics& metrics, CallCounters& counters,
                                                               const DecodeLimits& limits, const base::Clock& clock) {
  SLIPWAY_ASSIGN(auto workspace, model->scorer->NewWorkspace());
  return std::unique_ptr<ServedModel>(
      new ServedModel(std::move(model), std::move(workspace), metrics, counters, limits, clock));
}

ServedModel::ServedModel(std::shared_ptr<const live::LoadedModel> model, scoring::Workspace workspace,
                         const PredictionMetrics& metrics, CallCounters& counters, const DecodeLimits& limits,
                         const base::Clock& clock)
    : model_(std::move(model)),
      metrics_(metrics),
      counters_(counters),
      limits_(limits),
      clock_(clock),
      workspace_(std::move(workspace)),
      rows_(model_->scorer->layout()),
      json_decoder_(model_->scorer->layout(), limits.JsonRows(model_->scorer->manifest().limits.max_batch_rows)),
      writer_(*model_->scorer),
      csv_encoder_(model_->scorer->output_fields()) {
  answer_start_ = "{\"model\":";
  base::AppendJsonString(answer_start_, model_->name);
  answer_start_ += ",\"version\":";
  base::AppendJsonString(answer_start_, model_->version_text);
  answer_start_ += ",\"request_id\":\"";
  header_lines_ = fmt::format("Slipway-Model: {}\r\nSlipway-Version: {}\r\nSlipway-Arm: stable\r\n", model_->name,
                              model_->version_text);
  for (size_t code = 0; code <= static_cast<size_t>(data::ViolationCode::kMalformed); ++code) {
    violations_[code] = metrics_.violations.With(
        {model_->name, model_->version_text, data::ViolationCodeName(static_cast<data::ViolationCode>(code))});
  }
}

ServedModel::DoorMetrics& ServedModel::MetricsOf(Door door) {
  DoorMetrics& handles = doors_[static_cast<size_t>(door)];
  if (handles.ready) return handles;
  const std::string_view name = model_->name, version = model_->version_text, door_name = DoorName(door);
  for (size_t i = 0; i < kOutcomes; ++i)
    handles.calls[i] = metrics_.calls.With({name, version, door_name, kOutcomeNames[i]});
  handles.scored_rows = metrics_.rows.With({name, version, door_name, "scored"});
  handles.rejected_rows = metrics_.rows.With({name, version, door_name, "rejected"});
  for (size_t i = 0; i < kPhases; ++i)
    handles.phases[i] = metrics_.phases.With({name, version, door_name, kPhaseNames[i]});
  handles.ready = true;
  return handles;
}

ServedModel::JsonTables::JsonTables(const scoring::Scorer& scorer, const DecodeLimits& limits)
    : decoder(scorer.layout(), limits.JsonRows(scorer.manifest().limits.max_batch_rows), InputRanks(scorer)),
      encoder(scorer.output_fields(), OutputRanks(scorer)),
      one_row(!scorer.manifest().has_inputs && !scorer.model().batched) {}

ServedModel::JsonTables& ServedModel::json_tables() {
  if (json_tables_ == nullptr) json_tables_ = std::make_unique<JsonTables>(scorer(), limits_);
  return *json_tables_;
}

void ServedModel::Begin(Door door) {
  door_ = &MetricsOf(door);
  spent_ = {};
  call_rows_ = call_rejected_ = 0;
  rows_.Clear();
  last_ = clock_.Now();
}

ServedModel::CallState ServedModel::PutAway() {
  Lap(kEncode);
  return {spent_, call_rows_, call_rejected_};
}

void ServedModel::TakeUp(Door door, const CallState& state) {
  Begin(door);
  spent_ = state.spent;
  call_rows_ = state.rows;
  call_rejected_ = state.rejected;
}

void ServedModel::AppendTimings(std::string& out) const {
  int64_t total = 0;
  out += '{';
  for (size_t i = 0; i < kEncode; ++i) {
    fmt::format_to(std::back_inserter(out), "\"{}\":{:.1f},", kPhaseNames[i], static_cast<double>(spent_[i]) / 1e3);
    total += spent_[i];
  }
  fmt::format_to(std::back_inserter(out), "\"total\":{:.1f}}}", static_cast<double>(total) / 1e3);
}

void ServedModel::Lap(Phase phase) {
  const auto now = clock_.Now();
  spent_[phase] += (now - last_).count();
  last_ = now;
}

base::Result<void> ServedModel::Score(base::SteadyTime latest) {
  // Since the last lap: decoding, or for later blocks the encoding of one and the decoding of the next.
  Lap(kDecode);
  base::Deadline deadline;
  deadline.clock = &clock_;
  deadline.at = latest;
  if (const auto& timeout = scorer().manifest().limits.timeout) {
    deadline.at = std::min(latest, last_ + std::chrono::duration_cast<base::SteadyTime::duration>(*timeout));
  }
  const int64_t rows = rows_.table.rows;
  call_rows_ += rows;
  SLIPWAY_TRY(scorer().Score(rows_, workspace_, scores_, deadline));
  const scoring::Timings& timings = scores_.timings;
  spent_[kValidate] += timings.validate;
  spent_[kFeatures] += timings.features;
  spent_[kInfer] += timings.infer;
  spent_[kOutputs] += timings.decode;
  last_ += std::chrono::nanoseconds(timings.validate + timings.features + timings.infer + timings.decode);
  const int64_t rejected = scores_.report.rejected_rows;
  call_rejected_ += rejected;
  door_->scored_rows.Add(static_cast<uint64_t>(rows - rejected));
  if (rejected > 0) {
    door_->rejected_rows.Add(static_cast<uint64_t>(rejected));
    CountViolations();
  }
  return {};
}

void ServedModel::CountViolations() {
  for (const auto& violation : scores_.report.violations) violations_[static_cast<size_t>(violation.code)].Add();
}

void ServedModel::End(bool failed) {
  const Outcome outcome = failed                         ? Outcome::kError
                          : call_rejected_ == 0          ? Outcome::kOk
                          : call_rejected_ == call_rows_ ? Outcome::kRejected
                                                         : Outcome::kPartial;
  Close(outcome);
}

void ServedModel::EndRejected() {
  Close(Outcome::kRejected);
}

void ServedModel::Close(Outcome outcome) {
  Lap(kEncode);
  door_->calls[static_cast<size_t>(outcome)].Add();
  for (size_t i = 0; i < kPhases; ++i) door_->phases[i].Observe(spent_[i]);
  const int64_t input = spent_[kDecode] + spent_[kValidate] + spent_[kFeatures];
  const int64_t output = spent_[kOutputs] + spent_[kEncode];
  if (outcome == Outcome::kOk || outcome == Outcome::kPartial) {
    counters_.Add(CallTotal::kSucceeded, 1);
    counters_.Add(CallTotal::kRows, call_rows_ - call_rejected_);
    counters_.Add(CallTotal::kInputTime, input);
    counters_.Add(CallTotal::kInferTime, spent_[kInfer]);
    counters_.Add(CallTotal::kOutputTime, output);
  } else {
    counters_.Add(CallTotal::kFailed, 1);
    counters_.Add(CallTotal::kFailedTime, input + spent_[kInfer] + output);
  }
  counters_.Touch(last_.time_since_epoch().count());
}

}  // namespace slipway::serving
