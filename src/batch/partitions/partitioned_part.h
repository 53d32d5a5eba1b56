#pragma once
// PartitionedPart is the output of one part of a job with --partition-by: a file in the folder of each value.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "batch/part_record.h"
#include "batch/plan.h"
#include "data/column.h"
#include "tables/row_sink.h"

namespace slipway::batch {

/// "year=2026/month=11" of "year=2026/month=11/part-000003.csv".
std::string_view FolderOfFile(std::string_view path);

/// Completes a table that stands at `path` then. `path` and `rows` of what is told are left to the caller.
base::Result<WrittenFile> FinishTable(tables::RowSink& table, const std::filesystem::path& path);

/// More different folders than the job may have. Error: failed_precondition "batch.too_many_partitions".
std::unexpected<base::Error> TooManyPartitions(const Job& job);

/// Rows are held until all of the part are there, so that one file is open at a time. Thread-safety: one thread at a
/// time.
class PartitionedPart {
 public:
  explicit PartitionedPart(const Plan& plan) : plan_(plan) {}

  /// Errors: "batch.too_many_partitions"; resource_exhausted "batch.part_too_large".
  base::Result<void> Add(ScoredRows& batch, int64_t file);

  /// Opens a table for the rows of one file.
  using OpenTable = std::function<base::Result<std::unique_ptr<tables::RowSink>>(const std::filesystem::path& path)>;
  /// Leaves the files complete and on disk below `parts`, in the order of their paths, and tells the record of them.
  /// Errors: unavailable "tables.write"; invalid_argument "batch.partition_value" for a value that makes no name.
  base::Result<void> Write(const std::filesystem::path& parts, const OpenTable& open, PartRecord& record);

 private:
  struct Group {
    int64_t rows = 0;
    std::string text;   ///< of formats that are text
    data::Table table;  ///< of others
  };
  base::Result<Group*> GroupOf(const std::string& folder);
  base::Result<void> AddText(ScoredRows& batch, int64_t file, const PathColumns& path);
  base::Result<void> AddTable(ScoredRows& batch, const PathColumns& path);
  base::Result<WrittenFile> WriteGroup(const std::filesystem::path& path, const OpenTable& open, Group& group) const;

  const Plan& plan_;
  std::map<std::string, Group> groups_;  ///< by folder
  int64_t bytes_ = 0;
  std::string text_;  ///< working memory
  std::vector<size_t> ends_;
};

}  // namespace slipway::batch
