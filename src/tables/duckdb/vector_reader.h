#pragma once
// VectorReader hands the values of DuckDB's vectors to a RowBuilder, each as what it is; the builder converts.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/decoded.h"
#include "data/typed_delivery.h"
#include "tables/duckdb/library.h"

struct _duckdb_logical_type;
struct _duckdb_vector;

namespace slipway::tables::duckdb {

/// What a DuckDB type is to a reader; several share one.
enum class VectorKind : uint8_t {
  kBoolean,
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kUint8,
  kUint16,
  kUint32,
  kUint64,
  kInt128,
  kUint128,
  kFloat,
  kDouble,
  kText,
  kDate,
  kSeconds,  ///< timestamps without zone, in their unit
  kMilliseconds,
  kMicroseconds,
  kNanoseconds,
  kInstant,  ///< microseconds at UTC
  kUuid,
  kList,
  kArray,
  kUnusable,  ///< named by `words`
};

/// Integers beyond 64 bits become the nearest double; decimals do too, and whole ones stay integers; times without zone
/// are taken at `zone_minutes`; enums are texts; bytes, times of day, intervals, structs and maps are of no use.
/// Thread-safety: one thread at a time.
class VectorReader {
 public:
  VectorReader(const Library& library, _duckdb_logical_type* type, int zone_minutes);
  VectorReader(VectorReader&&) noexcept = default;

  /// Points at a vector of the type. It must live as long as Deliver is called.
  void Attach(_duckdb_vector* vector);
  void Deliver(int64_t row, int field, data::RowBuilder& builder) const;

  /// The short way for a column of the same type: appends rows [first, first + count) to the field's column as Deliver
  /// would. False, with nothing appended, where values need to be looked at one by one.
  bool AppendTo(const data::Field& field, int64_t first, int64_t count, data::Column& column) const;

 private:
  struct Integer128 {
    uint64_t low;
    int64_t high;
  };
  bool IsValid(int64_t row) const { return !validity_ || (validity_[row >> 6] >> (row & 63) & 1); }
  template <typename T>
  const T& At(int64_t row) const {
    return static_cast<const T*>(data_)[row];
  }
  VectorKind IntegerKindOf(int type) const;
  void ReadDecimal(_duckdb_logical_type* type);
  void ReadEnum(_duckdb_logical_type* type);
  void ReadList(_duckdb_logical_type* type, bool is_array);
  template <typename Target>
  void DeliverValue(int64_t row, const Target& target) const;
  template <typename Target>
  void DeliverInteger(int64_t value, const Target& target) const;
  template <typename Target>
  void DeliverInteger128(Integer128 value, bool is_signed, const Target& target) const;
  template <typename Target>
  void DeliverTime(int64_t value, int64_t per_second, bool local, const Target& target) const;
  template <typename Stored>
  bool AppendNumbers(int64_t first, int64_t count, data::Column& column) const;
  bool AppendTexts(int64_t first, int64_t count, data::Column& column) const;
  void MarkNulls(int64_t first, int64_t count, data::Column& column) const;
  void DeliverElements(int64_t row, size_t level, data::NestedShape& shape, data::RowBuilder& builder) const;

  const Library& library_;
  VectorKind kind_ = VectorKind::kUnusable;
  std::string_view words_;
  int zone_minutes_;
  int scale_ = 0;  ///< of decimals
  bool is_decimal_ = false;
  bool is_enum_ = false;
  int64_t array_size_ = 0;
  std::vector<std::string> dictionary_;
  std::unique_ptr<VectorReader> child_;
  const void* data_ = nullptr;
  const uint64_t* validity_ = nullptr;
};

}  // namespace slipway::tables::duckdb
