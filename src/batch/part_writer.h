#pragma once
// PartWriter scores one part after another and writes what it makes of each, apart from all others.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "batch/part_reader.h"
#include "batch/part_record.h"
#include "batch/plan.h"
#include "scoring/scorer.h"
#include "tables/row_sink.h"

namespace slipway::batch {

/// Time spent, in nanoseconds, all threads together.
struct PhaseTimes {
  int64_t read = 0, decode = 0, validate = 0, features = 0, infer = 0, encode = 0, write = 0, tally = 0;
  int64_t stage = 0, assemble = 0;  ///< before and behind the parts, one thread
  void Add(const PhaseTimes& other);
};

/// One thread's. Thread-safety: one thread at a time.
class PartWriter {
 public:
  /// Where files go; none for a job that streams. `plan` must outlive this.
  struct Folders {
    std::filesystem::path parts, rejects;
  };
  static base::Result<PartWriter> Create(const Plan& plan, std::optional<Folders> folders);

  /// What a part gives beside its files. Reused.
  struct Yield {
    std::string text;     ///< of a job that streams
    std::string rejects;  ///< likewise
    std::string tally;    ///< monitor::TableTally of the part, as JSON
  };
  /// Scores a part and leaves its files complete and on disk under their names. Errors: those of the input's format,
  /// the scorer and the output.
  base::Result<PartRecord> Write(const PartText& part, Yield& yield);

  const PhaseTimes& times() const { return times_; }

 private:
  class Sink;
  PartWriter(const Plan& plan, scoring::Workspace workspace, std::optional<Folders> folders);
  base::Result<std::unique_ptr<tables::RowSink>> OpenTable(const std::filesystem::path& path);
  base::Result<void> ScoreRows(const PartText& part, PartRecord& record, Sink& sink);
  base::Result<void> ScoreBatch();
  void NoteRejects(const ScoredRows& batch, const PartText& part, PartRecord& record);
  base::Result<void> WriteRejects(PartRecord& record) const;

  const Plan* plan_;
  std::optional<Folders> folders_;
  scoring::Workspace workspace_;
  std::unique_ptr<ScoredRows> batch_;
  std::unique_ptr<tables::PieceRows> rows_;
  expr::Workspace filter_;
  std::optional<monitor::TableTally> tally_;         ///< of the part at hand
  std::vector<int64_t> tallied_;                     ///< rows of the batch at hand
  int64_t file_ = -1;                                ///< of rows_
  std::shared_ptr<tables::duckdb::Session> engine_;  ///< for output in Parquet
  std::string text_, rejects_;
  PhaseTimes times_;
};

}  // namespace slipway::batch
