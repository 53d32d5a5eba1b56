#pragma once
// FunctionCall lets SQL call a RecordFunction: a scalar function of DuckDB's over a struct, which answers with a
// struct.

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/error.h"
#include "tables/duckdb/session.h"
#include "tables/duckdb/vector_writer.h"
#include "tables/record_function.h"

struct _duckdb_bind_info;
struct _duckdb_data_chunk;

namespace slipway::tables::duckdb {

/// Thread-safety: DuckDB calls it from several threads at once; each call has a worker to itself.
class FunctionCall {
 public:
  explicit FunctionCall(const RecordFunction& function)
      : function_(function), columns_(OutputColumnsOf(function.fields)) {}
  FunctionCall(const FunctionCall&) = delete;

  /// Makes the function known to `session`, whose statements this must outlive.
  base::Result<void> Register(Session& session);

  /// For DuckDB. Whether the argument has what is needed: invalid_argument "tables.sql".
  base::Result<void> CheckArgument(const Library& library, _duckdb_bind_info* info) const;
  base::Result<void> Answer(const Library& library, _duckdb_data_chunk* input, _duckdb_vector* output);

 private:
  base::Result<std::unique_ptr<RecordWorker>> TakeWorker();
  void GiveBack(std::unique_ptr<RecordWorker> worker);

  const RecordFunction& function_;
  const std::vector<OutputColumn> columns_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<RecordWorker>> idle_;  ///< guarded by mutex_
};

}  // namespace slipway::tables::duckdb
