#include "engine/onnx/wire.h"

#include <cstring>

namespace slipway::engine::onnx {

bool WireReader::ReadLongVarint(uint64_t& value) {
  value = 0;
  for (int shift = 0; shift < 70; shift += 7) {
    if (rest_.empty()) return false;
    const auto byte = static_cast<uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    if (shift == 63 && byte > 1) return false;
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

bool WireReader::Next(WireField& field) {
  if (!ok_ || rest_.empty()) return false;
  const char* begin = rest_.data();
  uint64_t tag = 0;
  if (!ReadVarint(tag) || (tag >> 3) == 0 || (tag >> 3) > 0x1fffffff) return Stop();
  field.number = static_cast<uint32_t>(tag >> 3);
  field.type = static_cast<WireField::Type>(tag & 7);
  field.bytes = {};
  field.value = 0;
  switch (field.type) {
    case WireField::Type::kVarint:
      if (!ReadVarint(field.value)) return Stop();
      break;
    case WireField::Type::kFixed64:
    case WireField::Type::kFixed32: {
      const size_t size = field.type == WireField::Type::kFixed64 ? 8 : 4;
      if (rest_.size() < size) return Stop();
      std::memcpy(&field.value, rest_.data(), size);
      rest_.remove_prefix(size);
      break;
    }
    case WireField::Type::kBytes: {
      uint64_t length = 0;
      if (!ReadVarint(length) || length > rest_.size()) return Stop();
      field.bytes = rest_.substr(0, length);
      rest_.remove_prefix(length);
      break;
    }
    default:
      return Stop();
  }
  field.whole = {begin, static_cast<size_t>(rest_.data() - begin)};
  return true;
}

void AppendWireVarint(std::string& out, uint64_t value) {
  while (value >= 0x80) {
    out += static_cast<char>(value | 0x80);
    value >>= 7;
  }
  out += static_cast<char>(value);
}

void AppendWireInteger(std::string& out, uint32_t number, uint64_t value) {
  AppendWireVarint(out, uint64_t{number} << 3);
  AppendWireVarint(out, value);
}

void AppendWireBytes(std::string& out, uint32_t number, std::string_view bytes) {
  AppendWireVarint(out, uint64_t{number} << 3 | 2);
  AppendWireVarint(out, bytes.size());
  out += bytes;
}

}  // namespace slipway::engine::onnx
