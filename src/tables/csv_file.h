#pragma once
// CSV files as tables; the format itself is data/csv_rows.h's.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/csv_rows.h"
#include "tables/input_file.h"
#include "tables/output_file.h"
#include "tables/row_sink.h"
#include "tables/row_source.h"

namespace slipway::tables {

/// Errors of Open and Next: those of InputFile and of data::CsvRowDecoder, with the path as `where`.
class CsvFileSource final : public RowSource {
 public:
  static base::Result<std::unique_ptr<CsvFileSource>> Open(std::string_view path, const data::Layout& layout,
                                                           char delimiter = ',');

  base::Result<bool> Next(data::Decoded& rows, int64_t max_rows) override;
  base::Result<void> Rewind() override;
  const std::vector<std::string>& header() const override { return decoder_->header(); }
  Progress progress() const override;

 private:
  CsvFileSource(InputFile file, const data::Layout& layout, char delimiter);
  base::Result<void> ReadHeader();
  base::Result<void> Decode(std::string_view text, data::Decoded& rows);

  InputFile file_;
  const data::Layout& layout_;
  char delimiter_;
  std::optional<data::CsvRowDecoder> decoder_;
  std::string_view block_;  ///< not yet decoded
  bool ended_ = false;
};

class CsvFileSink final : public RowSink {
 public:
  static base::Result<std::unique_ptr<CsvFileSink>> Open(std::string_view path, const std::vector<data::Field>& fields,
                                                         char delimiter = ',');

  base::Result<void> Write(const data::Table& rows) override;
  base::Result<void> Finish() override;

 private:
  CsvFileSink(OutputFile file, const std::vector<data::Field>& fields, char delimiter);

  OutputFile file_;
  data::CsvRowEncoder encoder_;
  std::string text_;
};

/// The header of a CSV file.
base::Result<std::vector<std::string>> ReadCsvHeader(std::string_view path, char delimiter = ',');

}  // namespace slipway::tables
