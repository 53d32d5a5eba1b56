// The memory that a connection keeps between its turns, counted against what all may keep together.

#include <algorithm>

#include "net/connection.h"

namespace slipway::net {

/// Bytes that this connection keeps of a body and of an answer.
int64_t Connection::HeldBytes() const {
  constexpr size_t kInside = sizeof(std::string);  // a string that keeps no more has no memory of its own
  size_t bytes = in_.capacity() + (unsent_.capacity() > kInside ? unsent_.capacity() : 0);
  if (late_ != nullptr) bytes += late_->kept->body.capacity();
  if (body_ != nullptr) bytes += body_->whole.capacity() + body_->reader.held_bytes();
  if (stream_ == nullptr) return static_cast<int64_t>(bytes);
  return static_cast<int64_t>(bytes + stream_->reader->held_bytes()) + stream_->answer->HeldBytes();
}

void Connection::CountHeld() {
  if (state_ == State::kClosed) return;
  if (state_ == State::kLingering) {  // answered: what has arrived of the request is of no more use
    in_.Release();
    body_.reset();
  }
  const int64_t held = HeldBytes();
  if (held != held_) io_.Hold(held - std::exchange(held_, held));
}

/// Whether a body or an answer may grow by so much, to `size` bytes.
bool Connection::MayGrow(int64_t size, int64_t by) const {
  return size <= HttpLimits::kSmallBytes || io_.MayHold(by);
}

/// False when the body at hand would take more memory than there is.
bool Connection::ReserveInput() {
  const size_t wanted = WantedBytes();
  const size_t needed = in_.size() + wanted;
  const size_t growth = needed > in_.capacity() ? needed - in_.capacity() : 0;
  if (state_ == State::kBody && growth > 0 && !MayGrow(static_cast<int64_t>(needed), static_cast<int64_t>(growth)))
    return false;
  in_.Reserve(wanted);
  return true;
}

/// Appends to the whole body; false when that would take more memory than there is.
bool Connection::KeepPiece(std::string_view piece) {
  std::string& whole = body_->whole;
  const size_t size = whole.size() + piece.size();
  if (size + ByteBuffer::kPadding > whole.capacity()) {
    const size_t grown =
        std::max(size, std::min(2 * whole.size(), static_cast<size_t>(BodyLimit()))) + ByteBuffer::kPadding;
    if (!MayGrow(static_cast<int64_t>(size), static_cast<int64_t>(grown - whole.capacity()))) return false;
    whole.reserve(grown);
  }
  whole += piece;
  return true;
}

/// Whether the record at hand is a large one at a time that has no memory for it.
bool Connection::KeepsTooMuch() const {
  return stream_->answer->HeldBytes() > HttpLimits::kSmallBytes && !io_.MayHold(0);
}

}  // namespace slipway::net
