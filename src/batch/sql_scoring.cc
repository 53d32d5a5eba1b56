#include "batch/sql_scoring.h"

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <optional>
#include <utility>

#include "base/files.h"
#include "batch/answer_form.h"
#include "batch/carried_columns.h"
#include "batch/plan.h"
#include "batch/staged_input.h"
#include "tables/database_address.h"
#include "tables/record_function.h"
#include "tables/sql_text.h"
#include "tables/table_query.h"

namespace slipway::batch {
namespace {

constexpr std::string_view kFunction = "predict";

std::unexpected<base::Error> Usage(std::string message) {
  return base::Fail(base::Code::kInvalidArgument, "usage", std::move(message));
}

/// What parts of a job have, and the rows of a query have not.
base::Result<void> CheckOptions(const Job& job) {
  const std::pair<bool, const char*> unfit[] = {
      {!job.keep.empty(), "--keep: name the columns in the query"},
      {!job.partition_by.empty(), "--partition-by"},
      {job.row_group_rows.has_value(), "--row-group-rows"},
      {!job.rejects.empty(), "--rejects: ask for the column `error`"},
      {!job.max_errors.Text().empty(), "--max-errors"},
      {job.limit.has_value(), "--limit: write LIMIT in the query"},
      {job.shard.count > 1, "--shard"},
      {!job.where.empty(), "--where: write WHERE in the query"},
      {job.sample < 1, "--sample: write USING SAMPLE in the query"},
  };
  for (const auto& [given, words] : unfit) {
    if (given)
      return Usage(fmt::format("a query that calls predict has its own rows and columns, and takes no {}", words));
  }
  if (job.output_folder || tables::IsDatabaseAddress(job.output)) {
    return Usage("the rows of a query that calls predict go to a file or to standard output (-)");
  }
  return {};
}

/// The scorer as what SQL calls.
class Function {
 public:
  explicit Function(const scoring::Scorer& scorer) : scorer_(scorer), carried_(Carry(scorer, {}, true, {})) {}

  base::Result<void> Prepare() {
    SLIPWAY_ASSIGN(form_, AnswerForm::Create(scorer_, carried_, tables::Format::kParquet));
    function_.name = kFunction;
    function_.layout = &carried_.layout;
    for (const auto& column : scorer_.schema().columns) {
      if (!column.may_be_absent()) function_.required.push_back(column.field.name);
    }
    function_.fields = form_->fields();
    function_.new_worker = [this]() -> base::Result<std::unique_ptr<tables::RecordWorker>> {
      SLIPWAY_ASSIGN(auto workspace, scorer_.NewWorkspace());
      return std::make_unique<Worker>(*this, std::move(workspace));
    };
    return {};
  }

  const tables::RecordFunction& get() const { return function_; }
  int64_t scored() const { return scored_; }
  int64_t rejected() const { return rejected_; }

 private:
  class Worker final : public tables::RecordWorker {
   public:
    Worker(Function& function, scoring::Workspace workspace)
        : function_(function), workspace_(std::move(workspace)), batch_(function.carried_) {}

    data::Decoded& rows() override { return batch_.rows; }
    base::Result<const data::Table*> Answer() override {
      SLIPWAY_TRY(Score(function_.scorer_, function_.carried_, workspace_, batch_));
      function_.scored_ += batch_.rows.table.rows;
      function_.rejected_ += batch_.scores.report.rejected_rows;
      return &function_.form_->Tabulate(batch_);
    }

   private:
    Function& function_;
    scoring::Workspace workspace_;
    ScoredRows batch_;
  };

  const scoring::Scorer& scorer_;
  const CarriedColumns carried_;
  std::optional<AnswerForm> form_;
  tables::RecordFunction function_;
  std::atomic<int64_t> scored_ = 0, rejected_ = 0;
};

base::Result<std::unique_ptr<tables::TableQuery>> Ask(Job job, const Function& function) {
  job.sql = tables::CallsOf(kFunction, job.sql).value_or(job.sql);
  SLIPWAY_ASSIGN(auto text, QuestionOf(job, {.path = "", .source = "--sql"}));
  text.function = &function.get();
  tables::QueryOptions options;
  options.threads = job.threads;
  options.memory = {job.memory.count / 2};
  auto query = tables::TableQuery::Open(text, options);
  if (!query && query.error().message.find("COLUMNS()") != std::string::npos) {  // the words of CallsOf, not the user's
    query.error().message +=
        "; predict(*) stands alone: of the table as t (FROM … t) take predict(t).field, or predict(t) in an expression";
  }
  return query;
}

}  // namespace

bool ScoresBySql(const Job& job) {
  return tables::CallsOf(kFunction, job.sql).has_value();
}

base::Result<std::vector<tables::StoredColumn>> LookAtSql(const Job& job, const scoring::Scorer& scorer) {
  SLIPWAY_TRY(CheckOptions(job));
  Function function(scorer);
  SLIPWAY_TRY(function.Prepare());
  SLIPWAY_ASSIGN(const auto query, Ask(job, function));
  return query->columns();
}

base::Result<SqlReport> ScoreBySql(const Job& job, const scoring::Scorer& scorer, const SqlHooks& hooks) {
  SLIPWAY_TRY(CheckOptions(job));
  SLIPWAY_ASSIGN(const auto format, NamedOutputFormat(job));
  Function function(scorer);
  SLIPWAY_TRY(function.Prepare());
  SLIPWAY_ASSIGN(const auto query, Ask(job, function));
  const auto begun = std::chrono::steady_clock::now();
  tables::QueryHooks watch;
  watch.on_progress = [&](std::optional<double>, int64_t bytes) {
    if (hooks.on_progress) hooks.on_progress(function.scored(), bytes);
  };
  watch.stop = hooks.stop;
  auto rows = query->Export(job.output, format, watch);
  if (!rows && rows.error().reason == "tables.stopped") {
    return base::Fail(base::Code::kAborted, "batch.stopped",
                      "the query was stopped by a signal; nothing is kept of it");
  }
  if (!rows) return std::unexpected(rows.error());
  if (job.output != "-") SLIPWAY_TRY(base::SyncFolder(std::filesystem::path(job.output).parent_path()));
  return SqlReport{.rows = *rows,
                   .rejected = function.rejected(),
                   .seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count()};
}

}  // namespace slipway::batch
