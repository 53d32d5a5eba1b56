#pragma once
// JSON files as tables: JSON lines, and documents that hold a list of records.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/json_rows.h"
#include "tables/input_file.h"
#include "tables/output_file.h"
#include "tables/row_sink.h"
#include "tables/row_source.h"

namespace slipway::tables {

/// The record on a line of JSON lines: without the white space around it; empty when there is none.
std::string_view JsonLineOf(std::string_view line);

/// Cuts a stream into the texts of its records.
/// Thread-safety: one thread at a time.
class JsonRecordReader {
 public:
  enum class Form : uint8_t {
    kLines,     ///< a record a line; a broken line does not harm the next
    kDocument,  ///< a list of records, {"records": […]}, or values one after another, over any number of lines
  };
  /// Bytes of one record; of a longer one only the first are handed out, and the decoder refuses it.
  static constexpr size_t kRecordBytes = size_t{64} << 20;

  JsonRecordReader(InputFile file, Form form) : file_(std::move(file)), form_(form) {}

  /// The next record, without the white space around it, valid until the next call; empty at the end. Errors: those of
  /// InputFile; "json.malformed" with the line when a document's structure is broken.
  base::Result<std::string_view> Next();
  base::Result<void> Rewind();
  const InputFile& file() const { return file_; }
  int64_t unread() const { return static_cast<int64_t>(block_.size()); }

 private:
  base::Result<bool> Fill();  ///< a new block when there is none; false at the end
  base::Result<std::string_view> NextLine();
  base::Result<std::string_view> NextValue();
  base::Result<void> ReadOpening();
  base::Result<std::optional<char>> SkipBlanks();
  base::Result<std::string_view> TakeValue();
  void Keep(std::string_view text);
  std::unexpected<base::Error> Malformed(std::string_view problem) const;

  InputFile file_;
  Form form_;
  std::string_view block_;
  std::string record_;  ///< a record that reaches over blocks
  bool ended_ = false;
  bool begun_ = false;
  bool in_list_ = false;
  bool closed_ = false;   ///< the list has ended
  bool wrapped_ = false;  ///< in {"records": …}
  int64_t line_ = 1;
};

class JsonFileSource final : public RowSource {
 public:
  static base::Result<std::unique_ptr<JsonFileSource>> Open(std::string_view path, const data::Layout& layout,
                                                            JsonRecordReader::Form form);

  base::Result<bool> Next(data::Decoded& rows, int64_t max_rows) override;
  base::Result<void> Rewind() override { return reader_.Rewind(); }
  const std::vector<std::string>& header() const override { return header_; }
  Progress progress() const override;

 private:
  JsonFileSource(InputFile file, const data::Layout& layout, JsonRecordReader::Form form);

  const data::Layout& layout_;
  JsonRecordReader reader_;
  data::JsonRowDecoder decoder_;
  std::vector<std::string> header_;
};

/// Writes JSON lines.
class JsonLinesFileSink final : public RowSink {
 public:
  static base::Result<std::unique_ptr<JsonLinesFileSink>> Open(std::string_view path,
                                                               const std::vector<data::Field>& fields);

  base::Result<void> Write(const data::Table& rows) override;
  base::Result<void> Finish() override;

 private:
  JsonLinesFileSink(OutputFile file, const std::vector<data::Field>& fields);

  OutputFile file_;
  data::JsonRowEncoder encoder_;
  std::string text_;
};

/// The keys of the first `records` records, in the order they appear. Broken records are passed over.
base::Result<std::vector<std::string>> ReadJsonKeys(std::string_view path, JsonRecordReader::Form form,
                                                    int64_t records);

}  // namespace slipway::tables
