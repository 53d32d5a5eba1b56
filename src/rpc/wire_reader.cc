#include "rpc/wire_reader.h"

namespace slipway::rpc {
namespace {

constexpr uint32_t kGroupStart = 3, kGroupEnd = 4;
constexpr int kDeepestGroup = 100;  ///< as protobuf's own parsers have it

bool TakeVarint(std::string_view& bytes, uint64_t& value) {
  value = 0;
  for (size_t i = 0; i < 10 && i < bytes.size(); ++i) {
    const auto byte = static_cast<uint8_t>(bytes[i]);
    if (i == 9 && byte > 1) return false;
    value |= uint64_t{byte & 0x7fu} << (7 * i);
    if (byte < 0x80) {
      bytes.remove_prefix(i + 1);
      return true;
    }
  }
  return false;
}

bool TakeFixed(std::string_view& bytes, size_t size, uint64_t& value) {
  if (bytes.size() < size) return false;
  value = 0;
  std::memcpy(&value, bytes.data(), size);  // both are little-endian
  bytes.remove_prefix(size);
  return true;
}

}  // namespace

static_assert(std::endian::native == std::endian::little);

bool WireReader::ReadVarint(uint64_t& value) {
  return TakeVarint(rest_, value);
}

bool WireReader::ReadFixed(size_t size) {
  return TakeFixed(rest_, size, number_);
}

bool WireReader::ReadValue(uint32_t wire_type) {
  type_ = static_cast<WireType>(wire_type);
  switch (type_) {
    case WireType::kVarint:
      return ReadVarint(number_);
    case WireType::kFixed64:
      return ReadFixed(8);
    case WireType::kFixed32:
      return ReadFixed(4);
    case WireType::kBytes: {
      uint64_t size = 0;
      if (!ReadVarint(size) || size > rest_.size()) return false;
      bytes_ = rest_.substr(0, size);
      rest_.remove_prefix(size);
      return true;
    }
  }
  return false;
}

bool WireReader::SkipGroup(uint32_t field) {
  uint32_t open[kDeepestGroup];
  int depth = 0;
  open[depth++] = field;
  while (depth > 0) {
    uint64_t tag = 0;
    if (!ReadVarint(tag) || tag > UINT32_MAX || (tag >> 3) == 0) return false;
    const auto number = static_cast<uint32_t>(tag >> 3), type = static_cast<uint32_t>(tag & 7);
    if (type == kGroupEnd) {
      if (open[--depth] != number) return false;
    } else if (type == kGroupStart) {
      if (depth == kDeepestGroup) return false;
      open[depth++] = number;
    } else if (!ReadValue(type)) {
      return false;
    }
  }
  return true;
}

bool WireReader::Next() {
  while (!broken_ && !rest_.empty()) {
    uint64_t tag = 0;
    if (!ReadVarint(tag) || tag > UINT32_MAX || (tag >> 3) == 0) return Fail();
    field_ = static_cast<uint32_t>(tag >> 3);
    const auto type = static_cast<uint32_t>(tag & 7);
    if (type != kGroupStart) return ReadValue(type) || Fail();
    if (!SkipGroup(field_)) return Fail();
  }
  return false;
}

bool NextPacked(std::string_view& bytes, WireType type, uint64_t& value, bool& broken) {
  if (bytes.empty()) return false;
  const bool read = type == WireType::kVarint    ? TakeVarint(bytes, value)
                    : type == WireType::kFixed64 ? TakeFixed(bytes, 8, value)
                                                 : TakeFixed(bytes, 4, value);
  broken = !read;
  return read;
}

}  // namespace slipway::rpc
