#include "net/body_reader.h"

#include <algorithm>

#include "net/byte_buffer.h"

namespace slipway::net {

BodyReader::BodyReader(const Options& options) : left_(options.content_length) {
  if (left_ < 0) chunked_.Reset(options.body_bytes, options.chunk_count);
  if (options.coding == ContentCoding::kIdentity) return;
  decoder_ = ContentDecoder::Create(options.coding, options.decoded);
  if (decoder_ == nullptr) fault_ = {503, "http.memory", "this server is out of memory; retry later"};
}

bool BodyReader::Next(std::string_view& in, std::string_view& piece) {
  while (!fault_ && !done_) {
    if (NextDecoded(piece)) return true;
    if (fault_) break;
    if (left_ == 0 || chunked_.done()) {
      if (decoder_ != nullptr && !decoder_->Finish()) fault_ = decoder_->fault();
      done_ = !fault_;
      break;
    }
    if (in.empty()) break;
    const std::string_view framed = TakeFramed(in);
    if (decoder_ != nullptr) {
      coded_ = framed;
    } else if (!framed.empty()) {
      piece = framed;
      return true;
    }
  }
  return false;
}

std::string_view BodyReader::TakeFramed(std::string_view& in) {
  std::string_view data;
  if (left_ >= 0) {
    data = in.substr(0, static_cast<size_t>(std::min<int64_t>(left_, std::ssize(in))));
    left_ -= std::ssize(data);
    in.remove_prefix(data.size());
  } else {
    in.remove_prefix(chunked_.Take(in, data));
    fault_ = chunked_.fault();
  }
  return data;
}

bool BodyReader::NextDecoded(std::string_view& piece) {
  if (decoder_ == nullptr || (coded_.empty() && !more_)) return false;
  decoded_.clear();
  decoded_.reserve(kPieceBytes + ByteBuffer::kPadding);
  do {
    more_ = decoder_->Decode(coded_, decoded_, kPieceBytes - decoded_.size());
  } while (more_ && decoded_.size() < kPieceBytes);
  fault_ = decoder_->fault();
  piece = decoded_;
  return !fault_ && !piece.empty();
}

}  // namespace slipway::net
