#pragma once
// Takes the chunked coding off a request body (RFC 9112 7.1), strictly.

#include <cstdint>
#include <string>
#include <string_view>

#include "net/http_fault.h"

namespace slipway::net {

/// One body at a time; Reset() before each. Chunk extensions and trailers are checked for form and dropped.
class ChunkedBody {
 public:
  void Reset(int64_t body_bytes, int64_t chunk_count);

  /// Takes bytes up to the end of a run of data, of the body or of `bytes`; `data` is that run within them, or empty.
  /// Returns how many were taken; when fault() is set the connection cannot be used any further.
  size_t Take(std::string_view bytes, std::string_view& data);
  /// The same for all of `bytes`, appending data to `body`.
  size_t Feed(std::string_view bytes, std::string& body);
  bool done() const { return state_ == State::kDone; }
  const HttpFault& fault() const { return fault_; }

 private:
  enum class State : uint8_t {
    kSize,       ///< hexadecimal digits
    kExtension,  ///< from ';' to CR
    kSizeLf,
    kData,
    kDataCr,
    kDataLf,
    kTrailer,  ///< inside a trailer line, or at its start
    kTrailerLf,
    kDone,
  };
  void Step(char c);
  void EndSize();
  void StepTrailer(char c);

  State state_ = State::kSize;
  HttpFault fault_;
  int64_t bytes_left_ = 0, chunks_left_ = 0;
  int64_t size_ = 0;  ///< of the chunk: as read so far, then as left
  int digits_ = 0;
  int64_t overhead_ = 0;  ///< bytes of extensions and trailers
  int64_t line_ = 0;      ///< bytes of the trailer line
  bool named_ = false;    ///< the trailer line's colon has been seen
  bool last_ = false;
};

}  // namespace slipway::net
