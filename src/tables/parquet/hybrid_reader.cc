#include "tables/parquet/hybrid_reader.h"

#include <algorithm>
#include <cstring>

namespace slipway::tables::parquet {

bool HybridReader::BeginRun() {
  uint64_t head = 0;
  for (int shift = 0;; shift += 7) {
    if (bytes_.empty() || shift > 28) return false;
    const auto byte = static_cast<uint8_t>(bytes_[0]);
    bytes_.remove_prefix(1);
    head |= uint64_t{byte & 0x7fu} << shift;
    if ((byte & 0x80) == 0) break;
  }
  is_packed_ = (head & 1) != 0;
  at_ = 0;
  if (is_packed_) {
    const auto values = static_cast<int64_t>(head >> 1) * 8;
    // The last run of a page may lack the bytes that only pad it.
    const auto bytes = std::min<uint64_t>((head >> 1) * static_cast<uint64_t>(width_), bytes_.size());
    packed_ = bytes_.substr(0, bytes);
    left_ = width_ == 0 ? values : std::min(values, static_cast<int64_t>(bytes * 8) / width_);
    bytes_.remove_prefix(bytes);
    return left_ > 0;
  }
  const auto bytes = static_cast<size_t>((width_ + 7) / 8);
  if (bytes_.size() < bytes) return false;
  value_ = 0;
  for (size_t i = 0; i < bytes; ++i) value_ |= uint32_t{static_cast<uint8_t>(bytes_[i])} << (8 * i);
  bytes_.remove_prefix(bytes);
  left_ = static_cast<int64_t>(head >> 1);
  return left_ > 0;
}

void HybridReader::Unpack(uint32_t* out, int64_t count) const {
  const auto width = static_cast<uint64_t>(width_);
  const uint64_t mask = (uint64_t{1} << width) - 1;
  uint64_t bit = static_cast<uint64_t>(at_) * width;
  // Eight bytes hold any value: 32 bits that begin at most 7 bits behind the first.
  const uint64_t last_word = packed_.size() < 8 ? 0 : (packed_.size() - 8) * 8 + 8;
  int64_t i = 0;
  for (; i < count && bit < last_word; ++i, bit += width) {
    uint64_t word = 0;
    std::memcpy(&word, packed_.data() + (bit >> 3), sizeof word);
    out[i] = static_cast<uint32_t>(word >> (bit & 7) & mask);
  }
  for (; i < count; ++i, bit += width) {
    uint64_t word = 0;
    std::memcpy(&word, packed_.data() + (bit >> 3), std::min<size_t>(sizeof word, packed_.size() - (bit >> 3)));
    out[i] = static_cast<uint32_t>(word >> (bit & 7) & mask);
  }
}

bool HybridReader::Read(uint32_t* out, int64_t count) {
  while (count > 0) {
    if (left_ == 0 && !BeginRun()) return false;
    const int64_t now = std::min(count, left_);
    if (!is_packed_) {
      std::fill_n(out, now, value_);
    } else if (width_ == 0) {
      std::fill_n(out, now, 0);
    } else {
      Unpack(out, now);
    }
    at_ += now;
    left_ -= now;
    out += now;
    count -= now;
  }
  return true;
}

bool HybridReader::Skip(int64_t count) {
  while (count > 0) {
    if (left_ == 0 && !BeginRun()) return false;
    const int64_t now = std::min(count, left_);
    at_ += now;
    left_ -= now;
    count -= now;
  }
  return true;
}

int64_t HybridReader::Ahead(uint32_t value, int64_t most) {
  if (left_ == 0 && !BeginRun()) return 0;
  return !is_packed_ && value_ == value ? std::min(left_, most) : 0;
}

}  // namespace slipway::tables::parquet
