#include "tables/parquet/chunk_reader.h"

#include <algorithm>
#include <cstring>

namespace slipway::tables::parquet {
namespace {

constexpr uint32_t kReadEncodings = [] {
  uint32_t bits = uint32_t{1} << 4;  // named for levels that columns of required values have not
  for (const Encoding encoding :
       {Encoding::kPlain, Encoding::kPlainDictionary, Encoding::kRle, Encoding::kRleDictionary}) {
    bits |= uint32_t{1} << static_cast<int>(encoding);
  }
  return bits;
}();

bool IsByDictionary(Encoding encoding) {
  return encoding == Encoding::kPlainDictionary || encoding == Encoding::kRleDictionary;
}

/// A number of 4 bytes and as many bytes behind it, off the front.
bool TakeCounted(std::string_view& bytes, std::string_view& taken) {
  uint32_t count = 0;
  if (bytes.size() < sizeof count) return false;
  std::memcpy(&count, bytes.data(), sizeof count);
  bytes.remove_prefix(sizeof count);
  if (bytes.size() < count) return false;
  taken = bytes.substr(0, count);
  bytes.remove_prefix(count);
  return true;
}

/// Takes `values` by their indices; false when there is an index of `size` or more.
template <typename Value>
bool Gather(const Value* values, int64_t size, const std::vector<uint32_t>& indices, Value* out) {
  bool beyond = false;
  for (const uint32_t index : indices) {
    const bool is_beyond = index >= size;
    beyond |= is_beyond;
    *out++ = values[is_beyond ? 0 : index];
  }
  return !beyond;
}

}  // namespace

bool ChunkReader::CanRead(const ColumnChunk& chunk) {
  const bool codec = chunk.codec == Codec::kNone || chunk.codec == Codec::kSnappy || chunk.codec == Codec::kGzip ||
                     chunk.codec == Codec::kZstd;
  return codec && (chunk.encodings & ~kReadEncodings) == 0;
}

void ChunkReader::Begin(const ColumnChunk& chunk) {
  pages_.Begin(chunk);
  page_rows_ = 0;
  dictionary_size_ = -1;
}

size_t ChunkReader::width() const {
  switch (type_) {
    case PhysicalType::kBoolean:
      return 1;
    case PhysicalType::kInt32:
    case PhysicalType::kFloat:
      return 4;
    default:
      return 8;
  }
}

int64_t ChunkReader::held_bytes() const {
  const size_t bytes = page_.capacity() + dictionary_.capacity() + numbers_.capacity() +
                       (dictionary_texts_.capacity() + texts_.capacity()) * sizeof(std::string_view) +
                       (levels_.capacity() + indices_.capacity()) * sizeof(uint32_t);
  return pages_.held_bytes() + static_cast<int64_t>(bytes);
}

base::Result<void> ChunkReader::NextPage(int64_t& passed) {
  while (page_rows_ == 0) {
    SLIPWAY_ASSIGN(const PageHead head, pages_.NextHead());
    const bool is_data = head.kind == PageHead::Kind::kData || head.kind == PageHead::Kind::kDataV2;
    if (head.kind == PageHead::Kind::kDictionary) {
      SLIPWAY_TRY(ReadDictionary(head));
    } else if (is_data && passed > 0 && head.values <= passed) {
      passed -= head.values;
      if (passed == 0) return {};
    } else if (is_data) {
      SLIPWAY_TRY(BeginData(head));
    }
  }
  return {};
}

base::Result<void> ChunkReader::ReadDictionary(const PageHead& head) {
  if (head.encoding != Encoding::kPlain && head.encoding != Encoding::kPlainDictionary) {
    return Unread("a dictionary is encoded in a way that is not read");
  }
  SLIPWAY_TRY(pages_.ReadBody(head, most_bytes_, dictionary_));
  dictionary_texts_.clear();
  dictionary_size_ = head.values;
  if (!is_text()) {
    if (head.values > std::ssize(dictionary_) / static_cast<int64_t>(width()))
      return Unread("a dictionary ends too early");
    return {};
  }
  std::string_view rest = dictionary_;
  for (int64_t i = 0; i < head.values; ++i) {
    if (!TakeCounted(rest, dictionary_texts_.emplace_back())) return Unread("a dictionary ends too early");
  }
  return {};
}

base::Result<void> ChunkReader::BeginData(const PageHead& head) {
  SLIPWAY_TRY(pages_.ReadBody(head, most_bytes_, page_));
  std::string_view rest = page_;
  std::string_view levels = rest.substr(0, static_cast<size_t>(head.level_bytes));
  rest.remove_prefix(levels.size());
  if (is_optional_ && head.kind == PageHead::Kind::kData) {
    if (head.level_encoding != Encoding::kRle) return Unread("levels are encoded in a way that is not read");
    if (!TakeCounted(rest, levels)) return Unread("a page ends before its levels do");
  }
  levels_reader_ = HybridReader(levels, 1);
  encoding_ = head.encoding;
  plain_taken_ = 0;
  if (IsByDictionary(encoding_)) {
    if (dictionary_size_ < 0) return Unread("a page needs a dictionary, and there is none");
    const int bits = rest.empty() ? 0 : static_cast<uint8_t>(rest[0]);
    if (bits > 32) return Unread("a page has indices of more than 32 bits");
    indices_reader_ = HybridReader(rest.substr(rest.empty() ? 0 : 1), bits);
  } else if (encoding_ == Encoding::kRle && type_ == PhysicalType::kBoolean) {
    std::string_view runs;
    if (!TakeCounted(rest, runs)) return Unread("a page ends before its runs do");
    indices_reader_ = HybridReader(runs, 1);
  } else if (encoding_ != Encoding::kPlain) {
    return Unread("a page is encoded in a way that is not read");
  }
  plain_ = rest;
  page_rows_ = head.values;
  return {};
}

base::Result<void> ChunkReader::Skip(int64_t rows) {
  while (rows > 0) {
    if (page_rows_ == 0) {
      SLIPWAY_TRY(NextPage(rows));
      continue;
    }
    SLIPWAY_ASSIGN(const Values skipped, Next(rows));
    rows -= skipped.rows;
  }
  return {};
}

base::Result<Values> ChunkReader::Next(int64_t rows) {
  int64_t passed = 0;
  SLIPWAY_TRY(NextPage(passed));
  Values values{.rows = std::min(rows, page_rows_)};
  values.count = values.rows;
  if (is_optional_) SLIPWAY_TRY(ReadLevels(values));
  SLIPWAY_TRY(ReadValues(values.count));
  values.numbers = numbers_.data();
  values.texts = texts_.data();
  page_rows_ -= values.rows;
  return values;
}

base::Result<void> ChunkReader::ReadLevels(Values& values) {
  if (levels_reader_.Ahead(1, values.rows) == values.rows) {
    levels_reader_.Skip(values.rows);
    return {};
  }
  levels_.resize(static_cast<size_t>(values.rows));
  if (!levels_reader_.Read(levels_.data(), values.rows)) return Unread("a page ends before its levels do");
  int64_t count = 0;
  uint32_t most = 0;
  for (const uint32_t level : levels_) {
    count += level;
    most = std::max(most, level);
  }
  if (most > 1) return Unread("a page has levels of nested values");
  values.levels = levels_.data();
  values.count = count;
  return {};
}

base::Result<void> ChunkReader::ReadValues(int64_t count) {
  if (is_text()) {
    texts_.resize(static_cast<size_t>(count));
  } else {
    numbers_.resize(static_cast<size_t>(count) * width());
  }
  if (IsByDictionary(encoding_)) return ReadByDictionary(count);
  if (is_text()) return ReadPlainTexts(count);
  if (type_ != PhysicalType::kBoolean) return ReadPlain(count);
  return encoding_ == Encoding::kRle ? ReadBooleanRuns(count) : ReadPlainBooleans(count);
}

base::Result<void> ChunkReader::ReadPlain(int64_t count) {
  const size_t bytes = static_cast<size_t>(count) * width();
  if (plain_.size() < bytes) return Unread("a page ends before its values do");
  std::copy_n(plain_.data(), bytes, reinterpret_cast<char*>(numbers_.data()));
  plain_.remove_prefix(bytes);
  return {};
}

base::Result<void> ChunkReader::ReadPlainBooleans(int64_t count) {
  if (std::ssize(plain_) * 8 - plain_taken_ < count) return Unread("a page ends before its values do");
  for (int64_t i = 0; i < count; ++i, ++plain_taken_) {
    const auto byte = static_cast<uint8_t>(plain_[static_cast<size_t>(plain_taken_ >> 3)]);
    numbers_[static_cast<size_t>(i)] = static_cast<std::byte>(byte >> (plain_taken_ & 7) & 1);
  }
  return {};
}

base::Result<void> ChunkReader::ReadBooleanRuns(int64_t count) {
  indices_.resize(static_cast<size_t>(count));
  if (!indices_reader_.Read(indices_.data(), count)) return Unread("a page ends before its values do");
  for (size_t i = 0; i < indices_.size(); ++i) numbers_[i] = static_cast<std::byte>(indices_[i] & 1);
  return {};
}

base::Result<void> ChunkReader::ReadPlainTexts(int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    if (!TakeCounted(plain_, texts_[static_cast<size_t>(i)])) return Unread("a page ends before its values do");
  }
  return {};
}

base::Result<void> ChunkReader::ReadByDictionary(int64_t count) {
  indices_.resize(static_cast<size_t>(count));
  if (!indices_reader_.Read(indices_.data(), count)) return Unread("a page ends before its values do");
  if (count == 0) return {};
  if (dictionary_size_ == 0 || !GatherValues()) return Unread("a page has an index beyond its dictionary");
  return {};
}

/// The values of indices_; false when one is beyond the dictionary.
bool ChunkReader::GatherValues() {
  const char* values = dictionary_.data();  // aligned, as what is allocated is
  if (is_text()) return Gather(dictionary_texts_.data(), dictionary_size_, indices_, texts_.data());
  switch (width()) {
    case 4:
      return Gather(reinterpret_cast<const uint32_t*>(values), dictionary_size_, indices_,
                    reinterpret_cast<uint32_t*>(numbers_.data()));
    case 8:
      return Gather(reinterpret_cast<const uint64_t*>(values), dictionary_size_, indices_,
                    reinterpret_cast<uint64_t*>(numbers_.data()));
    default:
      return false;  // there are none of booleans
  }
}

}  // namespace slipway::tables::parquet
