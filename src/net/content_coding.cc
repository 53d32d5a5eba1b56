#include "net/content_coding.h"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>

#include "net/quality_list.h"

namespace slipway::net {
namespace {

constexpr int kZstdWindowLog = 23;
constexpr size_t kMostAtOnce = size_t{1} << 30;  ///< zlib counts in unsigned int
constexpr HttpFault kBroken = {
    400, "http.content_coding",
    "the body is not what its Content-Encoding says; send one whole gzip member, zlib stream "
    "(deflate) or zstd frame"};
constexpr HttpFault kTrailing = {400, "http.content_coding",
                                 "bytes follow the end of the coded body; send one gzip member, zlib stream or zstd "
                                 "frame and nothing else"};
constexpr HttpFault kTruncated = {400, "http.content_coding", "the coded body breaks off before its end"};
constexpr HttpFault kTooLarge = {413, "http.body_too_large",
                                 "the request body is larger, once decoded, than this route takes"};
constexpr HttpFault kRatio = {413, "http.decompression_ratio",
                              "the request body grows by more than this server allows when decoded; send it uncoded"};

class ZlibDecoder final : public ContentDecoder {
 public:
  ZlibDecoder(int window_bits, const DecodeLimits& limits) : ContentDecoder(limits) {
    ready_ = ::inflateInit2(&stream_, window_bits) == Z_OK;
  }
  ~ZlibDecoder() override {
    if (ready_) ::inflateEnd(&stream_);
  }
  bool ready() const { return ready_; }
  size_t HeldBytes() const override { return kInflateBytes; }

 private:
  static constexpr size_t kInflateBytes = 44 << 10;  ///< as zlib's zconf.h tells: window and state

  Progress Run(std::string_view& in, char* to, size_t room, size_t& written) override {
    const size_t part = std::min(in.size(), kMostAtOnce);
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
    stream_.avail_in = static_cast<uInt>(part);
    stream_.next_out = reinterpret_cast<Bytef*>(to);
    stream_.avail_out = static_cast<uInt>(room);
    const int state = ::inflate(&stream_, Z_NO_FLUSH);
    in.remove_prefix(part - stream_.avail_in);
    written = room - stream_.avail_out;
    if (state == Z_STREAM_END) return Progress::kEnd;
    return state == Z_OK || state == Z_BUF_ERROR ? Progress::kMore : Progress::kBroken;
  }

  z_stream stream_{};
  bool ready_ = false;
};

class ZstdDecoder final : public ContentDecoder {
 public:
  explicit ZstdDecoder(const DecodeLimits& limits) : ContentDecoder(limits), context_(::ZSTD_createDCtx()) {
    if (context_ != nullptr) ::ZSTD_DCtx_setParameter(context_, ZSTD_d_windowLogMax, kZstdWindowLog);
  }
  ~ZstdDecoder() override { ::ZSTD_freeDCtx(context_); }
  size_t HeldBytes() const override { return ::ZSTD_sizeof_DCtx(context_); }
  bool ready() const { return context_ != nullptr; }

 private:
  Progress Run(std::string_view& in, char* to, size_t room, size_t& written) override {
    ZSTD_inBuffer source = {in.data(), in.size(), 0};
    ZSTD_outBuffer target = {to, room, 0};
    const size_t left = ::ZSTD_decompressStream(context_, &target, &source);
    in.remove_prefix(source.pos);
    written = target.pos;
    if (::ZSTD_isError(left) != 0) return Progress::kBroken;
    return left == 0 ? Progress::kEnd : Progress::kMore;
  }

