#include "tables/duckdb/vector_reader.h"

#include <duckdb.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

namespace slipway::tables::duckdb {
namespace {

constexpr int64_t kMicrosPerSecond = 1'000'000;

std::string_view TextOf(const duckdb_string_t& text) {
  const uint32_t length = text.value.inlined.length;
  return {length <= sizeof(text.value.inlined.inlined) ? text.value.inlined.inlined : text.value.pointer.ptr, length};
}

std::string UuidText(uint64_t low, int64_t high) {
  const uint64_t top = static_cast<uint64_t>(high) ^ (uint64_t{1} << 63);  // stored flipped, so that it sorts
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", top >> 32, top >> 16 & 0xFFFF, top & 0xFFFF, low >> 48,
                     low & 0xFFFFFFFFFFFF);
}

struct SimpleType {
  int type;
  VectorKind kind;
  std::string_view words;  ///< for those that are of no use
};

constexpr SimpleType kSimpleTypes[] = {
    {DUCKDB_TYPE_BOOLEAN, VectorKind::kBoolean, ""},
    {DUCKDB_TYPE_TINYINT, VectorKind::kInt8, ""},
    {DUCKDB_TYPE_SMALLINT, VectorKind::kInt16, ""},
    {DUCKDB_TYPE_INTEGER, VectorKind::kInt32, ""},
    {DUCKDB_TYPE_BIGINT, VectorKind::kInt64, ""},
    {DUCKDB_TYPE_UTINYINT, VectorKind::kUint8, ""},
    {DUCKDB_TYPE_USMALLINT, VectorKind::kUint16, ""},
    {DUCKDB_TYPE_UINTEGER, VectorKind::kUint32, ""},
    {DUCKDB_TYPE_UBIGINT, VectorKind::kUint64, ""},
    {DUCKDB_TYPE_HUGEINT, VectorKind::kInt128, ""},
    {DUCKDB_TYPE_UHUGEINT, VectorKind::kUint128, ""},
    {DUCKDB_TYPE_FLOAT, VectorKind::kFloat, ""},
    {DUCKDB_TYPE_DOUBLE, VectorKind::kDouble, ""},
    {DUCKDB_TYPE_VARCHAR, VectorKind::kText, ""},
    {DUCKDB_TYPE_DATE, VectorKind::kDate, ""},
    {DUCKDB_TYPE_TIMESTAMP_S, VectorKind::kSeconds, ""},
    {DUCKDB_TYPE_TIMESTAMP_MS, VectorKind::kMilliseconds, ""},
    {DUCKDB_TYPE_TIMESTAMP, VectorKind::kMicroseconds, ""},
    {DUCKDB_TYPE_TIMESTAMP_NS, VectorKind::kNanoseconds, ""},
    {DUCKDB_TYPE_TIMESTAMP_TZ, VectorKind::kInstant, ""},
    {DUCKDB_TYPE_UUID, VectorKind::kUuid, ""},
    {DUCKDB_TYPE_BLOB, VectorKind::kUnusable, "bytes"},
    {DUCKDB_TYPE_BIT, VectorKind::kUnusable, "a bit string"},
    {DUCKDB_TYPE_TIME, VectorKind::kUnusable, "a time of day"},
    {DUCKDB_TYPE_TIME_TZ, VectorKind::kUnusable, "a time of day"},
    {DUCKDB_TYPE_TIME_NS, VectorKind::kUnusable, "a time of day"},
    {DUCKDB_TYPE_INTERVAL, VectorKind::kUnusable, "an interval"},
    {DUCKDB_TYPE_STRUCT, VectorKind::kUnusable, "an object"},
    {DUCKDB_TYPE_MAP, VectorKind::kUnusable, "an object"},
};

/// The type of a list's elements; destroyed with this object.
class ChildType {
 public:
  ChildType(const Library& library, duckdb_logical_type type) : library_(library), type_(type) {}
  ~ChildType() { SLIPWAY_DUCKDB(library_, duckdb_destroy_logical_type)(&type_); }
  ChildType(const ChildType&) = delete;
  duckdb_logical_type get() const { return type_; }

 private:
  const Library& library_;
  duckdb_logical_type type_;
};

}  // namespace

VectorReader::VectorReader(const Library& library, duckdb_logical_type type, int zone_minutes)
    : library_(library), words_("a value of an unknown type"), zone_minutes_(zone_minutes) {
  const auto id = static_cast<int>(SLIPWAY_DUCKDB(library, duckdb_get_type_id)(type));
  switch (id) {
    case DUCKDB_TYPE_DECIMAL:
      ReadDecimal(type);
      break;
    case DUCKDB_TYPE_ENUM:
      ReadEnum(type);
      break;
    case DUCKDB_TYPE_LIST:
    case DUCKDB_TYPE_ARRAY:
      ReadList(type, id == DUCKDB_TYPE_ARRAY);
      break;
    default:
      if (const auto* found = std::ranges::find(kSimpleTypes, id, &SimpleType::type); found != std::end(kSimpleTypes)) {
        kind_ = found->kind;
        words_ = found->words;
      }
  }
}

