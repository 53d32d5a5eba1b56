#pragma once
// AnswerColumns collects scored rows as Arrow arrays: the model's outputs, then `error`.

#include "slipway/slipway.h"

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/value.h"
#include "data/column.h"
#include "data/output_column.h"
#include "scoring/scorer.h"

namespace slipway::embed {

/// One Arrow array that grows. Thread-safety: one thread at a time.
class AnswerColumn {
 public:
  explicit AnswerColumn(const data::OutputColumn& output);

  /// The rows of a column of the output's type. Error: resource_exhausted "arrow.too_large".
  base::Result<void> Append(const data::Column& column);
  void AppendNulls(int64_t rows);
  base::Result<void> AppendText(std::string_view text);

  /// Hands everything over; this object is of no more use.
  void Export(ArrowArray* out);

 private:
  friend struct ExportedArray;
  base::Result<void> AppendValues(const data::ColumnView& view, int64_t first, int64_t count, int64_t step);
  base::Result<void> AppendRow(const data::ColumnView& view, int64_t row);
  base::Result<void> AppendBytes(std::string_view text);
  base::Result<void> CheckElements(int64_t added) const;
  void AppendBoolean(bool value);
  void MarkRows(const data::ColumnView& view);
  void MarkNull(int64_t row);

  data::OutputColumn output_;
  int64_t rows_ = 0;
  int64_t null_count_ = 0;
  int64_t elements_ = 0;
  std::vector<uint8_t> validity_;                   ///< empty while every row is valid
  std::vector<std::vector<int32_t>> list_offsets_;  ///< a level each, outermost first
  std::vector<int32_t> text_offsets_;
  std::vector<char> values_;
};

class AnswerColumns {
 public:
  explicit AnswerColumns(const scoring::Scorer& scorer);

  /// Error: resource_exhausted "arrow.too_large", when texts or lists outgrow what Arrow's offsets can say.
  base::Result<void> Append(const scoring::Scores& scores);
  /// As a struct array; this object is of no more use.
  void Export(ArrowArray* out);

  static void ExportSchema(const scoring::Scorer& scorer, ArrowSchema* out);
  /// [{"name","type","lists"}]: "type" in Arrow's words.
  static base::Value Describe(const scoring::Scorer& scorer);

 private:
  std::vector<data::OutputColumn> outputs_;
  std::vector<AnswerColumn> columns_;
  AnswerColumn errors_;
  int64_t rows_ = 0;
};

}  // namespace slipway::embed
