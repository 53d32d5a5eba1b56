#include "tables/parquet/page_reader.h"

#include <snappy.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>

#include "tables/parquet/thrift_reader.h"

namespace slipway::tables::parquet {
namespace {

using Type = ThriftType;

constexpr int64_t kHeadBytes = 4096;  // mostly a few dozen; statistics can make it long
constexpr int64_t kMostHeadBytes = int64_t{1} << 20;
constexpr int64_t kWindowBytes = int64_t{256} << 10;

void ReadDataHead(ThriftReader& in, PageHead& head) {
  in.Struct([&](const ThriftReader::Member& member) {
    if (member.type != Type::kI32) return false;
    if (member.number == 1) return head.values = in.Integer(), true;
    if (member.number == 2) return head.encoding = static_cast<Encoding>(in.Integer()), true;
    if (member.number == 3) return head.level_encoding = static_cast<Encoding>(in.Integer()), true;
    return false;
  });
}

void ReadSecondDataHead(ThriftReader& in, PageHead& head) {
  int64_t repetition_bytes = 0;
  in.Struct([&](const ThriftReader::Member& member) {
    if (member.number == 7) return head.is_packed = member.type == Type::kTrue, false;
    if (member.type != Type::kI32) return false;
    if (member.number == 1) return head.values = in.Integer(), true;
    if (member.number == 4) return head.encoding = static_cast<Encoding>(in.Integer()), true;
    if (member.number == 5) return head.level_bytes = in.Integer(), true;
    if (member.number == 6) return repetition_bytes = in.Integer(), true;
    return false;
  });
  if (repetition_bytes != 0 || head.level_bytes < 0) in.Fail();  // there are none in flat columns
}

PageHead ReadHead(ThriftReader& in) {
  PageHead head;
  in.Struct([&](const ThriftReader::Member& member) {
    if (member.type == Type::kStruct) {
      if (member.number == 5 || member.number == 7) return ReadDataHead(in, head), true;
      if (member.number == 8) return ReadSecondDataHead(in, head), true;
      return false;
    }
    if (member.type != Type::kI32) return false;
    if (member.number == 1) return head.kind = static_cast<PageHead::Kind>(in.Integer()), true;
    if (member.number == 2) return head.bytes = in.Integer(), true;
    if (member.number == 3) return head.stored_bytes = in.Integer(), true;
    return false;
  });
  if (head.bytes < 0 || head.stored_bytes < 0 || head.values < 0) in.Fail();
  if (head.level_bytes > std::min(head.bytes, head.stored_bytes)) in.Fail();
  return head;
}

/// Without writing zeros where other bytes come at once.
void Resize(std::string& text, int64_t bytes) {
  const auto size = static_cast<size_t>(bytes);
  text.resize_and_overwrite(size, [=](char*, size_t) { return size; });  // what it hands over may be the capacity
}

bool Inflate(std::string_view stored, char* out, size_t bytes) {
  constexpr int kGzipOrZlib = 15 + 32;
  z_stream stream{};
  if (::inflateInit2(&stream, kGzipOrZlib) != Z_OK) return false;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(stored.data()));
  stream.avail_in = static_cast<uInt>(stored.size());
  stream.next_out = reinterpret_cast<Bytef*>(out);
  stream.avail_out = static_cast<uInt>(bytes);
  const int state = ::inflate(&stream, Z_FINISH);
  ::inflateEnd(&stream);
  return state == Z_STREAM_END && stream.avail_out == 0;
}

}  // namespace

void PageReader::FreeContext::operator()(ZSTD_DCtx_s* context) const {
  ::ZSTD_freeDCtx(context);
}

void PageReader::Begin(const ColumnChunk& chunk) {
  codec_ = chunk.codec;
  at_ = body_ = chunk.begin;
  end_ = chunk.begin + chunk.bytes;
  window_.clear();
  window_at_ = at_;
}

/// `asked` bytes of the chunk from body_ on, fewer at its end; `least` must be there.
base::Result<std::string_view> PageReader::Bytes(int64_t least, int64_t asked) {
  asked = std::min(asked, end_ - body_);
  if (asked < least) return Unread("a page goes beyond its column");
  const int64_t window_end = window_at_ + std::ssize(window_);
  if (body_ < window_at_ || body_ + asked > window_end) {
    const int64_t kept = body_ >= window_at_ && body_ < window_end ? window_end - body_ : 0;
    window_.erase(0, window_.size() - static_cast<size_t>(kept));
    window_at_ = body_;
    const int64_t more = std::min(end_ - body_, std::max(asked, kWindowBytes)) - kept;
    Resize(window_, kept + more);
    const auto read = file_.ReadAt(body_ + kept, window_.data() + kept, static_cast<size_t>(more));
    if (!read) {
      window_.clear();
      return std::unexpected(read.error());
    }
  }
  return std::string_view(window_).substr(static_cast<size_t>(body_ - window_at_), static_cast<size_t>(asked));
}

base::Result<PageHead> PageReader::NextHead() {
  body_ = at_;
  for (int64_t asked = kHeadBytes;; asked *= 8) {
    SLIPWAY_ASSIGN(const std::string_view text, Bytes(1, asked));
    ThriftReader in(text);
    const PageHead head = ReadHead(in);
    if (in.failed()) {
      if (std::ssize(text) < asked || asked > kMostHeadBytes) return Unread("a page's head is damaged");
      continue;
    }
    body_ += std::ssize(text) - std::ssize(in.rest());
    if (head.stored_bytes > end_ - body_) return Unread("a page goes beyond its column");
    at_ = body_ + head.stored_bytes;
    return head;
  }
}

base::Result<void> PageReader::ReadBody(const PageHead& head, int64_t most, std::string& out) {
  if (head.bytes > most || head.stored_bytes > most) return Unread("a page is larger than the memory for it");
  SLIPWAY_ASSIGN(std::string_view stored, Bytes(head.stored_bytes, head.stored_bytes));
  Resize(out, head.bytes);
  const auto levels = static_cast<size_t>(head.level_bytes);
  std::copy_n(stored.data(), levels, out.data());
  stored.remove_prefix(levels);
  const size_t bytes = out.size() - levels;
  if (head.is_packed && codec_ != Codec::kNone) return Unpack(stored, out.data() + levels, bytes);
  if (stored.size() != bytes) return Unread("a page has another size than its head says");
  std::copy_n(stored.data(), bytes, out.data() + levels);
  return {};
}

base::Result<void> PageReader::Unpack(std::string_view stored, char* out, size_t bytes) {
  bool fine = false;
  if (stored.empty() && bytes == 0) return {};
  switch (codec_) {
    case Codec::kSnappy: {
      size_t length = 0;
      fine = snappy::GetUncompressedLength(stored.data(), stored.size(), &length) && length == bytes &&
             snappy::RawUncompress(stored.data(), stored.size(), out);
      break;
    }
    case Codec::kGzip:
      fine = Inflate(stored, out, bytes);
      break;
    case Codec::kZstd:
      if (!zstd_) zstd_.reset(::ZSTD_createDCtx());
      fine = ::ZSTD_decompressDCtx(zstd_.get(), out, bytes, stored.data(), stored.size()) == bytes;
      break;
    default:
      break;
  }
  if (!fine) return Unread("a page cannot be unpacked");
  return {};
}

}  // namespace slipway::tables::parquet
