#include "tables/decompressor.h"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>

namespace slipway::tables {
namespace {

constexpr std::string_view kGzipMagic = "\x1f\x8b";
constexpr std::string_view kZstdMagic = "\x28\xb5\x2f\xfd";
constexpr int kGzipFraming = 15 + 16;
constexpr int kWindowLog = 27;  ///< 128 MiB, what `zstd --long` writes and the command line unpacks without asking

std::unexpected<base::Error> Broken(std::string_view kind) {
  return base::Fail(base::Code::kDataLoss, "tables.packed",
                    std::string("the file is damaged: its ") + std::string(kind) +
                        " stream cannot be unpacked from some byte on; fetch or pack it again");
}

class GzipDecompressor final : public Decompressor {
 public:
  GzipDecompressor() { ready_ = ::inflateInit2(&stream_, kGzipFraming) == Z_OK; }
  ~GzipDecompressor() override { ::inflateEnd(&stream_); }

  base::Result<size_t> Unpack(std::string_view& in, char* out, size_t room) override {
    if (!ready_) return Broken("gzip");
    if (ended_ && !in.empty()) {
      if (in[0] == '\0') {  // tapes and some tools pad with zeros
        in.remove_prefix(std::min(in.find_first_not_of('\0'), in.size()));
        return 0;
      }
      ended_ = false;
      if (::inflateReset(&stream_) != Z_OK) return Broken("gzip");
    }
    const size_t given = std::min(in.size(), size_t{1} << 30);
    const size_t space = std::min(room, size_t{1} << 30);
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
    stream_.avail_in = static_cast<uInt>(given);
    stream_.next_out = reinterpret_cast<Bytef*>(out);
    stream_.avail_out = static_cast<uInt>(space);
    const int state = ::inflate(&stream_, Z_NO_FLUSH);
    in.remove_prefix(given - stream_.avail_in);
    if (state == Z_STREAM_END) {
      ended_ = true;
    } else if (state != Z_OK && state != Z_BUF_ERROR) {
      return Broken("gzip");
    }
    return space - stream_.avail_out;
  }
  bool complete() const override { return ended_; }

 private:
  z_stream stream_{};
  bool ready_ = false;
  bool ended_ = false;
};

class ZstdDecompressor final : public Decompressor {
 public:
  ZstdDecompressor() : context_(ZSTD_createDCtx(), &ZSTD_freeDCtx) {
    ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, kWindowLog);
  }

  base::Result<size_t> Unpack(std::string_view& in, char* out, size_t room) override {
    if (ended_ && in.empty()) return 0;  // asked once more, it would begin the next frame
    ZSTD_inBuffer from{in.data(), in.size(), 0};
    ZSTD_outBuffer to{out, room, 0};
    const size_t left = ZSTD_decompressStream(context_.get(), &to, &from);
    if (ZSTD_isError(left) != 0) return Broken("zstd");
    in.remove_prefix(from.pos);
    ended_ = left == 0;
    return to.pos;
  }
  bool complete() const override { return ended_; }

 private:
  std::unique_ptr<ZSTD_DCtx, size_t (*)(ZSTD_DCtx*)> context_;
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<Decompressor> Decompressor::For(std::string_view beginning) {
  if (beginning.starts_with(kGzipMagic)) return std::make_unique<GzipDecompressor>();
  if (beginning.starts_with(kZstdMagic)) return std::make_unique<ZstdDecompressor>();
  return nullptr;
}

}  // namespace slipway::tables
