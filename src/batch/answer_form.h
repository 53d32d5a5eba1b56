#pragma once
// AnswerForm turns scored rows into what is written, the same for `predict` and for every part of a batch job.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "batch/carried_columns.h"
#include "data/csv_rows.h"
#include "scoring/answers.h"
#include "scoring/scorer.h"
#include "tables/format.h"
#include "tables/table_files.h"

namespace slipway::batch {

/// One batch on its way through. Reused: memory is kept.
struct ScoredRows {
  explicit ScoredRows(const CarriedColumns& carried)
      : rows(carried.layout), carried(data::Table::Make(carried.fields)) {}

  data::Decoded rows;
  data::Table carried;  ///< the carried columns as they came, before repairs
  scoring::Scores scores;
  data::Table table;             ///< working memory of AnswerForm
  int64_t first_row = 0;         ///< number of the first row
  std::vector<int64_t> numbers;  ///< of the rows, where some were left out; empty: one after another

  int64_t NumberOf(int64_t row) const { return numbers.empty() ? first_row + row : numbers[static_cast<size_t>(row)]; }
};

/// Keeps the carried columns of `batch.rows` aside and scores them.
base::Result<void> Score(const scoring::Scorer& scorer, const CarriedColumns& carried, scoring::Workspace& workspace,
                         ScoredRows& batch);

struct AnswerOptions {
  /// Rows that were rejected are left out, and with them the column `error`.
  bool leave_out_rejected = false;
  /// Each row says which model and version answered.
  bool name_model = false;
  /// Columns of any kind that stand elsewhere.
  std::vector<std::string> leave_out = {};
};

/// JSON lines: {"row":0,"prediction":{…},"kept":{…},"model":"…","version":"…"}. Tables: the carried columns, the
/// outputs, `model`, `version`, and `error`, null when the row was fine. Immutable; const access from any thread.
class AnswerForm {
 public:
  /// `scorer` and `carried` must outlive this. Errors: invalid_argument "predict.keep", a carried column has the name
  /// of another one of the answer where the format is a table; "batch.model_columns", an output is called model or
  /// version; "batch.partition_by", `leave_out` leaves no column of a table but `error`.
  static base::Result<AnswerForm> Create(const scoring::Scorer& scorer, const CarriedColumns& carried,
                                         tables::Format format, AnswerOptions options = {});

  bool is_text() const { return format_ != tables::Format::kParquet && format_ != tables::Format::kNpy; }
  /// Of tables.
  const std::vector<data::Field>& fields() const { return fields_; }
  /// The header of separated cells; nothing for other formats.
  std::string Header() const;

  /// Precondition: is_text(). `file`: of JSON lines, named in each when not empty.
  /// `ends`: where in `out` the text of each row of the batch ends; a row that is left out has none.
  void AppendText(ScoredRows& batch, std::string_view file, std::string& out,
                  std::vector<size_t>* ends = nullptr) const;
  /// Of those the model's name and version, the same in every row.
  const std::vector<tables::ConstantField>& constants() const { return constants_; }
  /// The rows as a table of fields(), in the batch's memory; the columns of constants() stay empty.
  const data::Table& Tabulate(ScoredRows& batch) const;

 private:
  AnswerForm(const scoring::Scorer& scorer, const CarriedColumns& carried, tables::Format format,
             AnswerOptions options);
  bool IsShown(std::string_view name) const;
  base::Result<void> CheckNames() const;
  void AppendLines(const ScoredRows& batch, std::string_view file, std::string& out, std::vector<size_t>* ends) const;
  void AppendCells(const ScoredRows& batch, std::string& out, std::vector<size_t>* ends) const;
  void AppendCellsOf(const ScoredRows& batch, int64_t row, std::span<const data::ColumnView> values, size_t& at,
                     std::string& out) const;
  void AppendErrors(const schema::Report& report, int64_t rows, data::Column& out) const;

  tables::Format format_;
  AnswerOptions options_;
  scoring::AnswerWriter writer_;
  std::vector<size_t> carried_, answers_;  ///< those that are shown, by their places in their tables
  data::JsonRowEncoder carried_encoder_;
  std::string model_members_;        ///< of JSON lines
  std::vector<data::Field> fields_;  ///< all
  std::vector<tables::ConstantField> constants_;
  size_t value_fields_;                        ///< the carried columns and the outputs, which stand first
  std::optional<data::CsvRowEncoder> values_;  ///< of separated cells: those
  std::string model_cells_;                    ///< and what stands behind them
};

}  // namespace slipway::batch
