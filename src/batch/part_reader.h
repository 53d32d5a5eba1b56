#pragma once
// PartReader reads the files of a plan in order and cuts them into parts.

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "base/error.h"
#include "batch/part_record.h"
#include "batch/plan.h"
#include "tables/piece_source.h"

namespace slipway::batch {

/// Where to go on.
struct PartPlace {
  int64_t number = 0;
  int64_t file = 0;
  tables::PiecePlace place;
  bool begun = false;  ///< `place` counts; otherwise at the file's first row
  int64_t rows = 0;    ///< before here, of all shards
};

/// One part on its way. Reused.
struct PartText {
  int64_t number = 0;
  int64_t file = 0;
  int64_t rows_before = 0;  ///< in all parts before, of any shard
  tables::Piece piece;
};

/// Thread-safety: one thread at a time.
class PartReader {
 public:
  /// `finished`: the parts before `place`, which standard input is held against when it is piped in again; `stop`: to
  /// give up waiting for it. Both and the plan must outlive this.
  explicit PartReader(const Plan& plan, PartPlace place = {}, const std::vector<PartRecord>* finished = nullptr,
                      std::function<bool()> stop = {})
      : plan_(plan), finished_(finished), stop_(std::move(stop)), at_(place) {}

  /// The next part of this shard; false at the end. Errors: those of tables::PieceSource; failed_precondition
  /// "batch.input_changed" when a file is not the one that was listed, "batch.changed" when standard input is not.
  base::Result<bool> Next(PartText& part);

  /// Bytes of the input that were read, as stored.
  int64_t bytes_read() const;

 private:
  base::Result<bool> NextOfAnyShard(PartText& part);
  base::Result<void> OpenFile();
  base::Result<void> CheckUnchanged() const;

  const Plan& plan_;
  const std::vector<PartRecord>* finished_;
  std::function<bool()> stop_;
  PartPlace at_;
  std::unique_ptr<tables::PieceSource> source_;
  int64_t bytes_before_ = 0;  ///< of the files that are through
};

/// Reads on in a file of the plan behind those of its parts that are among `finished`, and compares them with what it
/// reads. Error: failed_precondition "batch.changed" with the rows that are others.
base::Result<void> CompareParts(const Plan& plan, const std::vector<PartRecord>& finished, int64_t file,
                                tables::PieceSource& source);

}  // namespace slipway::batch
