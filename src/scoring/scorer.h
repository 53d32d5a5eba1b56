#pragma once
// Scorer: the compiled bundle. validate -> features -> infer -> decode, the only way to a prediction in this program.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/value.h"
#include "bundle/bundle.h"
#include "data/decoded.h"
#include "engine/engine.h"
#include "schema/validator.h"
#include "scoring/contract.h"

namespace slipway::scoring {

/// Nanoseconds spent per phase of one call, and how often the model ran.
struct Timings {
  int64_t validate = 0, features = 0, infer = 0, decode = 0;
  int64_t runs = 0;
};

/// Answers for the rows of one Decoded, in their order. Reused: memory is kept.
struct Scores {
  data::Table predictions;  ///< one row per input row, columns as output_fields(); null where rejected
  schema::Report report;    ///< rejected rows and why; warnings
  Timings timings;
};

/// One thread's working memory: an engine session, feature registers, buffers.
class Workspace {
 public:
  ~Workspace();
  Workspace(Workspace&&) noexcept;
  Workspace& operator=(Workspace&&) noexcept;

  /// Moves every float of the model's outputs by `share` of itself, or of 1 where it is smaller, before it is decoded:
  /// tells whether an answer hangs on the last bits. 0, the default, leaves them as they are.
  void NudgeOutputs(double share);

 private:
  friend class Scorer;
  struct State;
  explicit Workspace(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

struct ScorerOptions {
  engine::EngineOptions engine;
  bool warm_up = true;
};

/// Immutable and thread-safe; no I/O after Create(). A row gets the same bits alone, in any batch, on any thread,
/// unless the manifest says `model: {batching: relaxed}`.
class Scorer {
 public:
  /// Compiles a bundle: schema, features, model and outputs must fit each other; a misfit is an error that names the
  /// line of slipway.yaml. Reasons: "manifest.…", "features.…", "expr.…", "engine.…".
  static base::Result<std::shared_ptr<const Scorer>> Create(const bundle::Bundle& bundle,
                                                            const engine::EngineTable& engines,
                                                            const ScorerOptions& options = {});
  /// Answers with the constants of the bundle's fallback only: its engine cannot be loaded, and is not. `known`: the
  /// contract of an earlier load, if there was one; without it a prediction has the fields that the constants
  /// name. Errors: as Create(); not_found "manifest.fallback": there is no constant, or what rows look like
  /// only the engine could tell.
  static base::Result<std::shared_ptr<const Scorer>> CreateForConstants(const bundle::Bundle& bundle,
                                                                        std::shared_ptr<const Contract> known);
  ~Scorer();

  const std::shared_ptr<const Contract>& contract() const;
  // Its parts.
  const bundle::Manifest& manifest() const;
  const schema::Schema& schema() const;  ///< the manifest's, or the one made from the model's tensors
  const data::Layout& layout() const;    ///< what decoders fill
  const std::vector<data::Field>& output_fields() const;
  const engine::ModelInfo& model() const;
  /// What became of the process that the model has for itself; nullopt: it runs in this one.
  std::optional<engine::ProcessReading> process() const;
  /// Rows per run of the engine.
  int64_t chunk_rows() const;

  base::Result<Workspace> NewWorkspace() const;
  /// One that runs the model through `session`, which leads into a session of NewSession().
  Workspace NewWorkspace(std::unique_ptr<engine::Session> session) const;
  base::Result<std::unique_ptr<engine::Session>> NewSession() const;

  /// Scores every row of `rows` (decoded with layout(); repaired in place). Rows that break the schema are answered by
  /// scores.report, the others by scores.predictions. Errors concern the call as a whole: the engine failed,
  /// "scoring.deadline" or "scoring.cancelled" (looked at between chunks).
  base::Result<void> Score(data::Decoded& rows, Workspace& workspace, Scores& scores,
                           const base::Deadline& deadline = {}) const;

  /// Answers without the model: every row that keeps to the schema, or with `even_rejected` every row, with the
  /// constant of the manifest's fallback number `step`.
  void ScoreConstant(size_t step, bool even_rejected, data::Decoded& rows, Workspace& workspace, Scores& scores) const;

 private:
  struct Plan;
  explicit Scorer(std::unique_ptr<const Plan> plan);
  std::unique_ptr<const Plan> plan_;
};

}  // namespace slipway::scoring
