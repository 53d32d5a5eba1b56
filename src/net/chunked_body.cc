#include "net/chunked_body.h"

#include <algorithm>

#include "base/text.h"
#include "net/head_parser.h"

namespace slipway::net {
namespace {

constexpr int kMaxDigits = 15;
constexpr int64_t kMaxOverhead = 8 << 10;
constexpr HttpFault kBadSize = {400, "http.chunk_size", "a chunk size must be plain hexadecimal digits before CR LF"};
constexpr HttpFault kBadEnd = {400, "http.chunk_end", "a chunk's data must be followed by CR LF"};
constexpr HttpFault kBadTrailer = {400, "http.trailer", "a trailer after the last chunk is malformed"};
constexpr HttpFault kTooLarge = {413, "http.body_too_large", "the request body is larger than this route takes"};
constexpr HttpFault kTooMany = {413, "http.too_many_chunks",
                                "the request body comes in more chunks than this server "
                                "takes; send larger ones"};

}  // namespace

void ChunkedBody::Reset(int64_t body_bytes, int64_t chunk_count) {
  *this = {};
  bytes_left_ = body_bytes;
  chunks_left_ = chunk_count;
}

size_t ChunkedBody::Feed(std::string_view bytes, std::string& body) {
  size_t at = 0;
  while (at < bytes.size() && !done() && !fault_) {
    std::string_view data;
    at += Take(bytes.substr(at), data);
    body += data;
  }
  return at;
}

size_t ChunkedBody::Take(std::string_view bytes, std::string_view& data) {
  size_t at = 0;
  while (at < bytes.size() && !done() && !fault_) {
    if (state_ == State::kData) {
      data = bytes.substr(at, static_cast<size_t>(size_));
      size_ -= std::ssize(data);
      if (size_ == 0) state_ = State::kDataCr;
      return at + data.size();
    }
    const bool size_ended = state_ == State::kSizeLf;
    Step(bytes[at++]);
    if (size_ended && !fault_) EndSize();
  }
  return at;
}

void ChunkedBody::EndSize() {
  if (size_ > bytes_left_) {
    fault_ = kTooLarge;
  } else if (--chunks_left_ < 0) {
    fault_ = kTooMany;
  } else {
    bytes_left_ -= size_;
    last_ = size_ == 0;
    state_ = last_ ? State::kTrailer : State::kData;
  }
}

/// A trailer is a header line: a name, a colon at once behind it, a value.
void ChunkedBody::StepTrailer(char c) {
  if (c == '\r') {
    if (line_ > 0 && !named_) fault_ = kBadTrailer;
    state_ = State::kTrailerLf;
  } else if (++overhead_ > kMaxOverhead) {
    fault_ = kBadTrailer;
  } else if (!named_ && c == ':' && line_ > 0) {
    named_ = true;
  } else if (named_ ? !IsFieldValue({&c, 1}) : !IsToken({&c, 1})) {
    fault_ = kBadTrailer;
  }
  ++line_;
}

void ChunkedBody::Step(char c) {
  switch (state_) {
    case State::kSize:
      if (const int digit = base::HexDigit(c); digit >= 0 && digits_ < kMaxDigits) {
        size_ = size_ * 16 + digit;
        ++digits_;
      } else if (digits_ > 0 && c == '\r') {
        state_ = State::kSizeLf;
      } else if (digits_ > 0 && c == ';') {
        state_ = State::kExtension;
      } else {
        fault_ = kBadSize;
      }
      break;
    case State::kExtension:
      if (c == '\r') {
        state_ = State::kSizeLf;
      } else if (!IsFieldValue({&c, 1}) || ++overhead_ > kMaxOverhead) {
        fault_ = kBadSize;
      }
      break;
    case State::kSizeLf:
      if (c != '\n') fault_ = kBadSize;
      break;
    case State::kDataCr:
      if (c != '\r') fault_ = kBadEnd;
      state_ = State::kDataLf;
      break;
    case State::kDataLf:
      if (c != '\n') fault_ = kBadEnd;
      state_ = State::kSize;
      size_ = 0;
      digits_ = 0;
      break;
    case State::kTrailer:
      StepTrailer(c);
      break;
    case State::kTrailerLf:
      if (c != '\n') fault_ = kBadTrailer;
      state_ = line_ == 1 ? State::kDone : State::kTrailer;  // the CR counts
      line_ = 0;
      named_ = false;
      break;
    case State::kData:
    case State::kDone:
      break;
  }
}

}  // namespace slipway::net
