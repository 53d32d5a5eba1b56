#pragma once
// NumPy's .npy files, version 1.0: a matrix of numbers, one row a record. Written only.
// Source of the format: numpy.lib.format.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tables/output_file.h"
#include "tables/row_sink.h"

namespace slipway::tables {

/// Columns stand side by side, vectors and tensors flattened; nulls are NaN, booleans 0 and 1. Elements are float32
/// when every field is single precision, else float64 (integers past 2^53 are rounded).
class NpyFileSink final : public RowSink {
 public:
  /// Errors: invalid_argument "tables.unfit" for text, timestamps and variable tensors, and for standard output, where
  /// the number of rows cannot be filled in afterwards.
  static base::Result<std::unique_ptr<NpyFileSink>> Open(std::string_view path, const std::vector<data::Field>& fields);

  base::Result<void> Write(const data::Table& rows) override;
  base::Result<void> Finish() override;

 private:
  NpyFileSink(OutputFile file, int64_t width, bool single_precision);
  std::string Header() const;
  template <typename Element>
  void AppendRows(const data::Table& rows, int64_t first, int64_t last);

  OutputFile file_;
  int64_t width_;
  bool single_precision_;
  int64_t rows_ = 0;
  std::string bytes_;
};

}  // namespace slipway::tables
