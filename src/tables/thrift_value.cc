#include "tables/thrift_value.h"

#include <algorithm>

namespace slipway::tables {
namespace {

using Type = ThriftValue::Type;

constexpr int kDepth = 32;

/// Reads; after a fault everything is empty.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}
  bool failed() const { return failed_; }

  ThriftValue Value(Type type, int depth, bool in_list) {
    ThriftValue value;
    value.type = type;
    if (depth > kDepth || type == Type::kStop || type > Type::kStruct) failed_ = true;
    if (failed_) return value;
    switch (type) {
      case Type::kTrue:
      case Type::kFalse:
        if (in_list) value.type = Truth();
        break;
      case Type::kByte:
        value.integer = static_cast<int8_t>(Byte());
        break;
      case Type::kI16:
      case Type::kI32:
      case Type::kI64:
        value.integer = ZigZag();
        break;
      case Type::kDouble:
        value.bytes = Take(8);
        break;
      case Type::kBinary:
        value.bytes = Take(Varint());
        break;
      case Type::kStruct:
        Members(value, depth);
        break;
      default:
        Items(value, depth);
        break;
    }
    return value;
  }

 private:
  /// An element of a list: 1, or 2 (of some writers 0).
  Type Truth() {
    const uint8_t byte = Byte();
    if (byte > 2) failed_ = true;
    return byte == 1 ? Type::kTrue : Type::kFalse;
  }
  uint8_t Byte() {
    const std::string_view byte = Take(1);
    return byte.empty() ? 0 : static_cast<uint8_t>(byte[0]);
  }
  std::string_view Take(uint64_t count) {
    if (count > text_.size()) {
      failed_ = true;
      text_ = {};
    }
    if (failed_) return {};
    const std::string_view taken = text_.substr(0, count);
    text_.remove_prefix(count);
    return taken;
  }
  uint64_t Varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const uint8_t byte = Byte();
      value |= uint64_t{byte & 0x7fu} << shift;
      if ((byte & 0x80) == 0) return value;
    }
    failed_ = true;
    return 0;
  }
  int64_t ZigZag() {
    const uint64_t value = Varint();
    return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
  }
  void Members(ThriftValue& value, int depth) {
    int64_t number = 0;
    while (!failed_) {
      const uint8_t head = Byte();
      if (head == 0) return;
      const int delta = head >> 4;
      number = delta == 0 ? ZigZag() : number + delta;
      if (number < INT16_MIN || number > INT16_MAX) failed_ = true;
      if (failed_) return;
      value.members.push_back({static_cast<int16_t>(number), Value(static_cast<Type>(head & 0x0f), depth + 1, false)});
    }
  }
  void Items(ThriftValue& value, int depth) {
    uint64_t count = 0;
    if (value.type == Type::kMap) {
      count = Varint();
      if (count == 0) return;
      const uint8_t types = Byte();
      value.key = static_cast<Type>(types >> 4);
      value.element = static_cast<Type>(types & 0x0f);
    } else {
      const uint8_t head = Byte();
      count = head >> 4;
      value.element = static_cast<Type>(head & 0x0f);
      if (count == 15) count = Varint();
    }
    for (uint64_t i = 0; i < count && !failed_; ++i) {
      if (value.type == Type::kMap) value.items.push_back(Value(value.key, depth + 1, true));
      value.items.push_back(Value(value.element, depth + 1, true));
    }
  }

  std::string_view text_;
  bool failed_ = false;
};

void AppendVarint(uint64_t value, std::string& out) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

void AppendZigZag(int64_t value, std::string& out) {
  AppendVarint(static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63), out);
}

char Nibbles(uint64_t high, Type low) {
  return static_cast<char>(high << 4 | static_cast<uint64_t>(low));
}

void AppendMembers(const ThriftValue& value, std::string& out) {
  int number = 0;
  for (const auto& [next, member] : value.members) {
    const int delta = next - number;
    if (delta > 0 && delta <= 15) {
      out += Nibbles(static_cast<uint64_t>(delta), member.type);
    } else {
      out += Nibbles(0, member.type);
      AppendZigZag(next, out);
    }
    number = next;
    AppendThrift(member, out);
  }
  out += '\0';
}

void AppendItems(const ThriftValue& value, std::string& out) {
  if (value.type == Type::kMap) {
    AppendVarint(value.items.size() / 2, out);
    if (!value.items.empty()) out += Nibbles(static_cast<uint64_t>(value.key), value.element);
  } else {
    out += Nibbles(std::min<uint64_t>(value.items.size(), 15), value.element);
    if (value.items.size() >= 15) AppendVarint(value.items.size(), out);
  }
  for (const auto& item : value.items) {
    if (item.type == Type::kTrue || item.type == Type::kFalse) out += static_cast<char>(item.type);
    AppendThrift(item, out);
  }
}

}  // namespace

ThriftValue* ThriftValue::Find(int16_t number) {
  const auto found = std::ranges::find(members, number, &Member::number);
  return found == members.end() ? nullptr : &found->value;
}

void ThriftValue::Remove(int16_t number) {
  std::erase_if(members, [&](const auto& member) { return member.number == number; });
}

base::Result<ThriftValue> ReadThrift(std::string_view text) {
  Reader reader(text);
  auto value = reader.Value(Type::kStruct, 0, false);
  if (!reader.failed()) return value;
  return base::Fail(base::Code::kDataLoss, "tables.parquet", "the index of the Parquet file is damaged");
}

void AppendThrift(const ThriftValue& value, std::string& out) {
  switch (value.type) {
    case Type::kStop:
    case Type::kTrue:
    case Type::kFalse:
      return;
    case Type::kByte:
      out += static_cast<char>(value.integer);
      return;
    case Type::kI16:
    case Type::kI32:
    case Type::kI64:
      return AppendZigZag(value.integer, out);
    case Type::kDouble:
      out += value.bytes;
      return;
    case Type::kBinary:
      AppendVarint(value.bytes.size(), out);
      out += value.bytes;
      return;
    case Type::kStruct:
      return AppendMembers(value, out);
    default:
      return AppendItems(value, out);
  }
}

}  // namespace slipway::tables
