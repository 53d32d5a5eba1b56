#pragma once
// Content codings (RFC 9110 8.4.1): request bodies out of them, answers into them.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "net/http_fault.h"

namespace slipway::net {

enum class ContentCoding : uint8_t { kIdentity, kGzip, kDeflate, kZstd };

/// What request bodies may be coded in, for Accept-Encoding.
inline constexpr std::string_view kTakenCodings = "gzip, deflate, zstd";

/// "gzip", "x-gzip", "deflate", "zstd", "identity" in any case, or nothing. nullopt: unknown, or several.
std::optional<ContentCoding> ParseContentCoding(std::string_view text);

/// What to answer in, by Accept-Encoding: zstd or gzip, whichever has the higher quality (zstd of equals), else
/// identity.
ContentCoding ChooseCoding(std::string_view accept_encoding);

struct DecodeLimits {
  int64_t decoded_bytes = 0;
  int64_t ratio = 0;             ///< decoded bytes for each coded one
  int64_t ratio_from = 1 << 20;  ///< the ratio is not looked at before so many decoded bytes
};

/// Takes one coding off a body that arrives in pieces. Strict: exactly one gzip member, zlib stream or zstd frame,
/// whole, and nothing behind it. Windows of zstd above 8 MiB are refused (RFC 9659). Thread-safety: one thread.
class ContentDecoder {
 public:
  /// `coding` is not kIdentity. nullptr: out of memory.
  static std::unique_ptr<ContentDecoder> Create(ContentCoding coding, const DecodeLimits& limits);
  virtual ~ContentDecoder() = default;

  /// Takes bytes off `in` and appends at most `most` decoded bytes to `out`. True when called again it may give more;
  /// false: it wants more input, or fault() is set. Faults: 400 "http.content_coding", 413 "http.body_too_large" and
  /// "http.decompression_ratio".
  bool Decode(std::string_view& in, std::string& out, size_t most);
  /// At the end of input; false with fault() set when the coded body broke off.
  bool Finish();
  const HttpFault& fault() const { return fault_; }
  /// Its window and tables.
  virtual size_t HeldBytes() const = 0;

 protected:
  enum class Progress : uint8_t { kMore, kEnd, kBroken };
  explicit ContentDecoder(const DecodeLimits& limits) : limits_(limits) {}

 private:
  virtual Progress Run(std::string_view& in, char* to, size_t room, size_t& written) = 0;

  const DecodeLimits limits_;
  HttpFault fault_;
  bool ended_ = false;
  int64_t taken_ = 0, given_ = 0;
};

/// Codes answers. Keeps its memory from answer to answer. Thread-safety: one thread.
class ContentEncoder {
 public:
  ContentEncoder();
  ~ContentEncoder();
  /// Replaces `out` by `text` in kGzip or kZstd, at the fastest level. False: it failed, or did not get smaller by a
  /// tenth, and `out` is of no use.
  bool Encode(ContentCoding coding, std::string_view text, std::string& out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace slipway::net
