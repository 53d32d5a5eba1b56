#pragma once
// ColumnReader hands the values of an Arrow array to a RowBuilder, each as what it is; the builder converts. Buffers
// are read where they lie.

#include "slipway/slipway.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "data/typed_delivery.h"
#include "embed/arrow_type.h"

namespace slipway::embed {

/// The counterpart of tables::duckdb::VectorReader, with the same rules: decimals become the nearest double and whole
/// ones stay integers, times without zone stand on the field's clock, dictionaries are what their values are.
///
/// A C structure cannot say how long its buffers are. What it does say is checked: counts, offsets, sizes, and every
/// index against what it points into; an array that keeps to its own word is read within bounds. Thread-safety: const
/// access, as long as the array lives.
class ColumnReader {
 public:
  /// `path`: the column's name, for errors. Errors: invalid_argument "arrow.type" with a cast that helps,
  /// "arrow.malformed".
  static base::Result<ColumnReader> Create(const ArrowSchema& schema, const ArrowArray& array, std::string path,
                                           int zone_minutes);

  int64_t rows() const { return rows_; }
  void Deliver(int64_t row, int field, data::RowBuilder& builder) const;
  /// The short way for a column of the same type: appends rows [first, first + count) to the field's column as Deliver
  /// would. False, with nothing appended, where values need to be looked at one by one.
  bool AppendTo(const data::Field& field, int64_t first, int64_t count, data::Column& column) const;
  /// Memory that the rows take at least once decoded, in bytes.
  int64_t BytesOf(int64_t first, int64_t count) const;

 private:
  ColumnReader() = default;
  base::Result<void> ReadType(const ArrowSchema& schema);
  base::Result<void> ReadArray(const ArrowSchema& schema, const ArrowArray& array, int depth);
  base::Result<void> ReadBuffers(const ArrowArray& array);
  base::Result<void> ReadChild(const ArrowSchema& schema, const ArrowArray& array, int depth);
  base::Result<void> ReadDictionary(const ArrowSchema& schema, const ArrowArray& array, int depth);
  template <typename Offset>
  base::Result<void> CheckOffsets() const;
  std::unexpected<base::Error> Malformed(std::string_view what) const;

  bool IsValid(int64_t row) const {
    return !validity_ || (validity_[(offset_ + row) >> 3] >> ((offset_ + row) & 7) & 1);
  }
  template <typename T>
  const T* Values() const {
    return static_cast<const T*>(values_) + offset_;
  }
  /// Where the elements of a list or the bytes of a text begin and end.
  std::pair<int64_t, int64_t> RangeOf(int64_t row) const;
  /// False when the array points outside itself.
  bool TextOf(int64_t row, std::string_view& text) const;
  int64_t IndexOf(int64_t row) const;
  template <typename Target>
  void DeliverValue(int64_t row, const Target& target) const;
  template <typename Target>
  void DeliverDecimal(int64_t row, const Target& target) const;
  void DeliverElements(int64_t row, size_t level, data::NestedShape& shape, data::RowBuilder& builder) const;
  template <typename Stored>
  bool AppendNumbers(int64_t first, int64_t count, data::Column& column) const;
  bool AppendBooleans(int64_t first, int64_t count, data::Column& column) const;
  bool AppendTexts(int64_t first, int64_t count, data::Column& column) const;
  void MarkNulls(int64_t first, int64_t count, data::Column& column) const;

  ArrowType type_;
  std::string path_;
  int zone_minutes_ = 0;
  int64_t rows_ = 0;
  int64_t offset_ = 0;
  const uint8_t* validity_ = nullptr;
  const void* values_ = nullptr;  ///< values, offsets of lists and texts, or views
  const char* bytes_ = nullptr;   ///< of texts
  const void* const* view_buffers_ = nullptr;
  const int64_t* view_sizes_ = nullptr;
  int64_t view_count_ = 0;
  std::unique_ptr<ColumnReader> child_;       ///< of lists
  std::unique_ptr<ColumnReader> dictionary_;  ///< what the values, integers, stand for
};

}  // namespace slipway::embed
