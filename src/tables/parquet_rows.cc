#include "tables/parquet_rows.h"

#include <utility>

#include "tables/duckdb/parquet_source.h"
#include "tables/parquet/flat_reader.h"

namespace slipway::tables {

ParquetRows::ParquetRows(const TableHead& head, const data::Layout& layout, const TableOptions& options)
    : head_(head), layout_(layout), options_(options) {
  options_.threads = 1;  // there are as many of these as threads
  if (auto flat = parquet::FlatReader::Open(head.path, head.columns, layout, options.memory)) flat_ = std::move(*flat);
}
ParquetRows::~ParquetRows() = default;

base::Result<void> ParquetRows::Select(int64_t first, int64_t end) {
  at_ = first;
  end_ = end;
  by_engine_ = !flat_ || !flat_->Select(first, end);
  return by_engine_ ? SelectByEngine() : base::Result<void>();
}

base::Result<void> ParquetRows::SelectByEngine() {
  if (!engine_) {
    SLIPWAY_ASSIGN(engine_, duckdb::ParquetSource::Open(head_.path, layout_, options_));
  }
  return engine_->Select(at_, end_);
}

base::Result<bool> ParquetRows::Next(data::Decoded& rows, int64_t max_rows) {
  if (!by_engine_) {
    const auto more = flat_->Next(rows, max_rows);
    at_ += rows.table.rows;
    if (more) return more;
    SLIPWAY_TRY(SelectByEngine());
    by_engine_ = true;
  }
  return engine_->Next(rows, max_rows);
}

}  // namespace slipway::tables
