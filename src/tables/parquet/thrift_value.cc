#include "tables/parquet/thrift_value.h"

#include <algorithm>
#include <utility>

namespace slipway::tables::parquet {
void AppendVarint(uint64_t value, std::string& out) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

namespace {

using Type = ThriftType;

constexpr int kDepth = 32;

ThriftValue ReadValue(ThriftReader& reader, Type type, int depth, bool in_list);

void ReadItems(ThriftReader& reader, ThriftValue& value, int depth) {
  const bool is_map = value.type == Type::kMap;
  const auto items = is_map ? reader.MapHead() : reader.ListHead();
  value.key = items.key;
  value.element = items.element;
  for (uint64_t i = 0; i < items.count && !reader.failed(); ++i) {
    if (is_map) value.items.push_back(ReadValue(reader, items.key, depth + 1, true));
    value.items.push_back(ReadValue(reader, items.element, depth + 1, true));
  }
}

ThriftValue ReadValue(ThriftReader& reader, Type type, int depth, bool in_list) {
  ThriftValue value;
  value.type = type;
  if (depth > kDepth || type == Type::kStop || type > Type::kStruct) reader.Fail();
  if (reader.failed()) return value;
  switch (type) {
    case Type::kTrue:
    case Type::kFalse:
      if (in_list) value.type = reader.Truth();
      break;
    case Type::kByte:
      value.integer = reader.Byte();
      break;
    case Type::kI16:
    case Type::kI32:
    case Type::kI64:
      value.integer = reader.Integer();
      break;
    case Type::kDouble:
      value.bytes = reader.Double();
      break;
    case Type::kBinary:
      value.bytes = reader.Binary();
      break;
    case Type::kStruct:
      reader.Struct([&](const ThriftReader::Member& member) {
        value.members.push_back({member.number, ReadValue(reader, member.type, depth + 1, false)});
        return true;
      });
      break;
    default:
      ReadItems(reader, value, depth);
      break;
  }
  return value;
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

ThriftValue ThriftValue::Integer(Type type, int64_t value) {
  ThriftValue made;
  made.type = type;
  made.integer = value;
  return made;
}

ThriftValue ThriftValue::I32(int64_t value) {
  return Integer(Type::kI32, value);
}

ThriftValue ThriftValue::I64(int64_t value) {
  return Integer(Type::kI64, value);
}

ThriftValue ThriftValue::Text(std::string_view text) {
  ThriftValue made;
  made.type = Type::kBinary;
  made.bytes = text;
  return made;
}

ThriftValue ThriftValue::List(Type element, std::vector<ThriftValue> items) {
  ThriftValue made;
  made.type = Type::kList;
  made.element = element;
  made.items = std::move(items);
  return made;
}

ThriftValue ThriftValue::Struct(std::vector<Member> members) {
  ThriftValue made;
  made.type = Type::kStruct;
  made.members = std::move(members);
  return made;
}

ThriftValue* ThriftValue::Find(int16_t number) {
  const auto found = std::ranges::find(members, number, &Member::number);
  return found == members.end() ? nullptr : &found->value;
}

void ThriftValue::Remove(int16_t number) {
  std::erase_if(members, [&](const auto& member) { return member.number == number; });
}

base::Result<ThriftValue> ReadThrift(std::string_view text) {
  ThriftReader reader(text);
  auto value = ReadValue(reader, Type::kStruct, 0, false);
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

}  // namespace slipway::tables::parquet
