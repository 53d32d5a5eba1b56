#include "data/column.h"

#include <algorithm>

namespace slipway::data {
namespace {

// The bits of a word that stand for rows before `rows`, which lies in that word.
constexpr uint64_t BitsBefore(int64_t rows) {
  return (uint64_t{1} << (rows & 63)) - 1;
}

}  // namespace

Column::Column(DataType type) : type_(std::move(type)), is_scalar_(type_.is_scalar()) {
  width_ = type_.is_variable() ? -1 : type_.elements();
  if (type_.scalar == ScalarType::kString) offsets_.push_back(0);
  if (width_ < 0) row_offsets_.push_back(0);
}

void Column::Clear() {
  rows_ = 0;
  validity_.clear();
  if (type_.scalar == ScalarType::kNumber) {
    numbers_.clear();
  } else {
    ResizeElements(0);
  }
  if (width_ < 0) {
    row_offsets_.resize(1);
    row_shapes_.clear();
  }
}

void Column::Reserve(int64_t rows) {
  const auto elements = static_cast<size_t>(rows * std::max<int64_t>(width_, 1));
  switch (type_.scalar) {
    case ScalarType::kBoolean:
      flags_.reserve(elements);
      break;
    case ScalarType::kInteger:
    case ScalarType::kTimestamp:
      integers_.reserve(elements);
      break;
    case ScalarType::kNumber:
      numbers_.reserve(elements);
      break;
    case ScalarType::kString:
      offsets_.reserve(elements + 1);
      break;
  }
}

void Column::Truncate(int64_t rows) {
  ResizeElements(first_element(rows));
  rows_ = rows;
  if (!validity_.empty()) {
    validity_.resize(static_cast<size_t>(rows >> 6) + 1);
    validity_.back() &= BitsBefore(rows);
  }
  if (width_ < 0) {
    row_offsets_.resize(static_cast<size_t>(rows) + 1);
    row_shapes_.resize(static_cast<size_t>(rows) * type_.shape.size());
  }
}

void Column::AppendNull() {
  EnsureValidity();
  if (width_ < 0) {
    row_offsets_.push_back(row_offsets_.back());
    row_shapes_.insert(row_shapes_.end(), type_.shape.size(), 0);
  } else {
    ResizeElements((rows_ + 1) * width_);
  }
  ++rows_;
  MarkLast(false);
}

void Column::PushString(std::string_view value) {
  if (FitsString(value.size())) bytes_.append(value);
  offsets_.push_back(static_cast<int32_t>(bytes_.size()));
}

int64_t Column::pending() const {
  return element_count() - first_element(rows_);
}

void Column::DiscardPending() {
  ResizeElements(first_element(rows_));
}

void Column::CloseRow(const int64_t* shape) {
  if (width_ < 0) {
    row_offsets_.push_back(element_count());
    row_shapes_.insert(row_shapes_.end(), shape, shape + type_.shape.size());
  }
  CloseValid();
}

void Column::SetBoolean(int64_t row, bool value) {
  flags_[static_cast<size_t>(row)] = value;
  SetValid(row);
}

void Column::SetInteger(int64_t row, int64_t value) {
  integers_[static_cast<size_t>(row)] = value;
  SetValid(row);
}

void Column::SetNumber(int64_t row, double value) {
  numbers_[static_cast<size_t>(row)] = value;
  SetValid(row);
}

void Column::SetString(int64_t row, std::string_view value) {
  const auto index = static_cast<size_t>(row);
  const auto begin = static_cast<size_t>(offsets_[index]);
  const auto size = static_cast<size_t>(offsets_[index + 1]) - begin;
  if (value.size() > size && !FitsString(value.size() - size)) value = {};
  bytes_.replace(begin, size, value);
  const auto shift = static_cast<int32_t>(static_cast<int64_t>(value.size()) - static_cast<int64_t>(size));
  if (shift != 0) {
    for (size_t i = index + 1; i < offsets_.size(); ++i) offsets_[i] += shift;
  }
  SetValid(row);
}

void Column::SetNull(int64_t row) {
  EnsureValidity();
  const int64_t begin = first_element(row);
  const int64_t end = first_element(row + 1);
  const auto count = static_cast<size_t>(end - begin);
  // A fixed row keeps its place with zeros, a variable one gives it up.
  const auto reset = [&](auto& values) {
    const auto first = values.begin() + begin;
    if (width_ < 0) {
      values.erase(first, first + static_cast<int64_t>(count));
    } else {
      std::fill_n(first, count, 0);
    }
  };
  if (type_.scalar == ScalarType::kBoolean) reset(flags_);
  if (type_.scalar == ScalarType::kNumber) reset(numbers_);
  if (type_.scalar == ScalarType::kInteger || type_.scalar == ScalarType::kTimestamp) reset(integers_);
  if (type_.scalar == ScalarType::kString) {
    const int32_t from = offsets_[static_cast<size_t>(begin)];
    const int32_t removed = offsets_[static_cast<size_t>(end)] - from;
    bytes_.erase(static_cast<size_t>(from), static_cast<size_t>(removed));
    for (auto at = offsets_.begin() + begin + 1; at != offsets_.end(); ++at) *at = std::max(*at - removed, from);
    if (width_ < 0) offsets_.erase(offsets_.begin() + begin, offsets_.begin() + end);
  }
  if (width_ < 0) {
    for (auto at = row_offsets_.begin() + row + 1; at != row_offsets_.end(); ++at) *at -= end - begin;
    const auto rank = type_.shape.size();
    std::fill_n(row_shapes_.begin() + static_cast<int64_t>(static_cast<size_t>(row) * rank), rank, 0);
  }
  validity_[static_cast<size_t>(row >> 6)] &= ~(uint64_t{1} << (row & 63));
}

void Column::SetValid(int64_t row) {
  if (!validity_.empty()) validity_[static_cast<size_t>(row >> 6)] |= uint64_t{1} << (row & 63);
}

void Column::AppendFrom(const Column& from, int64_t row) {
  if (!from.IsValid(row)) {
    AppendNull();
    return;
  }
  const int64_t begin = from.first_element(row);
  const int64_t end = from.first_element(row + 1);
  const auto copy = [&](const auto& source, auto& target) {
    target.insert(target.end(), source.begin() + begin, source.begin() + end);
  };
  switch (type_.scalar) {
    case ScalarType::kBoolean:
      copy(from.flags_, flags_);
      break;
    case ScalarType::kInteger:
    case ScalarType::kTimestamp:
      copy(from.integers_, integers_);
      break;
    case ScalarType::kNumber:
      copy(from.numbers_, numbers_);
      break;
    case ScalarType::kString:
      for (int64_t element = begin; element < end; ++element) PushString(from.string(element));
      break;
  }
  CloseRow(from.row_shapes_.data() + (width_ < 0 ? static_cast<size_t>(row) * type_.shape.size() : 0));
}

double* Column::ResizeNumbers(int64_t rows) {
  ResizeRows(rows);
  return numbers_.data();
}

int64_t* Column::ResizeIntegers(int64_t rows) {
  ResizeRows(rows);
  return integers_.data();
}

uint8_t* Column::ResizeBooleans(int64_t rows) {
  ResizeRows(rows);
  return flags_.data();
}

int64_t Column::element_count() const {
  switch (type_.scalar) {
    case ScalarType::kBoolean:
      return static_cast<int64_t>(flags_.size());
    case ScalarType::kInteger:
    case ScalarType::kTimestamp:
      return static_cast<int64_t>(integers_.size());
    case ScalarType::kNumber:
      return static_cast<int64_t>(numbers_.size());
    case ScalarType::kString:
      return static_cast<int64_t>(offsets_.size()) - 1;
  }
  return 0;
}

void Column::ResizeElements(int64_t elements) {
  const auto size = static_cast<size_t>(elements);
  switch (type_.scalar) {
    case ScalarType::kBoolean:
      flags_.resize(size);
      break;
    case ScalarType::kInteger:
    case ScalarType::kTimestamp:
      integers_.resize(size);
      break;
    case ScalarType::kNumber:
      numbers_.resize(size);
      break;
    case ScalarType::kString:
      offsets_.resize(size + 1, offsets_.back());
      bytes_.resize(static_cast<size_t>(offsets_.back()));
      break;
  }
}

void Column::ResizeRows(int64_t rows) {
  if (rows <= rows_) {
    Truncate(rows);
    return;
  }
  ResizeElements(rows * width_);
  if (!validity_.empty()) {
    validity_.back() |= ~BitsBefore(rows_);
    validity_.resize(static_cast<size_t>(rows >> 6) + 1, ~uint64_t{0});
    validity_.back() &= BitsBefore(rows);
  }
  rows_ = rows;
}

void Column::MarkLast(bool valid) {
  const int64_t row = rows_ - 1;
  if (valid) validity_[static_cast<size_t>(row >> 6)] |= uint64_t{1} << (row & 63);
  if ((rows_ & 63) == 0) validity_.push_back(0);
}

void Column::EnsureValidity() {
  if (!validity_.empty()) return;
  validity_.assign(static_cast<size_t>(rows_ >> 6) + 1, ~uint64_t{0});
  validity_.back() = BitsBefore(rows_);
}

Table Table::Make(const std::vector<Field>& fields) {
  Table table;
  table.columns.reserve(fields.size());
  for (const Field& field : fields) table.columns.emplace_back(field.type);
  return table;
}

void Table::Clear() {
  for (Column& column : columns) column.Clear();
  rows = 0;
}

void Table::AppendRow(const Table& from, int64_t row) {
  for (size_t i = 0; i < columns.size(); ++i) columns[i].AppendFrom(from.columns[i], row);
  ++rows;
}

}  // namespace slipway::data
