#pragma once
// Parquet files written through DuckDB: a COPY statement on a thread of its own reads what Write() pushes.

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tables/duckdb/row_feed.h"
#include "tables/duckdb/session.h"
#include "tables/row_sink.h"
#include "tables/table_files.h"

namespace slipway::tables::duckdb {

/// The bytes depend on the rows and fields alone. Row groups are small enough for their rows to fit the memory bound.
class ParquetSink final : public RowSink {
 public:
  /// Errors: those of Session; unavailable "tables.write".
  static base::Result<std::unique_ptr<ParquetSink>> Open(std::string_view path, const std::vector<data::Field>& fields,
                                                         const TableOptions& options);
  ~ParquetSink() override;

  base::Result<void> Write(const data::Table& rows) override;
  base::Result<void> Finish() override;

 private:
  ParquetSink(std::string path, std::string temporary, const std::vector<data::Field>& fields,
              const std::vector<ConstantField>& constants);
  void StartCopy(const std::string& sql);
  base::Result<void> Join();

  std::string path_;
  std::string temporary_;  ///< empty once it has its name
  RowFeed feed_;
  std::shared_ptr<Session> session_;  ///< its own, or one that serves others afterwards
  std::jthread copy_;
  base::Result<void> outcome_;  ///< of the statement; read after copy_ is joined
};

}  // namespace slipway::tables::duckdb