  ZSTD_DCtx* context_;
};

template <typename Decoder>
std::unique_ptr<ContentDecoder> WhenReady(std::unique_ptr<Decoder> decoder) {
  if (!decoder->ready()) return nullptr;
  return decoder;
}

}  // namespace

std::optional<ContentCoding> ParseContentCoding(std::string_view text) {
  if (text.empty() || EqualsIgnoreCase(text, "identity")) return ContentCoding::kIdentity;
  if (EqualsIgnoreCase(text, "gzip") || EqualsIgnoreCase(text, "x-gzip")) return ContentCoding::kGzip;
  if (EqualsIgnoreCase(text, "deflate")) return ContentCoding::kDeflate;
  if (EqualsIgnoreCase(text, "zstd")) return ContentCoding::kZstd;
  return std::nullopt;
}

ContentCoding ChooseCoding(std::string_view accept_encoding) {
  int gzip = -1, zstd = -1, any = 0;
  for (auto rest = accept_encoding; const auto item = NextQualityItem(rest);) {
    const auto coding = ParseContentCoding(item->name);
    if (item->name == "*") any = item->thousandths;
    if (coding == ContentCoding::kGzip) gzip = item->thousandths;
    if (coding == ContentCoding::kZstd) zstd = item->thousandths;
  }
  if (gzip < 0) gzip = any;
  if (zstd < 0) zstd = any;
  if (std::max(gzip, zstd) <= 0) return ContentCoding::kIdentity;
  return zstd >= gzip ? ContentCoding::kZstd : ContentCoding::kGzip;
}

std::unique_ptr<ContentDecoder> ContentDecoder::Create(ContentCoding coding, const DecodeLimits& limits) {
  if (coding == ContentCoding::kZstd) return WhenReady(std::make_unique<ZstdDecoder>(limits));
  constexpr int kWindow = 15, kGzipHeader = 16;
  return WhenReady(
      std::make_unique<ZlibDecoder>(coding == ContentCoding::kGzip ? kWindow + kGzipHeader : kWindow, limits));
}

bool ContentDecoder::Decode(std::string_view& in, std::string& out, size_t most) {
  if (fault_) return false;
  if (ended_) {
    if (!in.empty()) fault_ = kTrailing;
    return false;
  }
  const size_t before = out.size(), offered = in.size();
  out.resize(before + most);
  size_t written = 0;
  const Progress progress = Run(in, out.data() + before, most, written);
  out.resize(before + written);
  taken_ += static_cast<int64_t>(offered - in.size());
  given_ += static_cast<int64_t>(written);
  ended_ = progress == Progress::kEnd;
  if (progress == Progress::kBroken) {
    fault_ = kBroken;
  } else if (given_ > limits_.decoded_bytes) {
    fault_ = kTooLarge;
  } else if (given_ > limits_.ratio_from && given_ / limits_.ratio > taken_) {
    fault_ = kRatio;
  } else if (ended_ && !in.empty()) {
    fault_ = kTrailing;
  }
  // A full output may have left decoded bytes inside; no progress at all means that more input is wanted.
  return !fault_ && !ended_ && (written == most || !in.empty());
}

bool ContentDecoder::Finish() {
  if (!ended_ && !fault_) fault_ = kTruncated;
  return !fault_;
}

struct ContentEncoder::State {
  z_stream gzip{};
  bool gzip_ready = false;
  ZSTD_CCtx* zstd = nullptr;
};

ContentEncoder::ContentEncoder() : state_(std::make_unique<State>()) {}

ContentEncoder::~ContentEncoder() {
  if (state_->gzip_ready) ::deflateEnd(&state_->gzip);
  ::ZSTD_freeCCtx(state_->zstd);
}

bool ContentEncoder::Encode(ContentCoding coding, std::string_view text, std::string& out) {
  const size_t most = text.size() - text.size() / 10;
  out.resize(most);
  if (coding == ContentCoding::kZstd) {
    if (state_->zstd == nullptr) state_->zstd = ::ZSTD_createCCtx();
    if (state_->zstd == nullptr) return false;
    const size_t size = ::ZSTD_compressCCtx(state_->zstd, out.data(), most, text.data(), text.size(), 1);
    if (::ZSTD_isError(size) != 0) return false;
    out.resize(size);
    return true;
  }
  z_stream& stream = state_->gzip;
  if (text.size() > kMostAtOnce) return false;
  if (!state_->gzip_ready) {
    state_->gzip_ready = ::deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK;
    if (!state_->gzip_ready) return false;
  } else {
    ::deflateReset(&stream);
  }
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(most);
  if (::deflate(&stream, Z_FINISH) != Z_STREAM_END) return false;
  out.resize(most - stream.avail_out);
  return true;
}

}  // namespace slipway::net
