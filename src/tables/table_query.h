#pragma once
// TableQuery: a question to a database, or to files by SQL, whose answer becomes a Parquet file.
//
//   auto query = TableQuery::Open({.database = *ParseDatabaseSource("sqlite:a.db?table=flights")});
//   (*query)->columns();                       // nothing was read yet
//   (*query)->WriteTo("rows.parquet", {...});  // all rows, as they were at one moment

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/quantities.h"
#include "tables/database_address.h"
#include "tables/record_function.h"
#include "tables/table_files.h"

namespace slipway::tables {

/// What is asked of what. Either a database alone; or SQL over `input`, which stands for the database's table or query
/// or for all rows of the files; or SQL that names its files itself.
struct QuestionText {
  std::optional<DatabaseAddress> database;
  std::vector<std::string> files;
  std::optional<Format> format;  ///< of the files; none: by extension
  std::string sql;
  std::string folder;  ///< where relative paths in the SQL begin
  std::string shown;   ///< what messages call it
  std::string copies;  ///< a folder of copies, which messages call s3://; empty: none
  /// What the SQL may call; must outlive the query.
  const RecordFunction* function = nullptr;
};

struct QueryOptions {
  int threads = 0;  ///< 0: what the machine allows
  base::Bytes memory{int64_t{512} << 20};
  std::string writes_to;  ///< a folder in which WriteTo may write
};

struct WrittenRows {
  int64_t rows = 0, bytes = 0;
  std::string digest;  ///< base::Xxh3Digits of the file
};

/// What the caller hears and says while rows are read, on its own thread.
struct QueryHooks {
  /// `share`: of the whole, where the engine can tell; `bytes`: of the file so far.
  std::function<void(std::optional<double> share, int64_t bytes)> on_progress;
  std::function<bool()> stop;  ///< true: give up
};

/// Thread-safety: one thread at a time.
class TableQuery {
 public:
  virtual ~TableQuery() = default;

  /// Errors: unavailable "tables.connection", "tables.login"; not_found "tables.no_table", "tables.missing";
  /// invalid_argument "tables.sql", "tables.duckdb".
  static base::Result<std::unique_ptr<TableQuery>> Open(const QuestionText& text, const QueryOptions& options);

  /// In order, with the types that the file will have.
  virtual const std::vector<StoredColumn>& columns() const = 0;

  /// Writes the named columns of at most `limit` rows. Those of a table with a primary key stand in its order. The file
  /// appears under its name complete and on disk. Errors: those of Open; aborted "tables.stopped"; unavailable
  /// "tables.write".
  virtual base::Result<WrittenRows> WriteTo(const std::string& path, const std::vector<std::string>& names,
                                            std::optional<int64_t> limit, const QueryHooks& hooks) = 0;

  /// Writes all columns as csv, tsv, ssv, jsonl or parquet, to a file likewise or to "-"; answers of the function that
  /// have no name of their own as a column for each member. The number of rows. Errors: as WriteTo; "tables.unfit".
  virtual base::Result<int64_t> Export(const std::string& path, Format format, const QueryHooks& hooks) = 0;
};

}  // namespace slipway::tables
