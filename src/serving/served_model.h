#pragma once
// ServedModel: one io thread's way to score with one version: buffers, texts and metric handles, all made once.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "data/csv_rows.h"
#include "data/decoded.h"
#include "data/json_rows.h"
#include "data/json_tables.h"
#include "live/loaded_model.h"
#include "scoring/answers.h"
#include "scoring/scorer.h"
#include "serving/cache/cached_call.h"
#include "serving/compute/workload.h"
#include "serving/decode_limits.h"
#include "serving/model_statistics.h"
#include "serving/prediction_metrics.h"
#include "serving/request_note.h"
#include "serving/tensors/tensor_decoder.h"
#include "telemetry/metrics.h"

namespace slipway::serving {

/// Thread-safety: one thread. Ownership: keeps its version alive.
class ServedModel {
 public:
  /// Errors: the engine cannot open a session.
  static base::Result<std::unique_ptr<ServedModel>> Create(std::shared_ptr<const live::LoadedModel> model,
                                                           const PredictionMetrics& metrics, CallCounters& counters,
                                                           const DecodeLimits& limits, const base::Clock& clock);
  /// The same, on a thread of the pool: runs the model through the workload's batcher.
  static base::Result<std::unique_ptr<ServedModel>> CreateOnPool(std::shared_ptr<const live::LoadedModel> model,
                                                                 const PredictionMetrics& metrics,
                                                                 CallCounters& counters, const DecodeLimits& limits,
                                                                 const base::Clock& clock,
                                                                 std::shared_ptr<Workload> workload);
  /// Measures its calls for the workload that all threads share. Before the first call.
  void UseWorkload(std::shared_ptr<Workload> workload) { workload_ = std::move(workload); }
  Workload* workload() { return workload_.get(); }  ///< nullptr: all calls run where they are read
  /// Has its answers kept. Before the first call.
  void UseCache(PredictionCache& cache, SharedCache* others, const CacheMetrics& metrics);
  ServedCache* cache() { return cache_.get(); }  ///< nullptr: none are kept

  const live::LoadedModel& model() const { return *model_; }
  const DecodeLimits& limits() const { return limits_; }
  const scoring::Scorer& scorer() const { return *model_->scorer; }
  const base::Clock& clock() const { return clock_; }

  /// What a call has waited for: its thread, or on the thread that read it another call's answer, which the cache may
  /// hold now; if not, it goes on for the first time, alone. Or for the model to be loaded: then it goes on as if it
  /// had just been read, or it may wait no longer.
  enum class WaitedFor : uint8_t { kThread, kOther, kOtherInVain, kLoad, kLoadInVain };
  /// A call that has waited.
  struct Waited {
    base::SteadyTime since;       ///< when it was read, or when its model had been loaded
    std::stop_token abandoned{};  ///< its client has gone
    int priority = 0;             ///< lower ones go first
    Workload::Place place = nullptr;
    WaitedFor what = WaitedFor::kThread;
    base::SteadyTime queued{};  ///< when it came into its thread's queue
    int64_t ahead = 0;          ///< calls that waited there already

    bool for_load() const { return what == WaitedFor::kLoad || what == WaitedFor::kLoadInVain; }
  };
  /// One call: Begin, then decode into rows(), Score (per block of rows), encode scores(), End.
  void Begin(Door door, const Waited* waited = nullptr);
  /// Why this version answers in another's place.
  struct Fallback {
    bundle::FallbackReason reason;
    std::string from;                ///< "sum@1.0.1", which was asked for
    std::optional<size_t> constant;  ///< the step of its manifest's fallback that answers instead of the model
  };
  /// The call that has begun is such a one.
  void AnswerFor(Fallback fallback) { fallback_ = std::move(fallback); }
  /// `,"fallback":{"reason":"timeout","from":"sum@1.0.1"}`, or nothing. True when there was something.
  bool AppendFallback(std::string& out) const;
  const Fallback* fallback() const { return fallback_ ? &*fallback_ : nullptr; }
  /// As if the call had not begun: it goes on elsewhere.
  void Withdraw();
  /// When a call that was read at `begun` must have been scored.
  base::SteadyTime LatestOf(base::SteadyTime begun) const;
  /// Whether the call at hand has had the time of limits.timeout, without one a second: one that its caller gave less
  /// says nothing of the model when it is late.
  bool HadItsTime() const;
  /// Other than the thread's: of the call at hand, lower ones go first.
  void SetPriority(int priority);
  /// Scores rows() within the manifest's limits.timeout from now on (from its reading on, for a call that has waited),
  /// and before `latest`, the caller's own deadline.
  /// Errors: those of Scorer::Score.
  base::Result<void> Score(base::SteadyTime latest = base::SteadyTime::max());
  /// What is known of a call, for one that goes on in a later turn while others use this object. rows() holds nothing
  /// of a call that is put away.
  struct CallState {
    PhaseTimes spent;
    int64_t rows = 0, rejected = 0, runs = 0, queued = 0;
    bool shared = false;
    base::SteadyTime begun;
  };
  CallState PutAway();
  void TakeUp(Door door, const CallState& state);
  /// The rows of this call were scored when it was asked before.
  void CountRecalled(int64_t rows);
  // The end of a call: one of these counts it, and notes what the log and the trace tell of it.
  /// It was answered, if only with what is wrong with its rows.
  void End(RequestNote& note);
  /// It was answered with this error as a whole.
  void Fail(const base::Error& error, RequestNote& note);
  /// None of its rows were answered because some were rejected: for protocols without errors of rows.
  void Reject(RequestNote& note);

