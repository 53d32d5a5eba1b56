#include "tables/parquet/schema.h"

#include <array>
#include <optional>
#include <utility>

namespace slipway::tables::parquet {
namespace {

using Type = ThriftType;

constexpr int kDepth = 64;

/// One node of the schema's tree, which is written from the root down. What is said of how values are meant, by the
/// older kind of annotation and the newer, is kept as what it makes of the values; kOther: nothing that is read here.
struct SchemaElement {
  std::string_view name;
  int64_t type = -1, repetition = 0, children = 0;
  std::optional<ValueKind> converted, logical;
};

ValueKind IntegerOf(int bits, bool is_signed) {
  switch (bits) {
    case 8:
      return is_signed ? ValueKind::kInt8 : ValueKind::kUint8;
    case 16:
      return is_signed ? ValueKind::kInt16 : ValueKind::kUint16;
    case 32:
      return is_signed ? ValueKind::kInt32 : ValueKind::kUint32;
    case 64:
      return is_signed ? ValueKind::kInt64 : ValueKind::kUint64;
    default:
      return ValueKind::kOther;
  }
}

/// By ConvertedType. Its times say nothing of the zone: they are read with a logical type beside them only.
ValueKind KindOfConverted(int64_t converted) {
  constexpr int64_t kUtf8 = 0, kDate = 6, kMillis = 9, kMicros = 10, kUint8 = 11, kInt8 = 15;
  if (converted == kUtf8) return ValueKind::kText;
  if (converted == kDate) return ValueKind::kDate;
  if (converted == kMillis) return ValueKind::kMillis;
  if (converted == kMicros) return ValueKind::kMicros;
  if (converted >= kUint8 && converted < kUint8 + 4) return IntegerOf(8 << (converted - kUint8), false);
  if (converted >= kInt8 && converted < kInt8 + 4) return IntegerOf(8 << (converted - kInt8), true);
  return ValueKind::kOther;
}

ValueKind ReadInteger(ThriftReader& in) {
  int bits = 0;
  bool is_signed = false;
  in.Struct([&](const ThriftReader::Member& member) {
    if (member.number == 2) is_signed = member.type == Type::kTrue;
    if (member.number != 1 || member.type != Type::kByte) return false;
    bits = in.Byte();
    return true;
  });
  return IntegerOf(bits, is_signed);
}

ValueKind ReadTimestamp(ThriftReader& in) {
  constexpr int16_t kMillis = 1, kMicros = 2;
  bool is_utc = false;
  int16_t unit = 0;
  in.Struct([&](const ThriftReader::Member& member) {
    if (member.number == 1) is_utc = member.type == Type::kTrue;
    if (member.number != 2 || member.type != Type::kStruct) return false;
    in.Struct([&](const ThriftReader::Member& chosen) {
      unit = chosen.number;
      return false;
    });
    return true;
  });
  if (unit == kMillis) return is_utc ? ValueKind::kMillisUtc : ValueKind::kMillis;
  if (unit == kMicros) return is_utc ? ValueKind::kMicrosUtc : ValueKind::kMicros;
  return ValueKind::kOther;
}

/// By LogicalType.
ValueKind ReadLogical(ThriftReader& in) {
  constexpr int16_t kString = 1, kDate = 6, kTimestamp = 8, kInteger = 10;
  auto kind = ValueKind::kOther;
  in.Struct([&](const ThriftReader::Member& member) {
    if (member.type != Type::kStruct) return false;
    if (member.number == kString) kind = ValueKind::kText;
    if (member.number == kDate) kind = ValueKind::kDate;
    if (member.number == kTimestamp) return kind = ReadTimestamp(in), true;
    if (member.number == kInteger) return kind = ReadInteger(in), true;
    return false;
  });
  return kind;
}

SchemaElement ReadElement(ThriftReader& in) {
  SchemaElement element;
  in.Struct([&](const ThriftReader::Member& member) {
    if (member.type == Type::kBinary && member.number == 4) return element.name = in.Binary(), true;
    if (member.type == Type::kStruct && member.number == 10) return element.logical = ReadLogical(in), true;
    if (member.type != Type::kI32) return false;
    if (member.number == 1) return element.type = in.Integer(), true;
    if (member.number == 3) return element.repetition = in.Integer(), true;
    if (member.number == 5) return element.children = in.Integer(), true;
    if (member.number == 6) return element.converted = KindOfConverted(in.Integer()), true;
    return false;
  });
  return element;
}

struct PlainType {
  PhysicalType type;
  std::optional<ValueKind> annotated;
  ValueKind kind;
  std::string_view word;
};

constexpr std::array kPlainTypes = std::to_array<PlainType>({
    {PhysicalType::kBoolean, {}, ValueKind::kBoolean, "BOOLEAN"},
    {PhysicalType::kFloat, {}, ValueKind::kFloat, "FLOAT"},
    {PhysicalType::kDouble, {}, ValueKind::kDouble, "DOUBLE"},
    {PhysicalType::kInt32, {}, ValueKind::kInt32, "INTEGER"},
    {PhysicalType::kInt64, {}, ValueKind::kInt64, "BIGINT"},
    {PhysicalType::kInt32, ValueKind::kInt8, ValueKind::kInt8, "TINYINT"},
    {PhysicalType::kInt32, ValueKind::kInt16, ValueKind::kInt16, "SMALLINT"},
    {PhysicalType::kInt32, ValueKind::kInt32, ValueKind::kInt32, "INTEGER"},
    {PhysicalType::kInt64, ValueKind::kInt64, ValueKind::kInt64, "BIGINT"},
    {PhysicalType::kInt32, ValueKind::kUint8, ValueKind::kUint8, "UTINYINT"},
    {PhysicalType::kInt32, ValueKind::kUint16, ValueKind::kUint16, "USMALLINT"},
    {PhysicalType::kInt32, ValueKind::kUint32, ValueKind::kUint32, "UINTEGER"},
    {PhysicalType::kInt64, ValueKind::kUint64, ValueKind::kUint64, "UBIGINT"},
    {PhysicalType::kByteArray, ValueKind::kText, ValueKind::kText, "VARCHAR"},
    {PhysicalType::kInt32, ValueKind::kDate, ValueKind::kDate, "DATE"},
    {PhysicalType::kInt64, ValueKind::kMillis, ValueKind::kMillis, "TIMESTAMP"},
    {PhysicalType::kInt64, ValueKind::kMicros, ValueKind::kMicros, "TIMESTAMP"},
    {PhysicalType::kInt64, ValueKind::kMillisUtc, ValueKind::kMillisUtc, "TIMESTAMP WITH TIME ZONE"},
    {PhysicalType::kInt64, ValueKind::kMicrosUtc, ValueKind::kMicrosUtc, "TIMESTAMP WITH TIME ZONE"},
});

bool IsTime(ValueKind kind) {
  return kind == ValueKind::kMillis || kind == ValueKind::kMicros;
}

/// Whether the older annotation, which knows no zones, says the same as the newer.
bool Agree(ValueKind converted, ValueKind logical) {
  if (logical == ValueKind::kMillisUtc) return converted == ValueKind::kMillis;
  if (logical == ValueKind::kMicrosUtc) return converted == ValueKind::kMicros;
  return converted == logical;
}

void SetKind(const SchemaElement& element, IndexedColumn& column) {
  if (element.converted && element.logical && !Agree(*element.converted, *element.logical)) return;
  if (element.converted && !element.logical && IsTime(*element.converted)) return;
  const auto annotated = element.logical ? element.logical : element.converted;
  for (const PlainType& plain : kPlainTypes) {
    if (static_cast<int64_t>(plain.type) != element.type || plain.annotated != annotated) continue;
    column.type = plain.type;
    column.kind = plain.kind;
    column.stored_type = plain.word;
  }
}

/// Passes over what stands below an element; the number of leaves.
int CountLeaves(ThriftReader& in, const SchemaElement& element, uint64_t& left, int depth) {
  if (element.children <= 0) return 1;
  if (depth > kDepth) in.Fail();
  int leaves = 0;
  for (int64_t i = 0; i < element.children && !in.failed(); ++i) {
    if (left-- == 0) in.Fail();
    if (in.failed()) break;
    leaves += CountLeaves(in, ReadElement(in), left, depth + 1);
  }
  return leaves;
}

}  // namespace

std::vector<IndexedColumn> ReadSchema(ThriftReader& in, size_t most) {
  constexpr int64_t kOptional = 1, kRepeated = 2;
  std::vector<IndexedColumn> columns;
  uint64_t left = in.ListHead().count;
  if (left-- == 0) in.Fail();
  const SchemaElement root = ReadElement(in);
  int leaf = 0;
  for (int64_t i = 0; i < root.children && !in.failed(); ++i) {
    if (left-- == 0 || columns.size() == most) in.Fail();
    const SchemaElement element = ReadElement(in);
    IndexedColumn column{.name = std::string(element.name)};
    column.is_optional = element.repetition == kOptional;
    if (element.children <= 0 && element.repetition != kRepeated) SetKind(element, column);
    column.first_leaf = leaf;
    column.leaves = CountLeaves(in, element, left, 0);
    leaf += column.leaves;
    columns.push_back(std::move(column));
  }
  return columns;
}

}  // namespace slipway::tables::parquet
