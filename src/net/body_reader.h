#pragma once
// Takes a request body off the wire: its framing (Content-Length or chunked), then its content coding.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "net/chunked_body.h"
#include "net/content_coding.h"
#include "net/http_fault.h"

namespace slipway::net {

/// Usage: while (reader.Next(in, piece)) Use(piece); then done(), fault(), or more input is wanted.
/// Thread-safety: one thread.
class BodyReader {
 public:
  struct Options {
    int64_t content_length = -1;  ///< -1: chunked
    ContentCoding coding = ContentCoding::kIdentity;
    int64_t body_bytes = 0;  ///< most, on the wire
    int64_t chunk_count = 0;
    DecodeLimits decoded;
  };
  static constexpr size_t kPieceBytes = 64 << 10;  ///< of decoded bytes at a time

  explicit BodyReader(const Options& options);

  /// Takes bytes off `in`, up to the end of the body, until there is a piece of it. A piece is valid until the next
  /// call and, when the body is not coded, as long as the input; 64 bytes past its end may be read if those of `in`
  /// may. False: nothing more from this input.
  bool Next(std::string_view& in, std::string_view& piece);
  bool done() const { return done_; }
  const HttpFault& fault() const { return fault_; }
  /// What decoding keeps between calls.
  size_t held_bytes() const { return decoder_ == nullptr ? 0 : decoded_.capacity() + decoder_->HeldBytes(); }

 private:
  std::string_view TakeFramed(std::string_view& in);
  bool NextDecoded(std::string_view& piece);

  int64_t left_;  ///< of Content-Length; -1: chunked
  ChunkedBody chunked_;
  std::unique_ptr<ContentDecoder> decoder_;
  std::string_view coded_;  ///< framing is off, coding is not
  bool more_ = false;       ///< the decoder holds decoded bytes
  std::string decoded_;
  HttpFault fault_;
  bool done_ = false;
};

}  // namespace slipway::net
