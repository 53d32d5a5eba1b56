#include "tables/parquet/column_writer.h"

#include <snappy.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "tables/parquet/file_index.h"
#include "tables/parquet/hybrid_writer.h"
#include "tables/parquet/page_reader.h"

namespace slipway::tables::parquet {
namespace {

using data::ScalarType;
using Member = ThriftValue::Member;

constexpr size_t kMostNumbers = 1024, kMostTexts = 16384;  // of a dictionary
constexpr size_t kPageBytes = size_t{1} << 20;
constexpr size_t kMostBoundBytes = 64;

PhysicalType TypeOf(const data::OutputColumn& column) {
  switch (column.type.scalar) {
    case ScalarType::kBoolean:
      return PhysicalType::kBoolean;
    case ScalarType::kInteger:
    case ScalarType::kTimestamp:
      return PhysicalType::kInt64;
    case ScalarType::kNumber:
      return column.single_precision ? PhysicalType::kFloat : PhysicalType::kDouble;
    case ScalarType::kString:
      break;
  }
  return PhysicalType::kByteArray;
}

template <typename Number>
std::string_view BytesOf(const Number& number) {
  return {reinterpret_cast<const char*>(&number), sizeof number};
}

template <typename Number>
Number NumberOf(std::string_view bytes) {
  Number number;
  std::memcpy(&number, bytes.data(), sizeof number);
  return number;
}

ThriftValue I32Of(auto value) {
  return ThriftValue::I32(static_cast<int64_t>(value));
}

ThriftValue Truth(bool value) {
  ThriftValue truth;
  truth.type = value ? ThriftType::kTrue : ThriftType::kFalse;
  return truth;
}

void AppendCounted(std::string_view bytes, std::string& out) {
  out += BytesOf(static_cast<uint32_t>(bytes.size()));
  out += bytes;
}

/// Booleans of a byte each, as bits from the least of each byte up.
void AppendBits(std::string_view booleans, std::string& out) {
  const size_t begin = out.size();
  out.resize(begin + (booleans.size() + 7) / 8, '\0');
  for (size_t i = 0; i < booleans.size(); ++i) {
    out[begin + i / 8] = static_cast<char>(out[begin + i / 8] | (booleans[i] & 1) << (i % 8));
  }
}

/// As the format wants it of bounds, since readers compare zeros in different ways.
template <typename Number>
void WidenZeros(std::string& least, std::string& most) {
  if (NumberOf<Number>(least) == 0) least = BytesOf(-Number{0});
  if (NumberOf<Number>(most) == 0) most = BytesOf(Number{0});
}

}  // namespace

ColumnWriter::ColumnWriter(const data::OutputColumn& column) : column_(column), by_dictionary_(!is_boolean()) {}

ThriftValue ColumnWriter::SchemaElement() const {
  constexpr int kOptional = 1, kUtf8 = 0, kTimestampMicros = 10;
  std::vector<Member> members = {
      {1, I32Of(TypeOf(column_))}, {3, I32Of(kOptional)}, {4, ThriftValue::Text(column_.name)}};
  if (is_text()) {
    members.push_back({6, I32Of(kUtf8)});
    members.push_back({10, ThriftValue::Struct({{1, ThriftValue::Struct({})}})});
  } else if (column_.type.scalar == ScalarType::kTimestamp) {
    const auto micros = ThriftValue::Struct({{2, ThriftValue::Struct({})}});
    members.push_back({6, I32Of(kTimestampMicros)});
    members.push_back({10, ThriftValue::Struct({{8, ThriftValue::Struct({{1, Truth(true)}, {2, micros}})}})});
  }
  return ThriftValue::Struct(std::move(members));
}

void ColumnWriter::Append(const data::Column& column, RowRange rows) {
  const auto view = column.view();
  const int64_t label = std::max<int64_t>(0, column_.label);
  if (!by_dictionary_ && view.validity == nullptr && AppendNumbers(view, rows, label)) return;
  for (int64_t row = rows.first; row < rows.first + rows.count; ++row) {
    const bool is_value = view.IsValid(row);
    AppendLevel(is_value);
    if (is_value) AppendValue(view, row * view.width + label);
  }
}

void ColumnWriter::EndStep() {
  if (plain_.size() >= kPageBytes) EndPage();
}

/// The short way for plain numbers, none of which is null; false, with nothing appended, for others.
bool ColumnWriter::AppendNumbers(const data::ColumnView& view, RowRange rows, int64_t label) {
  const auto append = [&]<typename Stored, typename Value>(const Value* values, Stored /*as*/) {
    std::vector<Stored> numbers(static_cast<size_t>(rows.count));
    for (int64_t i = 0; i < rows.count; ++i) {
      numbers[static_cast<size_t>(i)] = static_cast<Stored>(values[(rows.first + i) * view.width + label]);
    }
    plain_.append(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(Stored));
    const auto [least, most] = std::ranges::minmax(numbers);
    if (std::ranges::any_of(numbers, [](Stored number) { return number != number; })) may_have_bounds_ = false;
    Widen(BytesOf(least));
    Widen(BytesOf(most));
  };
  if (rows.count == 0) return true;
  switch (TypeOf(column_)) {
    case PhysicalType::kInt64:
      append(view.integers(), int64_t{});
      break;
    case PhysicalType::kFloat:
      append(view.numbers(), float{});
      break;
    case PhysicalType::kDouble:
      append(view.numbers(), double{});
      break;
    default:
      return false;
  }
  page_rows_ += rows.count;
  if (!levels_.empty()) levels_.resize(levels_.size() + static_cast<size_t>(rows.count), 1);
  return true;
}

void ColumnWriter::AppendText(std::string_view text, int64_t rows) {
  for (int64_t row = 0; row < rows; ++row) AppendLevel(true);
  AppendBytes(text);
  if (by_dictionary_) {
    indices_.insert(indices_.end(), static_cast<size_t>(rows - 1), indices_.back());
  } else {
    for (int64_t row = 1; row < rows; ++row) AppendPlain(text);
  }
}

void ColumnWriter::AppendLevel(bool is_value) {
  if (!is_value && levels_.empty()) levels_.assign(static_cast<size_t>(page_rows_), 1);
  ++page_rows_;
  nulls_ += !is_value;
  if (!is_value || !levels_.empty()) levels_.push_back(is_value);
}

void ColumnWriter::AppendValue(const data::ColumnView& view, int64_t element) {
  switch (view.type) {
    case ScalarType::kBoolean:
      return AppendBytes(BytesOf(view.booleans()[element]));
    case ScalarType::kInteger:
    case ScalarType::kTimestamp:
      return AppendBytes(BytesOf(view.integers()[element]));
    case ScalarType::kNumber:
      if (!column_.single_precision) return AppendBytes(BytesOf(view.numbers()[element]));
      return AppendBytes(BytesOf(static_cast<float>(view.numbers()[element])));
    case ScalarType::kString:
      return AppendBytes(view.string(element));
  }
}

void ColumnWriter::AppendBytes(std::string_view value) {
  if (by_dictionary_) {
    const size_t before = dictionary_.size();
    if (const auto number = dictionary_.NumberOf(value, is_text() ? kMostTexts : kMostNumbers, kPageBytes)) {
      if (dictionary_.size() > before) Widen(value);
      indices_.push_back(*number);
      return;
    }
    LeaveDictionary();
  }
  AppendPlain(value);
  Widen(value);
}

void ColumnWriter::LeaveDictionary() {
  by_dictionary_ = false;
  for (const uint32_t index : indices_) AppendPlain(dictionary_.value(index));
  indices_.clear();
}

void ColumnWriter::AppendPlain(std::string_view value) {
  if (is_text()) {
    AppendCounted(value, plain_);
  } else {
    plain_ += value;
  }
}

std::string ColumnWriter::Levels() const {
  std::string levels;
  if (levels_.empty()) {
    AppendRepeated(1, page_rows_, 1, levels);
  } else {
    AppendHybrid<uint8_t>(levels_, 1, levels);
  }
  std::string counted;
  AppendCounted(levels, counted);
  return counted;
}

/// The values of a page that are no plain ones.
std::string ColumnWriter::Indices() const {
  const int width = BitsFor(static_cast<uint32_t>(std::max<size_t>(1, dictionary_.size()) - 1));
  std::string indices(1, static_cast<char>(width));
  AppendHybrid<uint32_t>(indices_, width, indices);
  return indices;
}

void ColumnWriter::EndPage() {
  if (page_rows_ == 0) return;
  std::string body = Levels();
  if (is_boolean()) {
    AppendBits(plain_, body);
  } else {
    body += by_dictionary_ ? Indices() : plain_;
  }
  const Encoding encoding = by_dictionary_ ? Encoding::kRleDictionary : Encoding::kPlain;
  AppendPage(
      {5, ThriftValue::Struct(
              {{1, I32Of(page_rows_)}, {2, I32Of(encoding)}, {3, I32Of(Encoding::kRle)}, {4, I32Of(Encoding::kRle)}})},
      PageHead::Kind::kData, body);
  rows_ += std::exchange(page_rows_, 0);
  levels_.clear();
  indices_.clear();
  plain_.clear();
}

void ColumnWriter::AppendPage(Member head, PageHead::Kind kind, std::string_view body) {
  std::string packed;
  packed.resize(snappy::MaxCompressedLength(body.size()));
  size_t size = 0;
  snappy::RawCompress(body.data(), body.size(), packed.data(), &size);
  const size_t before = pages_.size();
  AppendThrift(ThriftValue::Struct({{1, I32Of(kind)}, {2, I32Of(body.size())}, {3, I32Of(size)}, std::move(head)}),
               pages_);
  unpacked_bytes_ += std::ssize(pages_) - static_cast<int64_t>(before) + std::ssize(body);
  pages_.append(packed, 0, size);
}

int64_t ColumnWriter::held_bytes() const {
  const size_t bytes =
      pages_.size() + plain_.size() + dictionary_.bytes() + indices_.size() * sizeof(uint32_t) + levels_.size();
  return static_cast<int64_t>(bytes);
}

WrittenChunk ColumnWriter::Finish(int64_t at) {
  by_dictionary_ &= dictionary_.size() > 0;  // there may be nulls alone
  std::string dictionary_page;
  if (by_dictionary_) {
    std::string values;
    for (uint32_t i = 0; i < dictionary_.size(); ++i) {
      if (is_text()) {
        AppendCounted(dictionary_.value(i), values);
      } else {
        values += dictionary_.value(i);
      }
    }
    AppendPage({7, ThriftValue::Struct({{1, I32Of(dictionary_.size())}, {2, I32Of(Encoding::kPlain)}})},
               PageHead::Kind::kDictionary, values);
    std::swap(dictionary_page, pages_);
  }
  EndPage();
  const auto dictionary_bytes = std::ssize(dictionary_page);
  WrittenChunk chunk{.bytes = std::move(dictionary_page), .meta_data = {}, .unpacked_bytes = unpacked_bytes_};
  chunk.bytes += pages_;
  std::vector<ThriftValue> encodings = {I32Of(Encoding::kPlain), I32Of(Encoding::kRle)};
  if (by_dictionary_) encodings.push_back(I32Of(Encoding::kRleDictionary));
  std::vector<Member> members = {{1, I32Of(TypeOf(column_))},
                                 {2, ThriftValue::List(ThriftType::kI32, std::move(encodings))},
                                 {3, ThriftValue::List(ThriftType::kBinary, {ThriftValue::Text(column_.name)})},
                                 {4, I32Of(Codec::kSnappy)},
                                 {5, ThriftValue::I64(rows_)},
                                 {6, ThriftValue::I64(unpacked_bytes_)},
                                 {7, ThriftValue::I64(std::ssize(chunk.bytes))},
                                 {9, ThriftValue::I64(at + dictionary_bytes)}};
  if (by_dictionary_) members.push_back({11, ThriftValue::I64(at)});
  members.push_back({12, Statistics()});
  chunk.meta_data = ThriftValue::Struct(std::move(members));
  *this = ColumnWriter(column_);
  return chunk;
}

/// The least and the greatest value, as Parquet orders them.
void ColumnWriter::Widen(std::string_view value) {
  if (!may_have_bounds_) return;
  const auto less = [&](std::string_view a, std::string_view b) {
    switch (TypeOf(column_)) {
      case PhysicalType::kInt64:
        return NumberOf<int64_t>(a) < NumberOf<int64_t>(b);
      case PhysicalType::kFloat:
        return NumberOf<float>(a) < NumberOf<float>(b);
      case PhysicalType::kDouble:
        return NumberOf<double>(a) < NumberOf<double>(b);
      default:
        return a < b;
    }
  };
  const bool is_nan =
      column_.type.scalar == ScalarType::kNumber &&
      (column_.single_precision ? std::isnan(NumberOf<float>(value)) : std::isnan(NumberOf<double>(value)));
  if (is_nan || value.size() > kMostBoundBytes) {
    may_have_bounds_ = false;
    return;
  }
  if (!has_bounds_ || less(value, least_)) least_ = value;
  if (!has_bounds_ || less(most_, value)) most_ = value;
  has_bounds_ = true;
}

ThriftValue ColumnWriter::Statistics() const {
  std::vector<Member> members = {{3, ThriftValue::I64(nulls_)}};
  if (has_bounds_ && may_have_bounds_) {
    std::string least = least_, most = most_;
    if (TypeOf(column_) == PhysicalType::kFloat) WidenZeros<float>(least, most);
    if (TypeOf(column_) == PhysicalType::kDouble) WidenZeros<double>(least, most);
    members.push_back({5, ThriftValue::Text(most)});
    members.push_back({6, ThriftValue::Text(least)});
  }
  return ThriftValue::Struct(std::move(members));
}

}  // namespace slipway::tables::parquet
