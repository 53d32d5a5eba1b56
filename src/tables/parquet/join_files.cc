#include "tables/parquet/join_files.h"

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "base/hash.h"
#include "tables/input_file.h"
#include "tables/output_file.h"
#include "tables/parquet/file_index.h"
#include "tables/parquet/thrift_value.h"

namespace slipway::tables::parquet {
namespace {

constexpr int64_t kTailBytes = 8;  ///< the index's size, and the magic

// Numbers of members in parquet.thrift (github.com/apache/parquet-format).
constexpr int16_t kSchema = 2, kFileRows = 3, kRowGroups = 4;                               // FileMetaData
constexpr int16_t kColumns = 1, kGroupOffset = 5, kOrdinal = 7;                             // RowGroup
constexpr int16_t kChunkOffset = 2, kChunkData = 3, kOffsetIndex = 4, kColumnIndex = 6;     // ColumnChunk
constexpr int16_t kDataPage = 9, kIndexPage = 10, kDictionaryPage = 11, kBloomFilter = 14;  // ColumnMetaData

std::unexpected<base::Error> Broken(const std::string& part, std::string_view what) {
  return base::Fail(base::Code::kDataLoss, "tables.parquet", std::string("this Parquet file ") + std::string(what),
                    part);
}

void Move(ThriftValue* offset, int64_t by) {
  if (offset != nullptr && offset->integer != 0) offset->integer += by;
}

/// Row groups of a file whose bytes stand `by` further back.
void MoveGroups(ThriftValue& groups, int64_t by) {
  for (auto& group : groups.items) {
    Move(group.Find(kGroupOffset), by);
    ThriftValue* columns = group.Find(kColumns);
    if (columns == nullptr) continue;
    for (auto& column : columns->items) {
      for (const int16_t number : {kChunkOffset, kOffsetIndex, kColumnIndex}) Move(column.Find(number), by);
      ThriftValue* data = column.Find(kChunkData);
      if (data == nullptr) continue;
      for (const int16_t number : {kDataPage, kIndexPage, kDictionaryPage, kBloomFilter}) Move(data->Find(number), by);
    }
  }
}

class Join {
 public:
  explicit Join(OutputFile file) : file_(std::move(file)) {}

  base::Result<void> Add(const std::string& part) {
    SLIPWAY_ASSIGN(auto input, InputFile::Open(part));
    std::error_code failed;
    const auto size = static_cast<int64_t>(std::filesystem::file_size(part, failed));
    if (failed || size < static_cast<int64_t>(kMagic.size()) + kTailBytes) return Broken(part, "is too short");
    SLIPWAY_ASSIGN(const std::string tail, ReadAt(part, size - kTailBytes));
    uint32_t index_bytes = 0;
    std::memcpy(&index_bytes, tail.data(), sizeof index_bytes);
    const int64_t index_at = size - kTailBytes - int64_t{index_bytes};
    if (tail.substr(4) != kMagic || index_at < static_cast<int64_t>(kMagic.size())) return Broken(part, "has no index");
    SLIPWAY_ASSIGN(const std::string index_text, ReadAt(part, index_at));
    SLIPWAY_ASSIGN(auto index, ReadThrift(index_text));
    SLIPWAY_TRY(CopyBody(input, index_at));
    return AddIndex(std::move(index), part, bytes_ - index_at);
  }

  base::Result<JoinedFile> Finish() {
    SLIPWAY_TRY(Append(IndexText(index_)));
    SLIPWAY_TRY(file_.Finish());
    return JoinedFile{.bytes = bytes_, .digest = digest_.Digits()};
  }

 private:
  static base::Result<std::string> ReadAt(const std::string& part, int64_t offset) {
    SLIPWAY_ASSIGN(auto file, InputFile::Open(part));
    SLIPWAY_TRY(file.Skip(offset));
    std::string text;
    while (true) {
      SLIPWAY_ASSIGN(const std::string_view block, file.ReadBlock());
      if (block.empty()) return text;
      text += block;
    }
  }

  base::Result<void> Append(std::string_view bytes) {
    digest_.Add(bytes);
    bytes_ += static_cast<int64_t>(bytes.size());
    return file_.Append(bytes);
  }

  /// The bytes before the index; of all parts but the first without the magic at the beginning.
  base::Result<void> CopyBody(InputFile& input, int64_t end) {
    int64_t skip = bytes_ == 0 ? 0 : static_cast<int64_t>(kMagic.size());
    int64_t left = end;
    while (left > 0) {
      SLIPWAY_ASSIGN(std::string_view block, input.ReadBlock());
      if (block.empty()) return Broken(input.path(), "ends too early");
      block = block.substr(0, static_cast<size_t>(std::min(left, static_cast<int64_t>(block.size()))));
      left -= static_cast<int64_t>(block.size());
      block.remove_prefix(static_cast<size_t>(skip));
      skip = 0;
      SLIPWAY_TRY(Append(block));
    }
    return {};
  }

  base::Result<void> AddIndex(ThriftValue index, const std::string& part, int64_t moved) {
    ThriftValue* schema = index.Find(kSchema);
    ThriftValue* rows = index.Find(kFileRows);
    ThriftValue* groups = index.Find(kRowGroups);
    if (schema == nullptr || rows == nullptr || groups == nullptr)
      return Broken(part, "has an index without row groups");
    MoveGroups(*groups, moved);
    std::string columns;
    AppendThrift(*schema, columns);
    if (schema_.empty()) {
      schema_ = columns;
      index_ = std::move(index);
    } else if (columns != schema_) {
      return Broken(part, "has other columns than the first");
    } else {
      index_.Find(kFileRows)->integer += rows->integer;
      auto& all = index_.Find(kRowGroups)->items;
      std::ranges::move(groups->items, std::back_inserter(all));
      index_.Find(kRowGroups)->element = ThriftValue::Type::kStruct;
    }
    auto& all = index_.Find(kRowGroups)->items;
    for (; numbered_ < all.size(); ++numbered_) {
      ThriftValue* ordinal = all[numbered_].Find(kOrdinal);
      if (ordinal == nullptr) continue;
      if (numbered_ > INT16_MAX) {
        all[numbered_].Remove(kOrdinal);  // it is optional, and no number of this size fits
      } else {
        ordinal->integer = static_cast<int64_t>(numbered_);
      }
    }
    return {};
  }

  OutputFile file_;
  base::Xxh3Stream digest_;
  int64_t bytes_ = 0;
  std::string schema_;
  ThriftValue index_;
  size_t numbered_ = 0;
};

}  // namespace

base::Result<JoinedFile> JoinFiles(const std::vector<std::string>& parts, const std::string& path) {
  int64_t bytes = 0;
  std::error_code ignored;
  for (const auto& part : parts) bytes += static_cast<int64_t>(std::filesystem::file_size(part, ignored));
  SLIPWAY_ASSIGN(auto file, OutputFile::Create(path, bytes));
  Join join(std::move(file));
  for (const auto& part : parts) SLIPWAY_TRY(join.Add(part));
  return join.Finish();
}

}  // namespace slipway::tables::parquet
