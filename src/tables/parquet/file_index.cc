#include "tables/parquet/file_index.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "tables/parquet/thrift_reader.h"

namespace slipway::tables::parquet {
namespace {

using Type = ThriftType;

constexpr int64_t kTailBytes = 8;  // the index's size, and the magic
constexpr int64_t kMostIndexBytes = int64_t{16} << 20;
// What takes less is made up to take memory.
constexpr size_t kLeastElementBytes = 4, kLeastChunkBytes = 16;

std::unexpected<base::Error> CannotRead() {
  return base::Fail(base::Code::kUnavailable, "tables.read",
                    std::string("the file cannot be read: ") + std::strerror(errno));
}

uint32_t ReadEncodings(ThriftReader& in) {
  uint32_t encodings = 0;
  const uint64_t count = in.ListHead().count;
  for (uint64_t i = 0; i < count && !in.failed(); ++i)
    encodings |= uint32_t{1} << std::clamp<int64_t>(in.Integer(), 0, 31);
  return encodings;
}

void ReadMetaData(ThriftReader& in, ColumnChunk& chunk) {
  int64_t data_page = 0, dictionary_page = 0, codec = -1;
  in.Struct([&](const ThriftReader::Member& member) {
    if (member.type == Type::kList && member.number == 2) return chunk.encodings = ReadEncodings(in), true;
    if (member.type == Type::kI32 && member.number == 4) return codec = in.Integer(), true;
    if (member.type != Type::kI64) return false;
    if (member.number == 5) return chunk.values = in.Integer(), true;
    if (member.number == 7) return chunk.bytes = in.Integer(), true;
    if (member.number == 9) return data_page = in.Integer(), true;
    if (member.number == 11) return dictionary_page = in.Integer(), true;
    return false;
  });
  chunk.codec = static_cast<Codec>(std::clamp<int64_t>(codec, -1, 127));
  chunk.begin = dictionary_page > 0 ? std::min(dictionary_page, data_page) : data_page;
}

ColumnChunk ReadChunk(ThriftReader& in) {
  constexpr int16_t kFilePath = 1, kMetaData = 3, kCrypto = 8;
  ColumnChunk chunk;
  in.Struct([&](const ThriftReader::Member& member) {
    if (member.number == kFilePath || member.number == kCrypto) in.Fail();
    if (member.number != kMetaData || member.type != Type::kStruct) return false;
    ReadMetaData(in, chunk);
    return true;
  });
  return chunk;
}

RowGroup ReadGroup(ThriftReader& in, size_t leaves) {
  RowGroup group;
  in.Struct([&](const ThriftReader::Member& member) {
    if (member.number == 3 && member.type == Type::kI64) return group.end_row = in.Integer(), true;
    if (member.number != 1 || member.type != Type::kList) return false;
    const uint64_t count = in.ListHead().count;
    if (count != leaves || count > in.rest().size() / kLeastChunkBytes) in.Fail();
    for (uint64_t i = 0; i < count && !in.failed(); ++i) group.chunks.push_back(ReadChunk(in));
    return true;
  });
  return group;
}

size_t LeavesOf(const FileIndex& index) {
  return index.columns.empty() ? 0 : static_cast<size_t>(index.columns.back().first_leaf + index.columns.back().leaves);
}

bool IsWhole(const FileIndex& index, int64_t file_size) {
  int64_t row = 0;
  for (const RowGroup& group : index.groups) {
    if (group.end_row < row || group.chunks.size() != LeavesOf(index)) return false;
    row = group.end_row;
    for (const ColumnChunk& chunk : group.chunks) {
      if (chunk.begin < 0 || chunk.bytes < 0 || chunk.begin > file_size - chunk.bytes) return false;
    }
  }
  return true;
}

}  // namespace

std::string IndexText(const ThriftValue& index) {
  std::string text;
  AppendThrift(index, text);
  const auto size = static_cast<uint32_t>(text.size());
  text.append(reinterpret_cast<const char*>(&size), sizeof size);
  text += kMagic;
  return text;
}

std::unexpected<base::Error> Unread(std::string_view what) {
  return base::Fail(base::Code::kDataLoss, "tables.parquet", std::string(what));
}

base::Result<RandomFile> RandomFile::Open(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return CannotRead();
  struct stat status{};
  if (::fstat(descriptor, &status) != 0) {
    const auto error = CannotRead();
    ::close(descriptor);
    return error;
  }
  return RandomFile(descriptor, status.st_size);
}

RandomFile::RandomFile(RandomFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), size_(other.size_) {}

RandomFile::~RandomFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

base::Result<void> RandomFile::ReadAt(int64_t offset, char* to, size_t bytes) const {
  while (bytes > 0) {
    const ssize_t got = ::pread(descriptor_, to, bytes, offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return CannotRead();
    if (got == 0) return Unread("the file ends before its index says");
    offset += got;
    to += got;
    bytes -= static_cast<size_t>(got);
  }
  return {};
}

base::Result<FileIndex> ReadFileIndex(const RandomFile& file) {
  std::string tail(kTailBytes, '\0');
  if (file.size() < kTailBytes) return Unread("the file is too short");
  SLIPWAY_TRY(file.ReadAt(file.size() - kTailBytes, tail.data(), tail.size()));
  uint32_t bytes = 0;
  std::memcpy(&bytes, tail.data(), sizeof bytes);
  if (!tail.ends_with(kMagic)) return Unread("the file does not end as Parquet files do");
  if (bytes > kMostIndexBytes || bytes > file.size() - kTailBytes) return Unread("the index is too long");
  std::string text(bytes, '\0');
  SLIPWAY_TRY(file.ReadAt(file.size() - kTailBytes - bytes, text.data(), text.size()));
  FileIndex index;
  ThriftReader in(text);
  in.Struct([&](const ThriftReader::Member& member) {
    if (member.type != Type::kList) return false;
    if (member.number == 2) return index.columns = ReadSchema(in, text.size() / kLeastElementBytes), true;
    if (member.number != 4) return false;
    const uint64_t count = in.ListHead().count;
    for (uint64_t i = 0; i < count && !in.failed(); ++i) {
      const int64_t before = index.groups.empty() ? 0 : index.groups.back().end_row;
      index.groups.push_back(ReadGroup(in, LeavesOf(index)));
      if (__builtin_add_overflow(index.groups.back().end_row, before, &index.groups.back().end_row)) in.Fail();
    }
    return true;
  });
  if (in.failed() || !IsWhole(index, file.size())) return Unread("the index is damaged, or of a kind that is not read");
  return index;
}

}  // namespace slipway::tables::parquet
