#pragma once
// ParquetRows reads runs of rows of a Parquet file: what is flat and plain by parquet::FlatReader, the rest by DuckDB.

#include <cstdint>
#include <memory>

#include "data/decoded.h"
#include "tables/piece_source.h"

namespace slipway::tables {

namespace duckdb {
class ParquetSource;
}
namespace parquet {
class FlatReader;
}

/// What the one cannot read from some row on, damaged or only unusual, the other goes on with, and has the last word.
/// Thread-safety: one thread at a time.
class ParquetRows {
 public:
  /// `head` and `layout` must outlive this.
  ParquetRows(const TableHead& head, const data::Layout& layout, const TableOptions& options);
  ~ParquetRows();

  /// Goes on with rows [first, end). Errors: those of OpenSource.
  base::Result<void> Select(int64_t first, int64_t end);
  /// As RowSource::Next.
  base::Result<bool> Next(data::Decoded& rows, int64_t max_rows);
  /// Whether DuckDB had to be asked.
  bool used_engine() const { return engine_ != nullptr; }

 private:
  base::Result<void> SelectByEngine();

  const TableHead& head_;
  const data::Layout& layout_;
  TableOptions options_;
  std::unique_ptr<parquet::FlatReader> flat_;  ///< none: it cannot read the file
  std::unique_ptr<duckdb::ParquetSource> engine_;
  bool by_engine_ = false;
  int64_t at_ = 0, end_ = 0;  ///< rows
};

}  // namespace slipway::tables