void VectorReader::ReadList(duckdb_logical_type type, bool is_array) {
  kind_ = is_array ? VectorKind::kArray : VectorKind::kList;
  const ChildType child(library_, is_array ? SLIPWAY_DUCKDB(library_, duckdb_array_type_child_type)(type)
                                           : SLIPWAY_DUCKDB(library_, duckdb_list_type_child_type)(type));
  if (is_array) array_size_ = static_cast<int64_t>(SLIPWAY_DUCKDB(library_, duckdb_array_type_array_size)(type));
  child_ = std::make_unique<VectorReader>(library_, child.get(), zone_minutes_);
}

VectorKind VectorReader::IntegerKindOf(int type) const {
  const auto* found = std::ranges::find(kSimpleTypes, type, &SimpleType::type);
  return found == std::end(kSimpleTypes) ? VectorKind::kUnusable : found->kind;
}

void VectorReader::ReadDecimal(duckdb_logical_type type) {
  is_decimal_ = true;
  scale_ = SLIPWAY_DUCKDB(library_, duckdb_decimal_scale)(type);
  kind_ = IntegerKindOf(static_cast<int>(SLIPWAY_DUCKDB(library_, duckdb_decimal_internal_type)(type)));
}

void VectorReader::ReadEnum(duckdb_logical_type type) {
  is_enum_ = true;
  kind_ = IntegerKindOf(static_cast<int>(SLIPWAY_DUCKDB(library_, duckdb_enum_internal_type)(type)));
  const uint32_t size = SLIPWAY_DUCKDB(library_, duckdb_enum_dictionary_size)(type);
  for (uint32_t i = 0; i < size; ++i) {
    char* text = SLIPWAY_DUCKDB(library_, duckdb_enum_dictionary_value)(type, i);
    dictionary_.emplace_back(text ? text : "");
    SLIPWAY_DUCKDB(library_, duckdb_free)(text);
  }
}

void VectorReader::Attach(duckdb_vector vector) {
  data_ = SLIPWAY_DUCKDB(library_, duckdb_vector_get_data)(vector);
  validity_ = SLIPWAY_DUCKDB(library_, duckdb_vector_get_validity)(vector);
  if (kind_ == VectorKind::kList) child_->Attach(SLIPWAY_DUCKDB(library_, duckdb_list_vector_get_child)(vector));
  if (kind_ == VectorKind::kArray) child_->Attach(SLIPWAY_DUCKDB(library_, duckdb_array_vector_get_child)(vector));
}

void VectorReader::Deliver(int64_t row, int field, data::RowBuilder& builder) const {
  if (kind_ != VectorKind::kList && kind_ != VectorKind::kArray)
    return DeliverValue(row, data::CellTarget{builder, field});
  if (!IsValid(row)) return builder.SetNull(field);
  data::NestedShape shape;
  builder.BeginTensor(field);
  DeliverElements(row, 0, shape, builder);
  shape.End(builder);
}

void VectorReader::DeliverElements(int64_t row, size_t level, data::NestedShape& shape,
                                   data::RowBuilder& builder) const {
  shape.BeginList(level);
  int64_t begin = row * array_size_;
  int64_t count = array_size_;
  if (kind_ == VectorKind::kList) {
    const auto& entry = At<duckdb_list_entry>(row);
    begin = static_cast<int64_t>(entry.offset);
    count = static_cast<int64_t>(entry.length);
  }
  const bool nested = child_->kind_ == VectorKind::kList || child_->kind_ == VectorKind::kArray;
  for (int64_t i = begin; i < begin + count; ++i) {
    if (nested && child_->IsValid(i)) {
      child_->DeliverElements(i, level + 1, shape, builder);
      continue;
    }
    shape.BeginElement(level);
    if (nested) {
      builder.ElementNull();
    } else {
      child_->DeliverValue(i, data::ElementTarget{builder});
    }
  }
  shape.EndList(level, count);
}

