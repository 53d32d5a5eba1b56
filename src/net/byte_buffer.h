#pragma once
// Bytes received and not yet used, in one piece, with room behind them that vector code may read.

#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

namespace slipway::net {

class ByteBuffer {
 public:
  static constexpr size_t kPadding = 64;  ///< readable bytes behind the contents

  std::string_view view() const { return {data_.get() + begin_, end_ - begin_}; }
  bool empty() const { return begin_ == end_; }
  size_t size() const { return end_ - begin_; }
  size_t free() const { return capacity_ - end_; }
  char* tail() { return data_.get() + end_; }

  /// Makes room for `bytes` more behind the contents, which may move.
  void Reserve(size_t bytes) {
    if (free() >= bytes) return;
    if (capacity_ >= size() + bytes) {
      std::memmove(data_.get(), data_.get() + begin_, size());
    } else {
      const size_t capacity = size() + bytes;
      auto larger = std::make_unique_for_overwrite<char[]>(capacity + kPadding);
      if (!empty()) std::memcpy(larger.get(), data_.get() + begin_, size());
      std::memset(larger.get() + capacity, 0, kPadding);
      data_ = std::move(larger);
      capacity_ = capacity;
    }
    end_ -= begin_;
    begin_ = 0;
  }
  void Grow(size_t received) { end_ += received; }
  void Append(std::string_view bytes) {
    Reserve(bytes.size());
    std::memcpy(tail(), bytes.data(), bytes.size());
    end_ += bytes.size();
  }
  void Consume(size_t bytes) {
    begin_ += bytes;
    if (begin_ == end_) begin_ = end_ = 0;
  }
  /// Removes `bytes` bytes behind the first `keep`.
  void EraseBehind(size_t keep, size_t bytes) {
    char* from = data_.get() + begin_ + keep;
    std::memmove(from, from + bytes, size() - keep - bytes);
    end_ -= bytes;
  }
  /// Gives the memory back.
  void Release() { *this = ByteBuffer(); }
  size_t capacity() const { return capacity_; }

  ByteBuffer() = default;
  ByteBuffer(ByteBuffer&& other) noexcept { Swap(other); }
  ByteBuffer& operator=(ByteBuffer&& other) noexcept {
    ByteBuffer taken(std::move(other));
    Swap(taken);
    return *this;
  }
  void Swap(ByteBuffer& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(begin_, other.begin_);
    std::swap(end_, other.end_);
    std::swap(capacity_, other.capacity_);
  }

 private:
  std::unique_ptr<char[]> data_;
  size_t begin_ = 0, end_ = 0, capacity_ = 0;
};

}  // namespace slipway::net
