#include "expr/scratch.h"

#include <algorithm>
#include <cstring>

namespace slipway::expr {

void Scratch::Reset() {
  spent_.fill(0);
  used_ = 0;
  if (chunks_.size() <= 1) return;
  // One chunk that would have held them all: the next block like this one allocates nothing.
  size_t total = 0;
  for (const Chunk& chunk : chunks_) total += chunk.size;
  chunks_.clear();
  chunks_.push_back({std::make_unique_for_overwrite<char[]>(total), total});
}

char* Scratch::Allocate(int64_t row, size_t bytes) {
  size_t& spent = spent_[static_cast<size_t>(row)];
  if (bytes > kTextBytesPerRow - spent) return nullptr;
  spent += bytes;
  if (chunks_.empty() || chunks_.back().size - used_ < bytes) {
    const size_t last = chunks_.empty() ? 512 : chunks_.back().size;
    const size_t size = std::max(bytes, 2 * last);
    chunks_.push_back({std::make_unique_for_overwrite<char[]>(size), size});
    used_ = 0;
  }
  char* room = chunks_.back().bytes.get() + used_;
  used_ += bytes;
  return room;
}

bool Scratch::Keep(int64_t row, std::string_view text, std::string_view& out) {
  char* room = Allocate(row, text.size());
  if (room == nullptr) return false;
  if (!text.empty()) std::memcpy(room, text.data(), text.size());
  out = {room, text.size()};
  return true;
}

}  // namespace slipway::expr
