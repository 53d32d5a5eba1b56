#pragma once
// Columns in memory, in Arrow's physical layout (values, validity bits, string offsets), so that Arrow, Parquet readers
// and DuckDB vectors hand over without copying. One deviation: booleans take a byte, as in DuckDB and NumPy.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/type.h"

namespace slipway::data {

/// A read-only window on a column; owns nothing. `values` points to uint8_t, int64_t or double by type; strings use
/// `offsets` (elements + 1) into `bytes`. `validity`: bit i of word i/64 is 1 when row i is not null; nullptr: all are.
/// Tensor columns store elements() values per row, row-major. A row is null as a whole; its elements never are.
struct ColumnView {
  ScalarType type = ScalarType::kNumber;
  int64_t rows = 0;
  int64_t width = 1;  ///< elements a row; -1 when variable (then row_offsets has rows + 1 entries)
  const void* values = nullptr;
  const int32_t* offsets = nullptr;
  const char* bytes = nullptr;
  const uint64_t* validity = nullptr;
  const int64_t* row_offsets = nullptr;  ///< variable tensors: first element of each row
  const int64_t* row_shapes = nullptr;   ///< variable tensors: rows x rank dimensions

  bool IsValid(int64_t row) const { return !validity || (validity[row >> 6] >> (row & 63) & 1); }
  const uint8_t* booleans() const { return static_cast<const uint8_t*>(values); }
  const int64_t* integers() const { return static_cast<const int64_t*>(values); }  ///< also timestamps
  const double* numbers() const { return static_cast<const double*>(values); }
  std::string_view string(int64_t element) const {
    return {bytes + offsets[element], static_cast<size_t>(offsets[element + 1] - offsets[element])};
  }
};

/// A growable column. Clear() keeps the memory, so a reused column allocates nothing in steady state.
/// A null row holds zeros (or empty strings): elements() of them for a fixed tensor, none for a variable one.
/// Thread-safety: one writer, or many readers.
class Column {
 public:
  explicit Column(DataType type = {});

  const DataType& type() const { return type_; }
  bool IsScalarOf(ScalarType type) const { return is_scalar_ && type_.scalar == type; }
  int64_t rows() const { return rows_; }
  bool IsValid(int64_t row) const { return validity_.empty() || (validity_[row >> 6] >> (row & 63) & 1); }
  bool has_nulls() const { return !validity_.empty(); }
  ColumnView view() const;
  std::string_view string(int64_t element) const {
    return {bytes_.data() + offsets_[element], static_cast<size_t>(offsets_[element + 1] - offsets_[element])};
  }

  void Clear();
  void Reserve(int64_t rows);

  /// Keeps the first `rows` rows and drops pending elements. Precondition: rows <= rows().
  void Truncate(int64_t rows);

  /// Appends one row of a scalar column. Precondition: the type matches.
  void AppendBoolean(bool value) {
    flags_.push_back(value);
    CloseValid();
  }
  void AppendInteger(int64_t value) {  ///< integers and timestamps
    integers_.push_back(value);
    CloseValid();
  }
  void AppendNumber(double value) {
    numbers_.push_back(value);
    CloseValid();
  }
  void AppendString(std::string_view value) {
    PushString(value);
    CloseValid();
  }
  void AppendNull();

  /// Tensor rows: push the elements in row-major order, then close the row. `shape` is given for variable types.
  void PushBoolean(bool value) { flags_.push_back(value); }
  void PushInteger(int64_t value) { integers_.push_back(value); }
  void PushNumber(double value) { numbers_.push_back(value); }
  /// Offsets have 32 bits, so a string column holds 2 GiB: a text that does not fit is stored empty. Ask first.
  void PushString(std::string_view value);
  bool FitsString(size_t bytes) const { return bytes_.size() + bytes <= kMaxBytes; }
  int64_t pending() const;  ///< elements pushed since the last closed row
  void DiscardPending();
  void CloseRow(const int64_t* shape = nullptr);

  /// Overwrites a row (scalars; SetNull takes any) and makes it valid or null. SetString rebuilds the bytes after it:
  /// fine for repairs, not for loops over all rows. SetValid is for rows written through Resize….
  void SetBoolean(int64_t row, bool value);
  void SetInteger(int64_t row, int64_t value);
  void SetNumber(int64_t row, double value);
  void SetString(int64_t row, std::string_view value);
  void SetNull(int64_t row);
  void SetValid(int64_t row);

  /// Appends row `row` of `from`, a column of the same type.
  void AppendFrom(const Column& from, int64_t row);

  /// Resizes a scalar or fixed-tensor column of numbers, integers or booleans and hands out its values for bulk
  /// filling. New rows are valid.
  double* ResizeNumbers(int64_t rows);
  int64_t* ResizeIntegers(int64_t rows);
  uint8_t* ResizeBooleans(int64_t rows);

 private:
  static constexpr size_t kMaxBytes = 0x7fffffff;

  int64_t element_count() const;
  int64_t first_element(int64_t row) const {
    return width_ < 0 ? row_offsets_[static_cast<size_t>(row)] : row * width_;
  }
  void ResizeElements(int64_t elements);
  void ResizeRows(int64_t rows);
  void CloseValid() {
    ++rows_;
    if (!validity_.empty()) [[unlikely]] {
      MarkLast(true);
    }
  }
  void MarkLast(bool valid);
  void EnsureValidity();

  DataType type_;
  bool is_scalar_ = true;
  int64_t width_ = 1;
  int64_t rows_ = 0;
  std::vector<uint8_t> flags_;
  std::vector<int64_t> integers_;
  std::vector<double> numbers_;
  std::vector<int32_t> offsets_;
  std::string bytes_;
  std::vector<uint64_t> validity_;  ///< empty while every row is valid, else rows_ / 64 + 1 words, zero past rows_
  std::vector<int64_t> row_offsets_;
  std::vector<int64_t> row_shapes_;
};

inline ColumnView Column::view() const {
  ColumnView view;
  view.type = type_.scalar;
  view.rows = rows_;
  view.width = width_;
  switch (type_.scalar) {
    case ScalarType::kBoolean:
      view.values = flags_.data();
      break;
    case ScalarType::kInteger:
    case ScalarType::kTimestamp:
      view.values = integers_.data();
      break;
    case ScalarType::kNumber:
      view.values = numbers_.data();
      break;
    case ScalarType::kString:
      view.offsets = offsets_.data();
      view.bytes = bytes_.data();
      break;
  }
  view.validity = validity_.empty() ? nullptr : validity_.data();
  if (width_ < 0) {
    view.row_offsets = row_offsets_.data();
    view.row_shapes = row_shapes_.data();
  }
  return view;
}

/// Columns of one length, in the order of their fields.
struct Table {
  std::vector<Column> columns;
  int64_t rows = 0;

  static Table Make(const std::vector<Field>& fields);
  void Clear();  ///< keeps columns and memory
  /// Appends row `row` of `from`, a table of the same columns.
  void AppendRow(const Table& from, int64_t row);
};

}  // namespace slipway::data
