#include "tables/parquet/thrift_reader.h"

namespace slipway::tables::parquet {

void ThriftReader::Fail() {
  failed_ = true;
  text_ = {};
}

uint8_t ThriftReader::RawByte() {
  const std::string_view byte = Take(1);
  return byte.empty() ? 0 : static_cast<uint8_t>(byte[0]);
}

std::string_view ThriftReader::Take(uint64_t count) {
  if (count > text_.size()) Fail();
  if (failed_) return {};
  const std::string_view taken = text_.substr(0, count);
  text_.remove_prefix(count);
  return taken;
}

uint64_t ThriftReader::Varint() {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const uint8_t byte = RawByte();
    value |= uint64_t{byte & 0x7fu} << shift;
    if ((byte & 0x80) == 0) return value;
  }
  Fail();
  return 0;
}

int64_t ThriftReader::Integer() {
  const uint64_t value = Varint();
  return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
}

std::string_view ThriftReader::Double() {
  return Take(8);
}

std::string_view ThriftReader::Binary() {
  return Take(Varint());
}

/// 1, or 2 (of some writers 0).
ThriftType ThriftReader::Truth() {
  const uint8_t byte = RawByte();
  if (byte > 2) Fail();
  return byte == 1 ? ThriftType::kTrue : ThriftType::kFalse;
}

ThriftReader::Member ThriftReader::NextMember(int16_t last) {
  const uint8_t head = RawByte();
  if (head == 0) return {};
  const int delta = head >> 4;
  const int64_t number = delta == 0 ? Integer() : last + delta;
  const auto type = static_cast<ThriftType>(head & 0x0f);
  if (number < INT16_MIN || number > INT16_MAX || type == ThriftType::kStop || type > ThriftType::kStruct) Fail();
  if (failed_) return {};
  return {static_cast<int16_t>(number), type};
}

ThriftReader::Items ThriftReader::ListHead() {
  const uint8_t head = RawByte();
  Items items{.count = uint64_t{head} >> 4, .element = static_cast<ThriftType>(head & 0x0f)};
  if (items.count == 15) items.count = Varint();
  return failed_ ? Items{} : items;
}

ThriftReader::Items ThriftReader::MapHead() {
  Items items{.count = Varint()};
  if (items.count == 0) return {};
  const uint8_t types = RawByte();
  items.key = static_cast<ThriftType>(types >> 4);
  items.element = static_cast<ThriftType>(types & 0x0f);
  return failed_ ? Items{} : items;
}

void ThriftReader::Skip(ThriftType type) {
  Skip(type, 0, false);
}

void ThriftReader::Skip(ThriftType type, int depth, bool in_list) {
  if (depth > kDepth) Fail();
  if (failed_) return;
  switch (type) {
    case ThriftType::kTrue:
    case ThriftType::kFalse:
      if (in_list) Truth();
      return;
    case ThriftType::kByte:
      RawByte();
      return;
    case ThriftType::kI16:
    case ThriftType::kI32:
    case ThriftType::kI64:
      Integer();
      return;
    case ThriftType::kDouble:
      Double();
      return;
    case ThriftType::kBinary:
      Binary();
      return;
    case ThriftType::kList:
    case ThriftType::kSet:
    case ThriftType::kMap: {
      const bool is_map = type == ThriftType::kMap;
      const Items items = is_map ? MapHead() : ListHead();
      for (uint64_t i = 0; i < items.count && !failed_; ++i) {
        if (is_map) Skip(items.key, depth + 1, true);
        Skip(items.element, depth + 1, true);
      }
      return;
    }
    case ThriftType::kStruct:
      for (Member member = NextMember(0); member.type != ThriftType::kStop; member = NextMember(member.number)) {
        Skip(member.type, depth + 1, false);
      }
      return;
    case ThriftType::kStop:
      break;
  }
  Fail();
}

}  // namespace slipway::tables::parquet
