#include "batch/answer_form.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/value.h"
#include "tables/csv_text.h"

namespace slipway::batch {
namespace {

data::Field ErrorField() {
  data::Field field;
  field.name = "error";
  field.type.scalar = data::ScalarType::kString;
  return field;
}

/// A table has one column of a name; JSON lines keep what is carried along apart.
base::Result<void> CheckNames(const std::vector<data::Field>& fields, size_t carried) {
  for (size_t i = 0; i < carried; ++i) {
    const auto& name = fields[i].name;
    if (std::ranges::count(fields, name, &data::Field::name) < 2) continue;
    return base::Fail(base::Code::kInvalidArgument, "predict.keep",
                      fmt::format("--keep names {0:?}, and the answer has a column {0:?} of its own; give the model's "
                                  "answer another name under `outputs:`, or write JSON lines",
                                  name));
  }
  return {};
}

}  // namespace

base::Result<void> Score(const scoring::Scorer& scorer, const CarriedColumns& carried, scoring::Workspace& workspace,
                         ScoredRows& batch) {
  batch.carried.Clear();
  for (size_t c = 0; c < carried.columns.size(); ++c) {
    const auto& from = batch.rows.table.columns[static_cast<size_t>(carried.columns[c])];
    for (int64_t row = 0; row < batch.rows.table.rows; ++row) batch.carried.columns[c].AppendFrom(from, row);
  }
  batch.carried.rows = batch.rows.table.rows;
  return scorer.Score(batch.rows, workspace, batch.scores);
}

AnswerForm::AnswerForm(const scoring::Scorer& scorer, const CarriedColumns& carried, tables::Format format,
                       AnswerOptions options)
    : format_(format),
      options_(options),
      writer_(scorer),
      has_carried_(!carried.fields.empty()),
      carried_encoder_(carried.fields),
      fields_(carried.fields) {
  fields_.insert(fields_.end(), scorer.output_fields().begin(), scorer.output_fields().end());
  if (!options_.leave_out_rejected) fields_.push_back(ErrorField());
  if (tables::IsSeparated(format_)) cells_.emplace(fields_, tables::DelimiterOf(format_));
}

base::Result<AnswerForm> AnswerForm::Create(const scoring::Scorer& scorer, const CarriedColumns& carried,
                                            tables::Format format, AnswerOptions options) {
  AnswerForm form(scorer, carried, format, options);
  if (format != tables::Format::kJsonLines) SLIPWAY_TRY(CheckNames(form.fields_, carried.fields.size()));
  return form;
}

std::string AnswerForm::Header() const {
  std::string header;
  if (cells_) cells_->AppendHeader(header);
  return header;
}

void AnswerForm::AppendText(ScoredRows& batch, std::string_view file, std::string& out) const {
  if (!cells_) return AppendLines(batch, file, out);
  const auto& table = Tabulate(batch);
  for (int64_t row = 0; row < table.rows; ++row) cells_->AppendLine(table, row, out);
}

void AnswerForm::AppendLines(const ScoredRows& batch, std::string_view file, std::string& out) const {
  std::string name;
  if (!file.empty()) base::AppendJsonString(name, file);
  const auto skipped = [&](int64_t row) {
    return options_.leave_out_rejected && batch.scores.report.rejected[static_cast<size_t>(row)] != 0;
  };
  const auto append = [&](int64_t row, std::string& line) {
    if (has_carried_) {
      line += ",\"kept\":";
      carried_encoder_.AppendRow(batch.carried, row, line);
    }
    if (!name.empty()) line += ",\"file\":" + name;
  };
  writer_.AppendLines(batch.scores, batch.first_row, out, append, skipped);
}

const data::Table& AnswerForm::Tabulate(ScoredRows& batch) const {
  auto& table = batch.table;
  const auto& report = batch.scores.report;
  const int64_t rows = batch.rows.table.rows;
  const bool leave_out = options_.leave_out_rejected && report.rejected_rows > 0;
  if (table.columns.size() != fields_.size()) table = data::Table::Make(fields_);
  table.Clear();
  size_t c = 0;
  for (const auto* part : {&batch.carried, &batch.scores.predictions}) {
    for (const auto& column : part->columns) {
      for (int64_t row = 0; row < rows; ++row) {
        if (!leave_out || !report.rejected[static_cast<size_t>(row)]) table.columns[c].AppendFrom(column, row);
      }
      ++c;
    }
  }
  table.rows = leave_out ? rows - report.rejected_rows : rows;
  if (options_.leave_out_rejected) return table;
  size_t at = 0;
  for (int64_t row = 0; row < rows; ++row) {
    if (report.rejected[static_cast<size_t>(row)]) {
      table.columns[c].AppendString(base::ToJson(scoring::ErrorOf(scoring::ViolationsOf(report.violations, row, at))));
    } else {
      table.columns[c].AppendNull();
    }
  }
  return table;
}

}  // namespace slipway::batch
