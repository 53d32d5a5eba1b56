#pragma once
// DatabaseTable: a table of a database that takes the rows of Parquet files in one transaction, once.
//
//   The transaction also leaves the writer's id in a table `slipway_jobs` beside the target, so that whoever does not
//   know whether it was committed finds out: the same id is never written again.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/quantities.h"
#include "data/type.h"
#include "tables/database_address.h"

namespace slipway::tables {

struct DatabaseTableOptions {
  std::string reads_from;  ///< the folder with the files
  int threads = 1;
  base::Bytes memory{int64_t{512} << 20};
};

/// What is written.
struct DatabaseRows {
  std::string id;                  ///< of the writer; a random one
  std::vector<std::string> files;  ///< as ParquetSink writes them, in order
  int64_t rows = 0;
  std::string digest;  ///< kept beside the id
};

/// Thread-safety: one thread at a time.
class DatabaseTable {
 public:
  virtual ~DatabaseTable() = default;

  /// Errors: unavailable "tables.connection", "tables.login"; those of Session.
  static base::Result<std::unique_ptr<DatabaseTable>> Open(const DatabaseAddress& target,
                                                           const DatabaseTableOptions& options);

  /// Whether rows of such fields could be written now. Errors: failed_precondition "tables.target" with the column,
  /// what it is and what it would have to be; invalid_argument "tables.key".
  virtual base::Result<void> Check(const std::vector<data::Field>& fields) = 0;

  /// Makes the table when it is missing, and writes all rows; nothing when the id was written before. Errors:
  /// failed_precondition "tables.duplicate_key" with the first key that comes twice, "tables.target" when the table
  /// refuses a row; unavailable "tables.connection" when the same may go well later.
  virtual base::Result<void> Write(const std::vector<data::Field>& fields, const DatabaseRows& rows) = 0;
};

}  // namespace slipway::tables
