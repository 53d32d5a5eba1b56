#pragma once
// ColumnWriter encodes the values of one output column, row group by row group.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/column.h"
#include "data/output_column.h"
#include "tables/parquet/page_reader.h"
#include "tables/parquet/thrift_value.h"
#include "tables/parquet/value_dictionary.h"
#include "tables/row_sink.h"

namespace slipway::tables::parquet {

/// The bytes of one column in one row group, and what the index says of them.
struct WrittenChunk {
  std::string bytes;
  ThriftValue meta_data;
  int64_t unpacked_bytes = 0;
};

/// Values are written by dictionary as long as there are few of them, then plain; packed by Snappy. The bytes depend on
/// the values and the steps they come in. Memory: a row group of values, packed but for the last page. Thread-safety:
/// one thread at a time.
class ColumnWriter {
 public:
  explicit ColumnWriter(const data::OutputColumn& column);

  /// Whether there is a place for such a column: one value a row.
  static bool CanWrite(const data::OutputColumn& column) { return column.type.is_scalar(); }
  /// How the schema declares it.
  ThriftValue SchemaElement() const;

  /// `column` holds the field; of a labelled vector, the column's label is taken.
  void Append(const data::Column& column, RowRange rows);
  /// The same text so many times, at least once.
  void AppendText(std::string_view text, int64_t rows);
  /// Tells that a page may end here. The bytes hang on where these places are, not on how many rows come at once.
  void EndStep();
  /// Ends the row group, whose bytes of this column will stand from byte `at` of the file on; the next one begins
  /// empty. Precondition: it has rows.
  WrittenChunk Finish(int64_t at);
  int64_t held_bytes() const;

 private:
  bool AppendNumbers(const data::ColumnView& view, RowRange rows, int64_t label);
  void AppendValue(const data::ColumnView& view, int64_t element);
  void AppendBytes(std::string_view value);
  void AppendLevel(bool is_value);
  void LeaveDictionary();
  void AppendPlain(std::string_view value);
  void EndPage();
  void AppendPage(ThriftValue::Member head, PageHead::Kind kind, std::string_view body);
  std::string Levels() const;
  std::string Indices() const;
  void Widen(std::string_view value);
  ThriftValue Statistics() const;
  bool is_text() const { return column_.type.scalar == data::ScalarType::kString; }
  bool is_boolean() const { return column_.type.scalar == data::ScalarType::kBoolean; }

  data::OutputColumn column_;
  // Of the page at hand.
  int64_t page_rows_ = 0;
  std::vector<uint8_t> levels_;  ///< of its rows; empty while there is no null
  std::vector<uint32_t> indices_;
  std::string plain_;  ///< booleans: a byte each
  // Of the row group.
  bool by_dictionary_;
  ValueDictionary dictionary_;
  std::string pages_;
  int64_t unpacked_bytes_ = 0;
  int64_t rows_ = 0, nulls_ = 0;
  bool has_bounds_ = false, may_have_bounds_ = true;
  std::string least_, most_;
};

}  // namespace slipway::tables::parquet
