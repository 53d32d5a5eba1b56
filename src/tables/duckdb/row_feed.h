#pragma once
// RowFeed lets SQL read the tables that another thread pushes: a table function over a small queue.

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "base/error.h"
#include "data/column.h"
#include "tables/duckdb/session.h"
#include "tables/duckdb/vector_writer.h"
#include "tables/table_files.h"

struct _duckdb_data_chunk;

namespace slipway::tables::duckdb {

/// One producer pushes, one statement reads `SELECT * FROM <name>()`. Chunks are full whatever the size of the tables
/// pushed, so that what is written does not depend on it.
///
/// Invariants: the queue holds at most kQueued tables; after Close() or Cancel() nothing is pushed.
class RowFeed {
 public:
  static constexpr size_t kQueued = 2;

  /// The constants are no columns of the function.
  explicit RowFeed(const std::vector<data::Field>& fields, const std::vector<ConstantField>& constants = {});
  RowFeed(const RowFeed&) = delete;

  /// Makes the rows readable in `session` under `name`. The feed must outlive the session's statements.
  base::Result<void> Register(Session& session, const char* name);

  /// Copies the table into the queue; waits while it is full. False when the reader is gone.
  bool Push(const data::Table& table);
  void Close();         ///< the rows end here
  void Cancel();        ///< the reading statement fails
  void ReaderIsGone();  ///< wakes the producer for good

  const std::vector<OutputColumn>& columns() const { return columns_; }

  /// For the table function: fills the chunk. False when cancelled.
  bool Fill(const Library& library, _duckdb_data_chunk* chunk);

 private:
  bool TakeTable();

  const std::vector<OutputColumn> columns_;
  data::Table table_;  ///< the reader's
  int64_t next_row_ = 0;

  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_:
  std::deque<data::Table> queue_;
  std::vector<data::Table> spare_;  ///< their memory is used again
  bool closed_ = false;
  bool cancelled_ = false;
  bool reader_gone_ = false;
};

}  // namespace slipway::tables::duckdb