  const std::shared_ptr<const live::LoadedModel>& shared_model() const { return model_; }
  data::Decoded& rows() { return rows_; }
  const scoring::Scores& scores() const { return scores_; }
  /// Over all blocks of this call.
  int64_t call_rows() const { return call_rows_; }
  int64_t call_rejected() const { return call_rejected_; }
  /// `{"decode":12.5,…,"total":80.1}`: microseconds of this call so far, by phase.
  void AppendTimings(std::string& out) const;

  data::JsonRowDecoder& json_decoder() { return json_decoder_; }
  const scoring::AnswerWriter& writer() const { return writer_; }
  /// The model as tensors show it, and what decodes tensors into rows(). Made on first use.
  struct Tensors {
    explicit Tensors(const scoring::Scorer& scorer)
        : contract(tensors::Contract::Of(*scorer.contract())), decoder(contract, scorer.layout()) {}
    const tensors::Contract contract;
    tensors::TensorDecoder decoder;
  };
  Tensors& tensors() {
    if (tensors_ == nullptr) tensors_ = std::make_unique<Tensors>(scorer());
    return *tensors_;
  }
  /// What reads and writes rows inside the JSON of other protocols. Made on first use.
  struct JsonTables {
    JsonTables(const scoring::Scorer& scorer, const DecodeLimits& limits);
    data::JsonTableDecoder decoder;
    const data::JsonTableEncoder encoder;
    const bool one_row;  ///< the model's own tensors have no dimension over rows
  };
  JsonTables& json_tables();
  const data::CsvRowEncoder& csv_encoder() const { return csv_encoder_; }
  /// `{"model":"iris","version":"1.0.0","request_id":"`
  const std::string& answer_start() const { return answer_start_; }
  /// The Slipway-Model, -Version and -Arm headers, as lines.
  const std::string& header_lines() const { return header_lines_; }

 private:
  struct DoorMetrics {
    bool ready = false;
    std::array<telemetry::Counter, kOutcomes> calls;
    std::vector<std::pair<std::string, telemetry::Counter>> errors;  ///< by code, as they come up
    telemetry::Counter scored_rows, rejected_rows;
    telemetry::Histogram duration;
    std::array<telemetry::Histogram, kPhases> phases;
  };

  ServedModel(std::shared_ptr<const live::LoadedModel> model, scoring::Workspace workspace,
              const PredictionMetrics& metrics, CallCounters& counters, const DecodeLimits& limits,
              const base::Clock& clock);
  DoorMetrics& MetricsOf(Door door);
  void Open(Door door);
  base::Result<void> Infer(base::SteadyTime latest);
  void JudgeWorkload();
  void CountViolations();
  void CountError(const std::string& code);
  void CountSuccess();
  void Close(Outcome outcome, CallTotal failure, RequestNote& note);
  void Lap(Phase phase);

  const std::shared_ptr<const live::LoadedModel> model_;
  const PredictionMetrics& metrics_;
  CallCounters& counters_;
  const DecodeLimits& limits_;
  const base::Clock& clock_;
  scoring::Workspace workspace_;
  data::Decoded rows_;
  scoring::Scores scores_;
  data::JsonRowDecoder json_decoder_;
  scoring::AnswerWriter writer_;
  data::CsvRowEncoder csv_encoder_;
  std::unique_ptr<Tensors> tensors_;
  std::unique_ptr<JsonTables> json_tables_;
  std::unique_ptr<ServedCache> cache_;
  std::shared_ptr<Workload> workload_;
  engine::Batcher::Lane* lane_ = nullptr;  ///< of the workspace, on a thread of the pool
  std::string answer_start_, header_lines_;

  const PredictionMetrics::TritonHistograms triton_;
  std::array<DoorMetrics, kDoors> doors_;
  std::array<telemetry::Counter, 16> violations_;  ///< by ViolationCode
  // The call at hand.
  bool open_ = false;
  Door door_name_ = Door::kNative;
  DoorMetrics* door_ = nullptr;
  base::SteadyTime begun_, last_;
  PhaseTimes spent_;
  int64_t call_rows_ = 0, call_rejected_ = 0, runs_ = 0;
  bool recalled_ = false;  ///< its time says nothing of the model
  bool shared_ = false;    ///< other calls were in its runs
  const Waited* waited_ = nullptr;
  std::optional<Fallback> fallback_;
  int64_t queued_ = 0;  ///< nanoseconds that it has waited, for its thread and for the model
  // Calls of one row, since the workload was judged last.
  int64_t judged_calls_ = 0, fastest_ = 0;
};

}  // namespace slipway::serving
