#pragma once
// Parquet files as tables, read through DuckDB.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tables/duckdb/session.h"
#include "tables/parquet_description.h"
#include "tables/row_source.h"
#include "tables/table_files.h"

namespace slipway::tables::duckdb {

/// Rows in file order, whatever the number of threads. Only columns of the layout are read.
class ParquetSource final : public RowSource {
 public:
  /// Errors: those of Session; not_found "tables.missing"; invalid_argument "tables.duckdb" for what is no Parquet
  /// file.
  static base::Result<std::unique_ptr<ParquetSource>> Open(std::string_view path, const data::Layout& layout,
                                                           const TableOptions& options);

  base::Result<bool> Next(data::Decoded& rows, int64_t max_rows) override;
  base::Result<void> Rewind() override;
  /// Goes on with rows [first, end) instead of all; groups of rows outside are not read.
  base::Result<void> Select(int64_t first, int64_t end);
  const std::vector<std::string>& header() const override { return header_; }
  Progress progress() const override { return {.done = done_, .total = total_, .rows = true}; }

 private:
  ParquetSource(std::string path, const data::Layout& layout) : path_(std::move(path)), layout_(layout) {}
  base::Result<void> ReadMetadata();
  base::Result<void> Start(const std::string& sql);

  std::string path_;
  const data::Layout& layout_;
  std::unique_ptr<Session> session_;
  std::unique_ptr<RowStream> stream_;  ///< goes before the session
  std::vector<std::string> header_;
  std::string names_;  ///< what is selected
  std::vector<int> targets_;
  std::vector<std::string> unknown_;
  int64_t done_ = 0;
  int64_t total_ = 0;
};

base::Result<ParquetDescription> DescribeParquet(std::string_view path, const TableOptions& options);

}  // namespace slipway::tables::duckdb
