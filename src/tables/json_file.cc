#include "tables/json_file.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "base/value.h"

namespace slipway::tables {
namespace {

constexpr size_t kTextBytes = size_t{1} << 16;
constexpr size_t kMaxKeys = 65536;

}  // namespace

JsonFileSource::JsonFileSource(InputFile file, const data::Layout& layout, JsonRecordReader::Form form)
    : layout_(layout),
      reader_(std::move(file), form),
      decoder_(layout, {.bytes = static_cast<int64_t>(JsonRecordReader::kRecordBytes)}) {}

base::Result<std::unique_ptr<JsonFileSource>> JsonFileSource::Open(std::string_view path, const data::Layout& layout,
                                                                   JsonRecordReader::Form form) {
  SLIPWAY_ASSIGN(auto file, InputFile::Open(path));
  return std::unique_ptr<JsonFileSource>(new JsonFileSource(std::move(file), layout, form));
}

base::Result<bool> JsonFileSource::Next(data::Decoded& rows, int64_t max_rows) {
  rows.Clear();
  max_rows = RowsOfBatch(layout_, max_rows);
  for (int64_t bytes = 0; rows.table.rows < max_rows && bytes < kBatchBytes;) {
    if (rows.table.rows > 0 && reader_.unread() == 0 && !reader_.file().IsReady()) break;  // somebody may wait
    SLIPWAY_ASSIGN(const std::string_view record, reader_.Next());
    if (record.empty()) break;
    decoder_.DecodeLine(record, rows);
    bytes += static_cast<int64_t>(record.size());
  }
  return rows.table.rows > 0;
}

Progress JsonFileSource::progress() const {
  const int64_t held = reader_.file().is_packed() ? 0 : reader_.unread();
  return {.done = reader_.file().done() - held, .total = reader_.file().total()};
}

JsonLinesFileSink::JsonLinesFileSink(OutputFile file, const std::vector<data::Field>& fields)
    : file_(std::move(file)), encoder_(fields) {}

base::Result<std::unique_ptr<JsonLinesFileSink>> JsonLinesFileSink::Open(std::string_view path,
                                                                         const std::vector<data::Field>& fields) {
  SLIPWAY_ASSIGN(auto file, OutputFile::Create(path));
  return std::unique_ptr<JsonLinesFileSink>(new JsonLinesFileSink(std::move(file), fields));
}

base::Result<void> JsonLinesFileSink::Write(const data::Table& rows) {
  text_.clear();
  for (int64_t row = 0; row < rows.rows; ++row) {
    encoder_.AppendRow(rows, row, text_);
    text_ += '\n';
    if (text_.size() < kTextBytes) continue;
    SLIPWAY_TRY(file_.Append(text_));
    text_.clear();
  }
  SLIPWAY_TRY(file_.Append(text_));
  return file_.is_stream() ? file_.Flush() : base::Result<void>();
}

base::Result<void> JsonLinesFileSink::Finish() {
  return file_.Finish();
}

base::Result<std::vector<std::string>> ReadJsonKeys(std::string_view path, JsonRecordReader::Form form,
                                                    int64_t records) {
  SLIPWAY_ASSIGN(auto file, InputFile::Open(path));
  JsonRecordReader reader(std::move(file), form);
  std::vector<std::string> keys;
  std::unordered_set<std::string> seen;
  for (int64_t i = 0; i < records && keys.size() < kMaxKeys; ++i) {
    SLIPWAY_ASSIGN(const std::string_view record, reader.Next());
    if (record.empty()) break;
    const auto value = base::ParseJson(record);
    if (!value || !value->is_map()) continue;
    for (const auto& [key, ignored] : value->map()) {
      if (seen.insert(key).second) keys.push_back(key);
    }
  }
  return keys;
}

}  // namespace slipway::tables
