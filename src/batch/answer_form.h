#pragma once
// AnswerForm turns scored rows into what is written, the same for `predict` and for every part of a batch job.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "batch/carried_columns.h"
#include "data/csv_rows.h"
#include "scoring/answers.h"
#include "scoring/scorer.h"
#include "tables/format.h"

namespace slipway::batch {

/// One batch on its way through. Reused: memory is kept.
struct ScoredRows {
  explicit ScoredRows(const CarriedColumns& carried)
      : rows(carried.layout), carried(data::Table::Make(carried.fields)) {}

  data::Decoded rows;
  data::Table carried;  ///< the carried columns as they came, before repairs
  scoring::Scores scores;
  data::Table table;      ///< working memory of AnswerForm
  int64_t first_row = 0;  ///< number of the first row
};

/// Keeps the carried columns of `batch.rows` aside and scores them.
base::Result<void> Score(const scoring::Scorer& scorer, const CarriedColumns& carried, scoring::Workspace& workspace,
                         ScoredRows& batch);

struct AnswerOptions {
  /// Rows that were rejected are left out, and with them the column `error`.
  bool leave_out_rejected = false;
};

/// JSON lines: {"row":0,"prediction":{…},"kept":{…}}. Tables: the carried columns, the outputs, and `error`, null when
/// the row was fine. Immutable; const access from any thread.
class AnswerForm {
 public:
  /// `scorer` and `carried` must outlive this. Error: invalid_argument "predict.keep", a carried column has the name of
  /// an output where the format is a table.
  static base::Result<AnswerForm> Create(const scoring::Scorer& scorer, const CarriedColumns& carried,
                                         tables::Format format, AnswerOptions options = {});

  bool is_text() const { return format_ != tables::Format::kParquet && format_ != tables::Format::kNpy; }
  /// Of tables.
  const std::vector<data::Field>& fields() const { return fields_; }
  /// The header of separated cells; nothing for other formats.
  std::string Header() const;

  /// Precondition: is_text(). `file`: of JSON lines, named in each when not empty.
  void AppendText(ScoredRows& batch, std::string_view file, std::string& out) const;
  /// The rows as a table of fields(), in the batch's memory.
  const data::Table& Tabulate(ScoredRows& batch) const;

 private:
  AnswerForm(const scoring::Scorer& scorer, const CarriedColumns& carried, tables::Format format,
             AnswerOptions options);
  void AppendLines(const ScoredRows& batch, std::string_view file, std::string& out) const;

  tables::Format format_;
  AnswerOptions options_;
  scoring::AnswerWriter writer_;
  bool has_carried_;
  data::JsonRowEncoder carried_encoder_;
  std::vector<data::Field> fields_;
  std::optional<data::CsvRowEncoder> cells_;
};

}  // namespace slipway::batch
