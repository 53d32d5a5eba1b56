#include "embed/column_reader.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/text.h"
#include "scoring/half.h"

namespace slipway::embed {
namespace {

/// The inline part of a text view holds this many bytes; a longer one names a buffer and a place in it.
constexpr int32_t kInlineBytes = 12;

/// `text` inline; of a longer one its first bytes, then the buffer and the place.
struct TextView {
  int32_t size;
  char text[kInlineBytes];

  int32_t buffer() const { return NumberAt(4); }
  int32_t begin() const { return NumberAt(8); }

 private:
  int32_t NumberAt(size_t at) const {
    int32_t number = 0;
    std::memcpy(&number, text + at, sizeof(number));
    return number;
  }
};
static_assert(sizeof(TextView) == 16);

bool IsText(ArrowKind kind) {
  return kind == ArrowKind::kText || kind == ArrowKind::kLargeText || kind == ArrowKind::kTextView;
}

}  // namespace

std::pair<int64_t, int64_t> ColumnReader::RangeOf(int64_t row) const {
  switch (type_.kind) {
    case ArrowKind::kText:
    case ArrowKind::kList:
      return {Values<int32_t>()[row], Values<int32_t>()[row + 1]};
    case ArrowKind::kLargeText:
    case ArrowKind::kLargeList:
      return {Values<int64_t>()[row], Values<int64_t>()[row + 1]};
    default:
      return {(offset_ + row) * type_.size, (offset_ + row + 1) * type_.size};
  }
}

bool ColumnReader::TextOf(int64_t row, std::string_view& text) const {
  if (dictionary_) {
    const int64_t index = IndexOf(row);
    return index >= 0 && index < dictionary_->rows_ && dictionary_->TextOf(index, text);
  }
  if (type_.kind != ArrowKind::kTextView) {
    const auto [begin, end] = RangeOf(row);
    text = {bytes_ + begin, static_cast<size_t>(end - begin)};
    return true;
  }
  const TextView& view = Values<TextView>()[row];
  if (view.size < 0) return false;
  text = {view.text, static_cast<size_t>(view.size)};
  if (view.size <= kInlineBytes) return true;
  const int32_t buffer = view.buffer(), begin = view.begin();
  if (buffer < 0 || buffer >= view_count_ || begin < 0 || int64_t{begin} + view.size > view_sizes_[buffer] ||
      view_buffers_[buffer] == nullptr) {
    return false;
  }
  text = {static_cast<const char*>(view_buffers_[buffer]) + begin, static_cast<size_t>(view.size)};
  return true;
}

int64_t ColumnReader::IndexOf(int64_t row) const {
  switch (type_.kind) {
    case ArrowKind::kInt8:
      return Values<int8_t>()[row];
    case ArrowKind::kInt16:
      return Values<int16_t>()[row];
    case ArrowKind::kInt32:
      return Values<int32_t>()[row];
    case ArrowKind::kUint8:
      return Values<uint8_t>()[row];
    case ArrowKind::kUint16:
      return Values<uint16_t>()[row];
    case ArrowKind::kUint32:
      return Values<uint32_t>()[row];
    default:  // of 64 bits; what is past the signed ones is negative, and of no use
      return Values<int64_t>()[row];
  }
}

void ColumnReader::Deliver(int64_t row, int field, data::RowBuilder& builder) const {
  if (!type_.is_list()) return DeliverValue(row, data::CellTarget{builder, field});
  if (!IsValid(row)) return builder.SetNull(field);
  data::NestedShape shape;
  builder.BeginTensor(field);
  DeliverElements(row, 0, shape, builder);
  shape.End(builder);
}

void ColumnReader::DeliverElements(int64_t row, size_t level, data::NestedShape& shape,
                                   data::RowBuilder& builder) const {
  shape.BeginList(level);
  const auto [begin, end] = RangeOf(row);
  const bool nested = child_->type_.is_list();
  for (int64_t i = begin; i < end; ++i) {
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
  shape.EndList(level, end - begin);
}

template <typename Target>
void ColumnReader::DeliverValue(int64_t row, const Target& target) const {
  if (!IsValid(row)) return target.Null();
  if (dictionary_) {
    const int64_t index = IndexOf(row);
    if (index < 0 || index >= dictionary_->rows_) return target.Wrong("a value outside its dictionary");
    return dictionary_->DeliverValue(index, target);
  }
  switch (type_.kind) {
    case ArrowKind::kNull:
      return target.Null();
    case ArrowKind::kBoolean: {
      const int64_t bit = offset_ + row;
      return target.Boolean(static_cast<const uint8_t*>(values_)[bit >> 3] >> (bit & 7) & 1);
    }
    case ArrowKind::kInt8:
    case ArrowKind::kInt16:
    case ArrowKind::kInt32:
    case ArrowKind::kInt64:
    case ArrowKind::kUint8:
    case ArrowKind::kUint16:
    case ArrowKind::kUint32:
      return target.Integer(IndexOf(row));
    case ArrowKind::kUint64:
      return target.Unsigned(Values<uint64_t>()[row]);
    case ArrowKind::kHalf:
      return target.Number(static_cast<double>(scoring::HalfToFloat(Values<uint16_t>()[row])));
    case ArrowKind::kFloat:
      return target.Number(static_cast<double>(Values<float>()[row]));
    case ArrowKind::kDouble:
      return target.Number(Values<double>()[row]);
    case ArrowKind::kText:
    case ArrowKind::kLargeText:
    case ArrowKind::kTextView: {
      std::string_view text;
      return TextOf(row, text) ? target.Text(text) : target.Wrong("a text outside its buffers");
    }
    case ArrowKind::kDecimal:
      return DeliverDecimal(row, target);
    case ArrowKind::kDate:
      return data::DeliverTime(int64_t{Values<int32_t>()[row]} * 86400, 1, zone_minutes_, target);
    case ArrowKind::kTime:
      return data::DeliverTime(Values<int64_t>()[row], type_.per_second, type_.has_zone ? 0 : zone_minutes_, target);
    case ArrowKind::kList:
    case ArrowKind::kLargeList:
    case ArrowKind::kFixedSizeList:
    case ArrowKind::kUnusable:
      return target.Wrong(type_.name);
  }
}

template <typename Target>
void ColumnReader::DeliverDecimal(int64_t row, const Target& target) const {
  data::Wide value = 0;
  if (type_.bytes == 4) {
    value = Values<int32_t>()[row];
  } else if (type_.bytes == 8) {
    value = Values<int64_t>()[row];
  } else {
    std::memcpy(&value, Values<std::array<char, sizeof(value)>>() + row, sizeof(value));  // it may lie at any address
  }
  if (type_.scale == 0) return data::DeliverWide(value, target);
  target.Number(data::DecimalNumber(value, type_.scale));
}

bool ColumnReader::AppendTo(const data::Field& field, int64_t first, int64_t count, data::Column& column) const {
  using data::ScalarType;
  if (!field.type.is_scalar()) return false;
  const ScalarType type = field.type.scalar;
  const bool text = type == ScalarType::kString && field.null_texts.empty();
  if (dictionary_) return text && IsText(dictionary_->type_.kind) && AppendTexts(first, count, column);
  switch (type_.kind) {
    case ArrowKind::kBoolean:
      return type == ScalarType::kBoolean && AppendBooleans(first, count, column);
    case ArrowKind::kInt8:
      return AppendNumbers<int8_t>(first, count, column);
    case ArrowKind::kInt16:
      return AppendNumbers<int16_t>(first, count, column);
    case ArrowKind::kInt32:
      return AppendNumbers<int32_t>(first, count, column);
    case ArrowKind::kInt64:
      return AppendNumbers<int64_t>(first, count, column);
    case ArrowKind::kUint8:
      return AppendNumbers<uint8_t>(first, count, column);
    case ArrowKind::kUint16:
      return AppendNumbers<uint16_t>(first, count, column);
    case ArrowKind::kUint32:
      return AppendNumbers<uint32_t>(first, count, column);
    case ArrowKind::kFloat:
      return type == ScalarType::kNumber && AppendNumbers<float>(first, count, column);
    case ArrowKind::kDouble:
      return type == ScalarType::kNumber && AppendNumbers<double>(first, count, column);
    case ArrowKind::kText:
    case ArrowKind::kLargeText:
    case ArrowKind::kTextView:
      return text && AppendTexts(first, count, column);
    default:
      return false;
  }
}

template <typename Stored>
bool ColumnReader::AppendNumbers(int64_t first, int64_t count, data::Column& column) const {
  if (!data::AppendNumbers(Values<Stored>() + first, count, column)) return false;
  MarkNulls(first, count, column);
  return true;
}

bool ColumnReader::AppendBooleans(int64_t first, int64_t count, data::Column& column) const {
  const auto* bits = static_cast<const uint8_t*>(values_);
  const int64_t begin = column.rows();
  uint8_t* to = column.ResizeBooleans(begin + count) + begin;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t bit = offset_ + first + i;
    to[i] = bits[bit >> 3] >> (bit & 7) & 1;
  }
  MarkNulls(first, count, column);
  return true;
}

bool ColumnReader::AppendTexts(int64_t first, int64_t count, data::Column& column) const {
  size_t bytes = 0;
  std::string_view text;
  for (int64_t row = first; row < first + count; ++row) {
    if (!IsValid(row)) continue;
    const bool null_entry = dictionary_ && dictionary_->validity_ != nullptr;
    if (null_entry || !TextOf(row, text) || !base::IsValidUtf8(text)) return false;
    bytes += text.size();
  }
  if (!column.FitsString(bytes)) return false;
  for (int64_t row = first; row < first + count; ++row) {
    if (IsValid(row) && TextOf(row, text)) {
      column.AppendString(text);
    } else {
      column.AppendNull();
    }
  }
  return true;
}

/// Of the `count` rows last appended.
void ColumnReader::MarkNulls(int64_t first, int64_t count, data::Column& column) const {
  if (validity_) data::MarkNulls(count, column, [&](int64_t i) { return IsValid(first + i); });
}

int64_t ColumnReader::BytesOf(int64_t first, int64_t count) const {
  constexpr int64_t kValueBytes = 8;
  if (count == 0) return 0;
  int64_t bytes = count * kValueBytes;
  if (child_) {
    const int64_t begin = RangeOf(first).first;
    return bytes + child_->BytesOf(begin, RangeOf(first + count - 1).second - begin);
  }
  if (type_.kind == ArrowKind::kTextView) {
    for (int64_t row = first; row < first + count; ++row) bytes += std::max(Values<TextView>()[row].size, 0);
  } else if (type_.kind == ArrowKind::kText || type_.kind == ArrowKind::kLargeText) {
    bytes += RangeOf(first + count - 1).second - RangeOf(first).first;
  }
  return bytes;
}

}  // namespace slipway::embed
