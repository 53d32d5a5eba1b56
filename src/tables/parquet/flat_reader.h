#pragma once
// FlatReader reads the columns that a layout wants out of a Parquet file, when all of them are plain (ValueKind): the
// common case of tables of features, several times faster than a database engine does. Whatever else a file may be is
// an error here and DuckDB's to read; where both read, they fill rows alike.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/quantities.h"
#include "data/decoded.h"
#include "tables/parquet/file_index.h"
#include "tables/table_files.h"

namespace slipway::tables::parquet {

/// Memory: for each column a window on the file, a page, a dictionary and a few thousand values.
/// Thread-safety: one thread at a time.
class FlatReader {
 public:
  /// `columns`: of the file, as ReadHead() tells them; `layout` must outlive this; `memory` is what pages and windows
  /// may take together. Errors, of all: unavailable "tables.read"; data_loss "tables.parquet".
  static base::Result<std::unique_ptr<FlatReader>> Open(const std::string& path,
                                                        const std::vector<StoredColumn>& columns,
                                                        const data::Layout& layout, base::Bytes memory);
  ~FlatReader();

  /// Goes on with rows [first, end).
  base::Result<void> Select(int64_t first, int64_t end);
  /// As RowSource::Next. After an error `rows` is empty and only Select() may follow.
  base::Result<bool> Next(data::Decoded& rows, int64_t max_rows);

 private:
  class Column;
  FlatReader(RandomFile file, const data::Layout& layout, base::Bytes memory);
  base::Result<void> AddColumns(const std::vector<StoredColumn>& columns);
  base::Result<void> BeginGroup(size_t group);
  base::Result<int64_t> AppendStep(int64_t rows, int64_t begin, data::RowBuilder& builder, data::Decoded& out);

  RandomFile file_;
  const data::Layout& layout_;
  int64_t memory_;
  FileIndex index_;
  std::vector<std::unique_ptr<Column>> columns_;
  size_t group_ = 0;
  int64_t at_ = 0, end_ = 0;  ///< rows
};

}  // namespace slipway::tables::parquet
