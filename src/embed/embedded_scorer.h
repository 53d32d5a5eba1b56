#pragma once
// EmbeddedScorer is a bundle opened inside somebody else's process: Arrow in, Arrow out, from any number of threads.

#include "slipway/slipway.h"

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "data/decoded.h"
#include "embed/answer_columns.h"
#include "embed/batch_reader.h"
#include "scoring/scorer.h"

namespace slipway::embed {

struct ScoreOptions {
  ColumnPolicy columns;
  int threads = 0;  ///< 0: what the machine allows
};

/// Immutable but for working memory, of which each call borrows its own. Thread-safety: all methods from any thread.
class EmbeddedScorer {
 public:
  /// Opens a folder or archive and compiles it. Models that are not light are tried first where the program stands in
  /// the folder above this library's. Errors: those of bundle::Bundle::Open and scoring::Scorer::Create.
  static base::Result<std::shared_ptr<const EmbeddedScorer>> Open(const std::string& path);
  /// `digest`: of the bundle, for the description.
  EmbeddedScorer(std::shared_ptr<const scoring::Scorer> scorer, const std::string& digest);

  const scoring::Scorer& scorer() const { return *scorer_; }
  /// The contract as JSON; its form stands in slipway.h.
  const std::string& description() const { return description_; }

  /// Whether a table with this schema can be scored. Errors: as BatchReader::Create.
  base::Result<void> Check(const ArrowSchema& schema, const ScoreOptions& options) const;
  /// Blocks of rows go to several threads when there are many. Errors: those of BatchReader::Create and
  /// scoring::Scorer::Score, "arrow.too_large".
  base::Result<AnswerColumns> Score(const ArrowSchema& schema, const ArrowArray& batch,
                                    const ScoreOptions& options) const;
  /// JSON lines to JSON lines, as `predict` does. Errors: those of scoring::Scorer::Score.
  base::Result<std::string> ScoreLines(std::string_view lines, bool ignore_unknown) const;

 private:
  /// What a thread needs to score.
  struct Lane {
    Lane(const scoring::Scorer& scorer, scoring::Workspace workspace)
        : workspace(std::move(workspace)), rows(scorer.layout()) {}
    scoring::Workspace workspace;
    data::Decoded rows;
    scoring::Scores scores;
  };
  class Lease;
  base::Result<std::unique_ptr<Lane>> TakeLane() const;
  void ReturnLane(std::unique_ptr<Lane> lane) const;
  ColumnPolicy Complete(ColumnPolicy policy) const;
  base::Result<void> ScoreInTurn(const BatchReader& batch, AnswerColumns& answers) const;
  base::Result<void> ScoreAtOnce(const BatchReader& batch, int threads, AnswerColumns& answers) const;

  std::shared_ptr<const scoring::Scorer> scorer_;
  std::string description_;
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Lane>> idle_;  ///< guarded by mutex_
};

}  // namespace slipway::embed
