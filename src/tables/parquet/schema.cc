#include "tables/parquet/schema.h"

#include <array>
#include <utility>

namespace slipway::tables::parquet {
namespace {

using Type = ThriftType;

constexpr int kDepth = 64;

/// What says how the stored values are meant.
enum class Annotation : uint8_t {
  kNone,
  kText,
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kUint8,
  kUint16,
  kUint32,
  kUint64,
  kOther
};

/// One node of the schema's tree, which is written from the root down.
struct SchemaElement {
  std::string_view name;
  int64_t type = -1, repetition = 0, children = 0;
  Annotation converted = Annotation::kNone, logical = Annotation::kNone;  ///< the older kind, and the newer
};

Annotation OfConverted(int64_t converted) {
  constexpr int64_t kUtf8 = 0, kUint8 = 11, kInt8 = 15;
  if (converted == kUtf8) return Annotation::kText;
  constexpr std::array kUnsigned = {Annotation::kUint8, Annotation::kUint16, Annotation::kUint32, Annotation::kUint64};
  constexpr std::array kSigned = {Annotation::kInt8, Annotation::kInt16, Annotation::kInt32, Annotation::kInt64};
  if (converted >= kUint8 && converted < kUint8 + 4) return kUnsigned[static_cast<size_t>(converted - kUint8)];
  if (converted >= kInt8 && converted < kInt8 + 4) return kSigned[static_cast<size_t>(converted - kInt8)];
  return Annotation::kOther;
}

Annotation ReadInteger(ThriftReader& in) {
  int bits = 0;
  bool is_signed = false;
  in.Struct([&](const ThriftReader::Member& member) {
    if (member.number == 2) is_signed = member.type == Type::kTrue;
    if (member.number != 1 || member.type != Type::kByte) return false;
    bits = in.Byte();
    return true;
  });
  switch (bits) {
    case 8:
      return is_signed ? Annotation::kInt8 : Annotation::kUint8;
    case 16:
      return is_signed ? Annotation::kInt16 : Annotation::kUint16;
    case 32:
      return is_signed ? Annotation::kInt32 : Annotation::kUint32;
    case 64:
      return is_signed ? Annotation::kInt64 : Annotation::kUint64;
    default:
      return Annotation::kOther;
  }
}

Annotation ReadLogical(ThriftReader& in) {
  constexpr int16_t kString = 1, kInteger = 10;
  auto annotation = Annotation::kOther;
  in.Struct([&](const ThriftReader::Member& member) {
    if (member.number == kString) annotation = Annotation::kText;
    if (member.number != kInteger || member.type != Type::kStruct) return false;
    annotation = ReadInteger(in);
    return true;
  });
  return annotation;
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
    if (member.number == 6) return element.converted = OfConverted(in.Integer()), true;
    return false;
  });
  return element;
}

struct Word {
  PhysicalType type;
  Annotation annotation;
  std::string_view word;
};

constexpr std::array kWords = std::to_array<Word>({
    {PhysicalType::kBoolean, Annotation::kNone, "BOOLEAN"},
    {PhysicalType::kFloat, Annotation::kNone, "FLOAT"},
    {PhysicalType::kDouble, Annotation::kNone, "DOUBLE"},
    {PhysicalType::kInt32, Annotation::kNone, "INTEGER"},
    {PhysicalType::kInt64, Annotation::kNone, "BIGINT"},
    {PhysicalType::kInt32, Annotation::kInt8, "TINYINT"},
    {PhysicalType::kInt32, Annotation::kInt16, "SMALLINT"},
    {PhysicalType::kInt32, Annotation::kInt32, "INTEGER"},
    {PhysicalType::kInt64, Annotation::kInt64, "BIGINT"},
    {PhysicalType::kInt32, Annotation::kUint8, "UTINYINT"},
    {PhysicalType::kInt32, Annotation::kUint16, "USMALLINT"},
    {PhysicalType::kInt32, Annotation::kUint32, "UINTEGER"},
    {PhysicalType::kInt64, Annotation::kUint64, "UBIGINT"},
    {PhysicalType::kByteArray, Annotation::kText, "VARCHAR"},
});

/// Empty where the two annotations differ, too.
std::string_view WordOf(PhysicalType type, const SchemaElement& element) {
  const bool has_both = element.converted != Annotation::kNone && element.logical != Annotation::kNone;
  if (has_both && element.converted != element.logical) return {};
  const Annotation annotation = element.logical == Annotation::kNone ? element.converted : element.logical;
  for (const Word& word : kWords) {
    if (word.type == type && word.annotation == annotation) return word.word;
  }
  return {};
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
    column.is_flat = element.children <= 0 && element.repetition != kRepeated && element.type >= 0 && element.type <= 7;
    column.is_optional = element.repetition == kOptional;
    if (column.is_flat) {
      column.type = static_cast<PhysicalType>(element.type);
      column.stored_type = WordOf(column.type, element);
    }
    column.first_leaf = leaf;
    column.leaves = CountLeaves(in, element, left, 0);
    leaf += column.leaves;
    columns.push_back(std::move(column));
  }
  return columns;
}

}  // namespace slipway::tables::parquet
