#pragma once
// RowSink writes tables: CSV, JSON lines, Parquet, NumPy. A file appears under its name when it is whole.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "data/column.h"
#include "data/type.h"
#include "tables/row_source.h"

namespace slipway::tables {

/// A table being written. Thread-safety: one thread at a time. Without Finish() nothing is left behind.
class RowSink {
 public:
  virtual ~RowSink() = default;
  /// Rows of a table whose columns are the sink's fields. Errors: "table.write" (disk full, …).
  virtual base::Result<void> Write(const data::Table& table) = 0;
  virtual base::Result<void> Finish() = 0;
};

/// Opens a file, or stdout for "-" (CSV, TSV and JSON lines only). Parquet: BOOLEAN, BIGINT, DOUBLE (FLOAT for
/// Field::single_precision), VARCHAR, TIMESTAMP, LIST for tensors, one column `name.label` per label of a labelled
/// vector. NPY: one matrix of float32 (when every field is single precision) or float64, numbers only, null as NaN.
base::Result<std::unique_ptr<RowSink>> OpenSink(const std::string& path, Format format, std::vector<data::Field> fields);

/// Lines written by the caller, e.g. the answers of `predict`: the same atomic file, or stdout.
class TextSink {
 public:
  virtual ~TextSink() = default;
  virtual base::Result<void> Write(std::string_view text) = 0;
  virtual base::Result<void> Finish() = 0;
};
base::Result<std::unique_ptr<TextSink>> OpenTextSink(const std::string& path);

}  // namespace slipway::tables
