#pragma once
// What readers of typed columns (DuckDB's vectors, Arrow's arrays) share: how values that RowBuilder has no method for
// are handed to it, so that a time, a decimal or a nested list means the same whatever carries it.

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "data/decoded.h"

namespace slipway::data {

__extension__ using Wide = __int128;
__extension__ using UnsignedWide = unsigned __int128;

/// A whole cell of a row.
struct CellTarget {
  RowBuilder& builder;
  int field;

  void Null() const { builder.SetNull(field); }
  void Boolean(bool value) const { builder.SetBoolean(field, value); }
  void Integer(int64_t value) const { builder.SetInteger(field, value); }
  void Unsigned(uint64_t value) const { builder.SetUnsigned(field, value); }
  void Number(double value) const { builder.SetNumber(field, value); }
  void Text(std::string_view value) const { builder.SetString(field, value); }
  void Time(int64_t value) const { builder.SetTimestamp(field, value); }
  void Wrong(std::string_view found) const { builder.SetWrong(field, found); }
};

/// An element of the tensor at hand.
struct ElementTarget {
  RowBuilder& builder;

  void Null() const { builder.ElementNull(); }
  void Boolean(bool value) const { builder.ElementBoolean(value); }
  void Integer(int64_t value) const { builder.ElementInteger(value); }
  void Unsigned(uint64_t value) const { builder.ElementUnsigned(value); }
  void Number(double value) const { builder.ElementNumber(value); }
  void Text(std::string_view value) const { builder.ElementString(value); }
  void Time(int64_t value) const { builder.ElementTimestamp(value); }
  void Wrong(std::string_view found) const { builder.ElementWrong(found); }
};

/// The nearest double to value / 10^scale.
double DecimalNumber(Wide value, int scale);

/// An integer of 128 bits: exact as long as 64 bits hold it, else the nearest double.
template <typename Target>
void DeliverWide(Wide value, const Target& target) {
  const auto low = static_cast<uint64_t>(value);
  const auto high = static_cast<int64_t>(value >> 64);
  if (high == 0) return target.Unsigned(low);
  if (high == -1 && low >> 63) return target.Integer(static_cast<int64_t>(low));
  target.Number(static_cast<double>(value));
}

/// A time counted from 1970 in parts of a second, digits past microseconds cut; `zone_minutes`: where its clock stands.
template <typename Target>
void DeliverTime(int64_t value, int64_t per_second, int zone_minutes, const Target& target) {
  constexpr int64_t kFirstSecond = -62135596800;  // 0001-01-01T00:00:00Z
  constexpr int64_t kLastSecond = 253402300799;   // 9999-12-31T23:59:59Z
  constexpr int64_t kMicros = 1'000'000;
  int64_t seconds = value / per_second;
  int64_t rest = value % per_second;
  if (rest < 0) {
    --seconds;
    rest += per_second;
  }
  if (seconds < kFirstSecond || seconds > kLastSecond) return target.Wrong("a time outside the years 1 to 9999");
  const int64_t micros = per_second > kMicros ? rest / (per_second / kMicros) : rest * (kMicros / per_second);
  target.Time((seconds - int64_t{zone_minutes} * 60) * kMicros + micros);
}

/// Makes null those of the last `count` rows for which `is_valid(i)`, i from 0, does not hold.
template <typename IsValid>
void MarkNulls(int64_t count, Column& column, IsValid&& is_valid) {
  const int64_t begin = column.rows() - count;
  for (int64_t i = 0; i < count; ++i) {
    if (!is_valid(i)) column.SetNull(begin + i);
  }
}

/// The short way for numbers: appends `count` valid rows to a scalar column of numbers or integers; false, with nothing
/// appended, for any other.
template <typename Stored>
bool AppendNumbers(const Stored* from, int64_t count, Column& column) {
  const int64_t begin = column.rows();
  if (column.type().scalar == ScalarType::kNumber) {
    std::copy_n(from, count, column.ResizeNumbers(begin + count) + begin);
  } else if (column.type().scalar == ScalarType::kInteger) {
    std::copy_n(from, count, column.ResizeIntegers(begin + count) + begin);
  } else {
    return false;
  }
  return true;
}

/// The shape of nested lists, found while their elements are delivered; as the JSON reader does.
class NestedShape {
 public:
  NestedShape() { dimensions_.fill(-1); }

  void BeginList(size_t level) {
    depth_ = std::max(depth_, level + 1);
    if (rank_ != 0 && level >= rank_) ragged_ = true;
  }
  /// Before an element that is no list, in a list of `level`.
  void BeginElement(size_t level) {
    if (rank_ == 0) rank_ = level + 1;
    if (rank_ != level + 1 || depth_ != level + 1) ragged_ = true;
  }
  void EndList(size_t level, int64_t count) {
    if (level >= kRankLimit) return;
    int64_t& dimension = dimensions_[level];
    if (dimension >= 0 && dimension != count) ragged_ = true;
    dimension = count;
  }
  void End(RowBuilder& builder) const {
    builder.EndTensor({dimensions_.data(), std::min(depth_, kRankLimit)}, ragged_ || depth_ > kRankLimit);
  }

 private:
  static constexpr size_t kRankLimit = 8;
  std::array<int64_t, kRankLimit> dimensions_;
  size_t depth_ = 0;
  size_t rank_ = 0;
  bool ragged_ = false;
};

}  // namespace slipway::data
