#pragma once
// Rows of databases and of SQL are staged: copied once, as they are at one moment, into a Parquet file of the job's,
// which is then worked on like any other. docs/design/batch-databases.md says why.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "batch/input_list.h"
#include "batch/job.h"
#include "batch/plan.h"
#include "tables/table_query.h"

namespace slipway::batch {

/// The files of a job; of a database or a query one that is yet to be staged. Errors: those of ListInput.
base::Result<std::vector<InputFile>> ListSources(const Job& job);

/// What is asked for a source that is no file.
base::Result<tables::QuestionText> QuestionOf(const Job& job, const InputFile& file);

/// The columns of a source: of its staged file, or, before there is one, as the database tells them. Errors: those of
/// tables::TableQuery::Open; data_loss "batch.staged_damaged".
base::Result<tables::TableHead> HeadOfSource(const Job& job, const InputFile& file);

/// Whether the columns that the model needs have types that it can be given. Error: invalid_argument
/// "batch.unusable_column".
base::Result<void> CheckTypes(const Plan& plan);

struct StagingHooks {
  /// `share`: of the whole, where it can be told; `bytes`: written so far.
  std::function<void(const std::string& source, std::optional<double> share, int64_t bytes)> on_progress;
  std::function<void(const InputFile& staged, int64_t rows)> on_staged;
  std::function<bool()> stop;
};

/// Stages what is not staged yet, of each source the columns that are needed; what else is in the folder goes. The
/// plan's files, to plan with again. Errors: those of tables::TableQuery; aborted "batch.stopped".
base::Result<std::vector<InputFile>> Stage(const Plan& plan, const std::filesystem::path& folder,
                                           const StagingHooks& hooks);

/// A listed file as it is now. Errors: those of Look; data_loss "batch.staged_damaged" for staged rows that are not
/// what they were.
base::Result<InputFile> LookAgain(const InputFile& listed);

}  // namespace slipway::batch
