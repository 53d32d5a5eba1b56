#include "serving/served_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>

#include "base/value.h"

namespace slipway::serving {
namespace {

constexpr std::string_view kSchemaViolation = "schema.violation";

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

base::Result<std::unique_ptr<ServedModel>> ServedModel::Create(std::shared_ptr<const live::LoadedModel> model,
                                                               const PredictionMetrics& metrics, CallCounters& counters,
                                                               const DecodeLimits& limits, const base::Clock& clock) {
  SLIPWAY_ASSIGN(auto workspace, model->scorer->NewWorkspace());
  return std::unique_ptr<ServedModel>(
      new ServedModel(std::move(model), std::move(workspace), metrics, counters, limits, clock));
}

base::Result<std::unique_ptr<ServedModel>> ServedModel::CreateOnPool(std::shared_ptr<const live::LoadedModel> model,
                                                                     const PredictionMetrics& metrics,
                                                                     CallCounters& counters, const DecodeLimits& limits,
                                                                     const base::Clock& clock,
                                                                     std::shared_ptr<Workload> workload) {
  SLIPWAY_ASSIGN(const auto batcher, workload->Batcher());
  auto lane = batcher->NewSession();
  engine::Batcher::Lane* const entry = lane.get();
  auto workspace = model->scorer->NewWorkspace(std::move(lane));
  std::unique_ptr<ServedModel> served(
      new ServedModel(std::move(model), std::move(workspace), metrics, counters, limits, clock));
  served->lane_ = entry;
  served->workload_ = std::move(workload);
  return served;
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
      csv_encoder_(model_->scorer->output_fields()),
      triton_(metrics.Triton(model_->name, model_->version_text)) {
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
  for (size_t i = 0; i < kOutcomes; ++i) {
    handles.calls[i] = metrics_.calls.With({name, version, door_name, OutcomeName(static_cast<Outcome>(i))});
  }
  handles.scored_rows = metrics_.rows.With({name, version, door_name, "scored"});
  handles.rejected_rows = metrics_.rows.With({name, version, door_name, "rejected"});
  handles.duration = metrics_.durations.With({name, version, door_name});
  for (size_t i = 0; i < kPhases; ++i) {
    handles.phases[i] = metrics_.phases.With({name, version, door_name, PhaseName(static_cast<Phase>(i))});
  }
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

void ServedModel::Begin(Door door, const Waited* waited) {
  if (open_) counters_.Add(CallTotal::kOther, 1);  // an exception ended the call before
  counters_.Add(CallTotal::kBegun, 1);
  Open(door);
  begun_ = last_;
  waited_ = waited;
  if (waited == nullptr) return;
  begun_ = waited->since;
  queued_ = (last_ - begun_).count();
  SetPriority(waited->priority);
}

void ServedModel::Withdraw() {
  open_ = false;
  counters_.Add(CallTotal::kBegun, -1);
}

void ServedModel::SetPriority(int priority) {
  if (lane_ != nullptr) lane_->SetPriority(priority);
}

base::SteadyTime ServedModel::LatestOf(base::SteadyTime begun) const {
  const auto& timeout = scorer().manifest().limits.timeout;
  return timeout ? begun + std::chrono::duration_cast<base::SteadyTime::duration>(*timeout) : base::SteadyTime::max();
}

bool ServedModel::HadItsTime() const {
  constexpr auto kFair = std::chrono::seconds(1);
  const bool bounded = scorer().manifest().limits.timeout.has_value();
  return clock_.Now() >= (bounded ? LatestOf(begun_) : begun_ + kFair);
}

void ServedModel::Open(Door door) {
  open_ = true;
  door_name_ = door;
  door_ = &MetricsOf(door);
  spent_ = {};
  call_rows_ = call_rejected_ = runs_ = queued_ = 0;
  recalled_ = shared_ = false;
  waited_ = nullptr;
  fallback_.reset();
  rows_.Clear();
  last_ = clock_.Now();
}

ServedModel::CallState ServedModel::PutAway() {
  Lap(Phase::kEncode);
  open_ = false;
  return {spent_, call_rows_, call_rejected_, runs_, queued_, shared_, begun_};
}

void ServedModel::TakeUp(Door door, const CallState& state) {
  Open(door);
  spent_ = state.spent;
  call_rows_ = state.rows;
  call_rejected_ = state.rejected;
  runs_ = state.runs;
  queued_ = state.queued;
  shared_ = state.shared;
  begun_ = state.begun;
}

void ServedModel::AppendTimings(std::string& out) const {
  int64_t total = 0;
  out += '{';
  for (size_t i = 0; i < static_cast<size_t>(Phase::kEncode); ++i) {
    const auto phase = static_cast<Phase>(i);
    fmt::format_to(std::back_inserter(out), "\"{}\":{:.1f},", PhaseName(phase),
                   static_cast<double>(spent_[phase]) / 1e3);
    total += spent_[phase];
  }
  if (queued_ > 0) {
    fmt::format_to(std::back_inserter(out), "\"queue\":{:.1f},", static_cast<double>(queued_) / 1e3);
    total += queued_;
  }
  fmt::format_to(std::back_inserter(out), "\"total\":{:.1f}}}", static_cast<double>(total) / 1e3);
}

void ServedModel::Lap(Phase phase) {
  const auto now = clock_.Now();
  spent_[phase] += (now - last_).count();
  last_ = now;
}

void ServedModel::UseCache(PredictionCache& cache, SharedCache* others, const CacheMetrics& metrics) {
  cache_ = std::make_unique<ServedCache>(cache, others, metrics, *model_);
}

void ServedModel::CountRecalled(int64_t rows) {
  Lap(Phase::kDecode);
  recalled_ = true;
  call_rows_ += rows;
  door_->scored_rows.Add(static_cast<uint64_t>(rows));
}

base::Result<void> ServedModel::Score(base::SteadyTime latest) {
  // Since the last lap: decoding, or for later blocks the encoding of one and the decoding of the next.
  Lap(Phase::kDecode);
  const int64_t rows = rows_.table.rows;
  call_rows_ += rows;
  if (fallback_ && fallback_->constant) {
    scorer().ScoreConstant(*fallback_->constant, fallback_->reason == bundle::FallbackReason::kRejected, rows_,
                           workspace_, scores_);
    Lap(Phase::kOutputs);
  } else {
    SLIPWAY_TRY(Infer(latest));
  }
  const int64_t rejected = scores_.report.rejected_rows;
  call_rejected_ += rejected;
  door_->scored_rows.Add(static_cast<uint64_t>(rows - rejected));
  if (rejected > 0) {
    door_->rejected_rows.Add(static_cast<uint64_t>(rejected));
    CountViolations();
  }
  return {};
}

base::Result<void> ServedModel::Infer(base::SteadyTime latest) {
  base::Deadline deadline;
  deadline.clock = &clock_;
  deadline.at = std::min(latest, LatestOf(waited_ != nullptr ? begun_ : last_));
  if (waited_ != nullptr) deadline.stop = waited_->abandoned;
  const bool in_parts = lane_ != nullptr && waited_ != nullptr && rows_.table.rows > scorer().chunk_rows();
  if (in_parts) {
    SLIPWAY_TRY(workload_->AdmitRows(rows_.table.rows, deadline.at, *lane_));
    lane_->Expect(rows_.table.rows);
  }
  const auto scored = scorer().Score(rows_, workspace_, scores_, deadline);
  if (in_parts) lane_->Expect(0);
  const scoring::Timings& timings = scores_.timings;
  spent_[Phase::kValidate] += timings.validate;
  spent_[Phase::kFeatures] += timings.features;
  spent_[Phase::kInfer] += timings.infer;
  spent_[Phase::kOutputs] += timings.decode;
  runs_ += timings.runs;
  last_ += std::chrono::nanoseconds(timings.validate + timings.features + timings.infer + timings.decode);
  if (!scored) Lap(Phase::kInfer);  // where the time went that no phase came to the end of
  if (lane_ != nullptr) {           // its wait for the model looked like a part of the model's run
    const int64_t waited = lane_->TakeWaited();
    spent_[Phase::kInfer] -= std::min(waited, spent_[Phase::kInfer]);
    queued_ += waited;
    shared_ |= lane_->TakeShared();
  }
  return scored;
}

bool ServedModel::AppendFallback(std::string& out) const {
  if (!fallback_) return false;
  out += ",\"fallback\":{\"reason\":\"";
  out += bundle::FallbackReasonName(fallback_->reason);
  out += "\",\"from\":";
  base::AppendJsonString(out, fallback_->from);
  out += '}';
  return true;
}

/// From the fastest of a few calls: what interrupts some does not make the model slow.
void ServedModel::JudgeWorkload() {
  constexpr int64_t kCalls = 8, kFirstCalls = 2;
  const int64_t took = spent_.total();
  fastest_ = judged_calls_ == 0 ? took : std::min(fastest_, took);
  const bool unknown = !workload_->known();
  if (++judged_calls_ < (unknown ? kFirstCalls : kCalls)) return;
  workload_->Judge(std::chrono::nanoseconds(fastest_));
  judged_calls_ = 0;
}

void ServedModel::CountViolations() {
  for (const auto& violation : scores_.report.violations) violations_[static_cast<size_t>(violation.code)].Add();
}

/// The registry's lock is taken once a code, not once an error.
void ServedModel::CountError(const std::string& code) {
  auto found = std::ranges::find(door_->errors, code, &std::pair<std::string, telemetry::Counter>::first);
  if (found == door_->errors.end()) {
    const auto counter = metrics_.errors.With({model_->name, model_->version_text, DoorName(door_name_), code});
    found = door_->errors.insert(found, {code, counter});
  }
  found->second.Add();
}

void ServedModel::End(RequestNote& note) {
  const bool rejected = call_rejected_ > 0 && call_rejected_ == call_rows_;
  const Outcome outcome = rejected ? Outcome::kRejected : call_rejected_ > 0 ? Outcome::kPartial : Outcome::kOk;
  if (rejected) note.code = kSchemaViolation;
  Close(outcome, CallTotal::kRejected, note);
}

void ServedModel::Reject(RequestNote& note) {
  note.code = kSchemaViolation;
  Close(Outcome::kRejected, CallTotal::kRejected, note);
}

void ServedModel::Fail(const base::Error& error, RequestNote& note) {
  CountError(error.reason);
  note.code = error.reason;
  Close(Outcome::kError, FailureOf(error), note);
}

void ServedModel::CountSuccess() {
  const int64_t input = spent_.input(), infer = spent_[Phase::kInfer], output = spent_.output();
  counters_.Add(CallTotal::kSucceeded, 1);
  counters_.Add(CallTotal::kRows, call_rows_ - call_rejected_);
  counters_.Add(CallTotal::kInputTime, input);
  counters_.Add(CallTotal::kInferTime, infer);
  counters_.Add(CallTotal::kOutputTime, output);
  if (queued_ > 0) counters_.Add(CallTotal::kQueueTime, queued_);
  triton_.request.Observe(queued_ + input + infer + output);
  triton_.queue.Observe(queued_);
  triton_.input.Observe(input);
  triton_.infer.Observe(infer);
  triton_.output.Observe(output);
}

/// `failure`: what a call of this outcome is counted as, unless it succeeded.
void ServedModel::Close(Outcome outcome, CallTotal failure, RequestNote& note) {
  Lap(Phase::kEncode);
  open_ = false;
  door_->calls[static_cast<size_t>(outcome)].Add();
  door_->duration.Observe(queued_ + spent_.total());
  for (size_t i = 0; i < kPhases; ++i) door_->phases[i].Observe(spent_[static_cast<Phase>(i)]);
  counters_.Add(CallTotal::kRuns, runs_);
  if (outcome == Outcome::kOk || outcome == Outcome::kPartial) {
    CountSuccess();
    const bool ran = !recalled_ && !(fallback_ && fallback_->constant);
    if (workload_ != nullptr && call_rows_ == 1 && !shared_ && ran) JudgeWorkload();
  } else {
    counters_.Add(failure, 1);
    counters_.Add(CallTotal::kFailedTime, spent_.total());
  }
  counters_.Touch(last_.time_since_epoch().count());
  note.model = model_->name;
  note.version = model_->version_text;
  note.rows = call_rows_;
  note.rejected = call_rejected_;
  note.outcome = outcome;
  note.begun = begun_;
  note.spent = spent_;
  note.queued = queued_;
  note.fallback = fallback_ ? bundle::FallbackReasonName(fallback_->reason) : std::string_view();
}

}  // namespace slipway::serving
