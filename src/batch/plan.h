#pragma once
// Plan: a job whose model, files and formats were looked at and fit each other.

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "batch/answer_form.h"
#include "batch/carried_columns.h"
#include "batch/input_list.h"
#include "batch/job.h"
#include "batch/part_record.h"
#include "batch/partitions/partition_keys.h"
#include "batch/partitions/path_columns.h"
#include "batch/row_filter.h"
#include "monitor/table_tally.h"
#include "scoring/scorer.h"
#include "tables/piece_source.h"

namespace slipway::batch {

/// Text of a part, at most; what pieces in flight take of the memory follows from it.
inline constexpr int64_t kPartBytes = int64_t{32} << 20;
/// What a sink of Parquet may take: the same for every job, since the size of row groups follows from it.
inline constexpr base::Bytes kSinkMemory{int64_t{256} << 20};

/// Immutable once made; const access from any thread.
struct Plan {
  Job job;
  std::shared_ptr<const scoring::Scorer> scorer;
  base::Value baseline;  ///< the bundle's, or null
  std::vector<InputFile> files;
  std::vector<tables::TableHead> heads;  ///< one per file
  /// One per file: what its folders say, and, of that, what rows are given.
  std::vector<std::vector<PartitionValue>> partitions;
  std::vector<PathColumns> path_columns;
  CarriedColumns carried;
  std::optional<RowFilter> filter;
  std::optional<monitor::TallyPlan> tally;  ///< how what is read and answered is summed up
  tables::Format output = tables::Format::kCsv;
  std::optional<AnswerForm> form;
  std::optional<PartitionKeys> keys;           ///< of a job with --partition-by
  std::optional<data::CsvRowEncoder> rejects;  ///< none: JSON lines

  /// Whether the row with this number in its file is summed up: the first rows of a file, and some of all others, which
  /// tell shares as well.
  static bool IsTallied(int64_t number) { return number < 16'384 || number % 16 == 0; }
  bool streams() const { return job.output == "-"; }
  tables::PieceBounds bounds() const { return {.rows = job.part_rows, .bytes = kPartBytes}; }
  /// "part-000007.csv", what a part is called in its folder.
  std::string PartFile(int64_t number) const;
  /// The files that a finished part wrote.
  std::vector<WrittenFile> FilesOf(const PartRecord& part) const;
  /// Whether rows of databases or queries are still to be staged.
  bool awaits_rows() const;
  std::string RejectsHeader() const;
  /// How rows name their file: not at all when there is only one.
  std::string_view NameOf(int64_t file) const;
};

/// `baseline`: the bundle's baseline.json, or null. Opens every file to see its columns. A file that lacks a column
/// which the model needs, or has one that nobody knows, would have all its rows rejected: it is an error before
/// anything is scored. Errors: those of tables::ReadHead; invalid_argument "batch.missing_column",
/// "batch.unknown_column", "batch.keep", "predict.keep", "tables.unfit", "batch.partitions",
/// "batch.partition_by", "batch.row_groups"; those of PathColumns.
base::Result<std::unique_ptr<const Plan>> MakePlan(Job job, std::shared_ptr<const scoring::Scorer> scorer,
                                                   const base::Value& baseline, std::vector<InputFile> files);

/// Of an output that is one file or a stream, by its option or its name. Error: invalid_argument "tables.format".
base::Result<tables::Format> NamedOutputFormat(const Job& job);
/// Of the file for rejected rows, by its name. Error: invalid_argument "tables.unfit".
base::Result<tables::Format> RejectsFormat(const Job& job);
/// What is written for a row that was rejected, one line a violation: file, row, field, code, value, rule, message.
const std::vector<data::Field>& RejectFields();

}  // namespace slipway::batch
