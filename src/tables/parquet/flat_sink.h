#pragma once
// FlatSink writes Parquet files of columns with one value a row.

#include <cstdint>
#include <string>
#include <vector>

#include "data/output_column.h"
#include "tables/output_file.h"
#include "tables/parquet/column_writer.h"
#include "tables/row_sink.h"
#include "tables/table_files.h"

namespace slipway::tables::parquet {

/// As many rows as were asked for, or as fill an eighth of the memory, in whole vectors of DuckDB's.
int64_t GroupRows(const std::vector<data::Field>& fields, const TableOptions& options);

/// The bytes depend on the rows, fields and options alone. Row groups end before their text outgrows a quarter of the
/// memory.
class FlatSink final : public RowSink {
 public:
  /// Whether each field becomes columns with one value a row.
  static bool CanWrite(const std::vector<data::Field>& fields);
  /// Errors: those of OutputFile. Precondition: CanWrite(fields).
  static base::Result<std::unique_ptr<FlatSink>> Open(std::string_view path, const std::vector<data::Field>& fields,
                                                      const TableOptions& options);

  base::Result<void> Write(const data::Table& rows) override;
  base::Result<void> Finish() override;

 private:
  struct Column {
    size_t field = 0;
    const ConstantField* constant = nullptr;
    ColumnWriter writer;
  };
  FlatSink(OutputFile file, const std::vector<data::Field>& fields, const TableOptions& options);
  base::Result<void> Append(std::string_view bytes);
  base::Result<void> EndGroup();

  OutputFile file_;
  const std::vector<ConstantField> constants_;
  const int64_t group_rows_;
  const int64_t most_bytes_;
  std::vector<Column> columns_;
  std::vector<ThriftValue> schema_, groups_;
  int64_t at_ = 0;  ///< bytes written
  int64_t rows_ = 0, rows_of_group_ = 0;
};

}  // namespace slipway::tables::parquet