template <typename Target>
void VectorReader::DeliverValue(int64_t row, const Target& target) const {
  if (!IsValid(row)) return target.Null();
  switch (kind_) {
    case VectorKind::kBoolean:
      return target.Boolean(At<uint8_t>(row) != 0);
    case VectorKind::kInt8:
      return DeliverInteger(At<int8_t>(row), target);
    case VectorKind::kInt16:
      return DeliverInteger(At<int16_t>(row), target);
    case VectorKind::kInt32:
      return DeliverInteger(At<int32_t>(row), target);
    case VectorKind::kInt64:
      return DeliverInteger(At<int64_t>(row), target);
    case VectorKind::kUint8:
      return DeliverInteger(At<uint8_t>(row), target);
    case VectorKind::kUint16:
      return DeliverInteger(At<uint16_t>(row), target);
    case VectorKind::kUint32:
      return DeliverInteger(At<uint32_t>(row), target);
    case VectorKind::kUint64:
      return target.Unsigned(At<uint64_t>(row));
    case VectorKind::kInt128:
      return DeliverInteger128(At<Integer128>(row), true, target);
    case VectorKind::kUint128:
      return DeliverInteger128(At<Integer128>(row), false, target);
    case VectorKind::kFloat:
      return target.Number(static_cast<double>(At<float>(row)));
    case VectorKind::kDouble:
      return target.Number(At<double>(row));
    case VectorKind::kText:
      return target.Text(TextOf(At<duckdb_string_t>(row)));
    case VectorKind::kDate:
      return DeliverTime(int64_t{At<int32_t>(row)} * 86400, 1, true, target);
    case VectorKind::kSeconds:
      return DeliverTime(At<int64_t>(row), 1, true, target);
    case VectorKind::kMilliseconds:
      return DeliverTime(At<int64_t>(row), 1000, true, target);
    case VectorKind::kMicroseconds:
      return DeliverTime(At<int64_t>(row), kMicrosPerSecond, true, target);
    case VectorKind::kNanoseconds:
      return DeliverTime(At<int64_t>(row), 1'000'000'000, true, target);
    case VectorKind::kInstant:
      return DeliverTime(At<int64_t>(row), kMicrosPerSecond, false, target);
    case VectorKind::kUuid:
      return target.Text(UuidText(At<Integer128>(row).low, At<Integer128>(row).high));
    case VectorKind::kList:
    case VectorKind::kArray:
    case VectorKind::kUnusable:
      return target.Wrong(words_);
  }
}

/// An integer, a decimal's or an enum's stored number.
template <typename Target>
void VectorReader::DeliverInteger(int64_t value, const Target& target) const {
  if (is_decimal_ && scale_ > 0) return target.Number(data::DecimalNumber(value, scale_));
  if (!is_enum_) return target.Integer(value);
  if (static_cast<uint64_t>(value) < dictionary_.size()) return target.Text(dictionary_[static_cast<size_t>(value)]);
  target.Wrong("a value outside its enum");
}

template <typename Target>
void VectorReader::DeliverInteger128(Integer128 value, bool is_signed, const Target& target) const {
  const data::UnsignedWide bits = static_cast<data::UnsignedWide>(static_cast<uint64_t>(value.high)) << 64 | value.low;
  const auto number = static_cast<data::Wide>(bits);
  if (is_decimal_ && scale_ > 0) return target.Number(data::DecimalNumber(number, scale_));
  if (!is_signed && value.high != 0) return target.Number(static_cast<double>(bits));
  data::DeliverWide(number, target);
}

template <typename Target>
void VectorReader::DeliverTime(int64_t value, int64_t per_second, bool local, const Target& target) const {
  data::DeliverTime(value, per_second, local ? zone_minutes_ : 0, target);
}

bool VectorReader::AppendTo(const data::Field& field, int64_t first, int64_t count, data::Column& column) const {
  using data::ScalarType;
  if (!field.type.is_scalar() || is_decimal_ || is_enum_) return false;
  const ScalarType type = field.type.scalar;
  switch (kind_) {
    case VectorKind::kInt8:
      return AppendNumbers<int8_t>(first, count, column);
    case VectorKind::kInt16:
      return AppendNumbers<int16_t>(first, count, column);
    case VectorKind::kInt32:
      return AppendNumbers<int32_t>(first, count, column);
    case VectorKind::kInt64:
      return AppendNumbers<int64_t>(first, count, column);
    case VectorKind::kUint8:
      return AppendNumbers<uint8_t>(first, count, column);
    case VectorKind::kUint16:
      return AppendNumbers<uint16_t>(first, count, column);
    case VectorKind::kUint32:
      return AppendNumbers<uint32_t>(first, count, column);
    case VectorKind::kFloat:
      return type == ScalarType::kNumber && AppendNumbers<float>(first, count, column);
    case VectorKind::kDouble:
      return type == ScalarType::kNumber && AppendNumbers<double>(first, count, column);
    case VectorKind::kText:
      return type == ScalarType::kString && field.null_texts.empty() && AppendTexts(first, count, column);
    default:
      return false;
  }
}

template <typename Stored>
bool VectorReader::AppendNumbers(int64_t first, int64_t count, data::Column& column) const {
  if (!data::AppendNumbers(static_cast<const Stored*>(data_) + first, count, column)) return false;
  MarkNulls(first, count, column);
  return true;
}

bool VectorReader::AppendTexts(int64_t first, int64_t count, data::Column& column) const {
  size_t bytes = 0;
  for (int64_t row = first; row < first + count; ++row) {
    if (IsValid(row)) bytes += At<duckdb_string_t>(row).value.inlined.length;
  }
  if (!column.FitsString(bytes)) return false;
  for (int64_t row = first; row < first + count; ++row) {
    if (IsValid(row)) {
      column.AppendString(TextOf(At<duckdb_string_t>(row)));
    } else {
      column.AppendNull();
    }
  }
  return true;
}

/// Of the `count` rows last appended.
void VectorReader::MarkNulls(int64_t first, int64_t count, data::Column& column) const {
  if (validity_) data::MarkNulls(count, column, [&](int64_t i) { return IsValid(first + i); });
}

}  // namespace slipway::tables::duckdb
