#pragma once
// Scoring in SQL: `predict` as a function of a query, whose rows are then the output.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "batch/job.h"
#include "scoring/scorer.h"
#include "tables/table_files.h"

namespace slipway::batch {

/// Whether the job's query calls `predict`, so that no parts are made of its rows.
bool ScoresBySql(const Job& job);

struct SqlReport {
  int64_t rows = 0;      ///< of the output
  int64_t rejected = 0;  ///< records that `predict` refused
  double seconds = 0;
};

struct SqlHooks {
  std::function<void(int64_t scored, int64_t bytes)> on_progress;
  std::function<bool()> stop;
};

/// The columns that the query gives. Errors: "usage" for options that belong to jobs in parts; those of
/// tables::TableQuery::Open, also for a record that lacks what the model needs.
base::Result<std::vector<tables::StoredColumn>> LookAtSql(const Job& job, const scoring::Scorer& scorer);

/// Runs the query; the output appears when it is complete. Errors: those of LookAtSql; aborted "batch.stopped";
/// unavailable "tables.write".
base::Result<SqlReport> ScoreBySql(const Job& job, const scoring::Scorer& scorer, const SqlHooks& hooks);

}  // namespace slipway::batch
