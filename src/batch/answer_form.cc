#include "batch/answer_form.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/value.h"
#include "tables/csv_text.h"

namespace slipway::batch {
namespace {

data::Field TextField(std::string name) {
  data::Field field;
  field.name = std::move(name);
  field.type.scalar = data::ScalarType::kString;
  return field;
}

}  // namespace

base::Result<void> Score(const scoring::Scorer& scorer, const CarriedColumns& carried, scoring::Workspace& workspace,
                         ScoredRows& batch) {
  for (size_t c = 0; c < carried.columns.size(); ++c) {
    batch.carried.columns[c] = batch.rows.table.columns[static_cast<size_t>(carried.columns[c])];
  }
  batch.carried.rows = batch.rows.table.rows;
  return scorer.Score(batch.rows, workspace, batch.scores);
}

AnswerForm::AnswerForm(const scoring::Scorer& scorer, const CarriedColumns& carried, tables::Format format,
                       AnswerOptions options)
    : format_(format),
      options_(options),
      writer_(scorer),
      carried_(carried.fields.size()),
      carried_encoder_(carried.fields),
      model_(scorer.manifest().name),
      version_(scorer.manifest().version.ToString()),
      fields_(carried.fields) {
  fields_.insert(fields_.end(), scorer.output_fields().begin(), scorer.output_fields().end());
  value_fields_ = fields_.size();
  if (tables::IsSeparated(format_)) values_.emplace(fields_, tables::DelimiterOf(format_));
  if (options_.name_model) {
    constants_ = {{.field = fields_.size(), .text = model_}, {.field = fields_.size() + 1, .text = version_}};
    fields_.push_back(TextField("model"));
    fields_.push_back(TextField("version"));
    for (const auto* text : {&model_, &version_}) {
      model_cells_ += tables::DelimiterOf(format_);
      data::CsvRowEncoder::AppendCell(*text, tables::DelimiterOf(format_), model_cells_);
    }
    model_members_ = ",\"model\":";
    base::AppendJsonString(model_members_, model_);
    model_members_ += ",\"version\":";
    base::AppendJsonString(model_members_, version_);
  }
  if (!options_.leave_out_rejected) fields_.push_back(TextField("error"));
}

/// A table has one column of a name; JSON lines keep what is carried along apart.
base::Result<void> AnswerForm::CheckNames() const {
  for (size_t i = 0; i < value_fields_; ++i) {
    const auto& name = fields_[i].name;
    if (std::ranges::count(fields_, name, &data::Field::name) < 2) continue;
    const bool of_model = options_.name_model && (name == "model" || name == "version");
    if (of_model) {
      return base::Fail(base::Code::kInvalidArgument, "batch.model_columns",
                        fmt::format("the answer has a column {:?}, which is also where the model's name and version "
                                    "would stand: leave those out with --no-model-columns, or write JSON lines",
                                    name));
    }
    if (i >= carried_) continue;
    return base::Fail(base::Code::kInvalidArgument, "predict.keep",
                      fmt::format("--keep names {0:?}, and the answer has a column {0:?} of its own; give the model's "
                                  "answer another name under `outputs:`, or write JSON lines",
                                  name));
  }
  return {};
}

base::Result<AnswerForm> AnswerForm::Create(const scoring::Scorer& scorer, const CarriedColumns& carried,
                                            tables::Format format, AnswerOptions options) {
  AnswerForm form(scorer, carried, format, options);
  if (format != tables::Format::kJsonLines) SLIPWAY_TRY(form.CheckNames());
  return form;
}

std::string AnswerForm::Header() const {
  std::string header;
  if (values_) data::CsvRowEncoder(fields_, tables::DelimiterOf(format_)).AppendHeader(header);
  return header;
}

void AnswerForm::AppendText(ScoredRows& batch, std::string_view file, std::string& out) const {
  values_ ? AppendCells(batch, out) : AppendLines(batch, file, out);
}

void AnswerForm::AppendCells(const ScoredRows& batch, std::string& out) const {
  const auto& report = batch.scores.report;
  std::vector<data::ColumnView> views;
  for (const auto* part : {&batch.carried, &batch.scores.predictions}) {
    for (const auto& column : part->columns) views.push_back(column.view());
  }
  const char delimiter = tables::DelimiterOf(format_);
  size_t at = 0;
  for (int64_t row = 0; row < batch.scores.predictions.rows; ++row) {
    const bool rejected = report.rejected[static_cast<size_t>(row)] != 0;
    if (rejected && options_.leave_out_rejected) continue;
    if (fields_.size() == 1) {
      values_->AppendLine(views, row, out);
      continue;
    }
    values_->AppendRow(views, row, out);
    out += model_cells_;
    if (!options_.leave_out_rejected) {
      if (value_fields_ > 0 || options_.name_model) out += delimiter;
      if (rejected) {
        const auto violations = scoring::ViolationsOf(report.violations, row, at);
        data::CsvRowEncoder::AppendCell(base::ToJson(scoring::ErrorOf(violations)), delimiter, out);
      }
    }
    out += '\n';
  }
}

void AnswerForm::AppendLines(const ScoredRows& batch, std::string_view file, std::string& out) const {
  std::string name;
  if (!file.empty()) base::AppendJsonString(name, file);
  const auto skipped = [&](int64_t row) {
    return options_.leave_out_rejected && batch.scores.report.rejected[static_cast<size_t>(row)] != 0;
  };
  const auto append = [&](int64_t row, std::string& line) {
    if (carried_ > 0) {
      line += ",\"kept\":";
      carried_encoder_.AppendRow(batch.carried, row, line);
    }
    line += model_members_;
    if (!name.empty()) line += ",\"file\":" + name;
  };
  const auto number = [&](int64_t row) { return batch.NumberOf(row); };
  writer_.AppendLines(batch.scores, number, out, append, skipped);
}

void AnswerForm::AppendErrors(const schema::Report& report, int64_t rows, data::Column& out) const {
  size_t at = 0;
  for (int64_t row = 0; row < rows; ++row) {
    if (report.rejected[static_cast<size_t>(row)]) {
      out.AppendString(base::ToJson(scoring::ErrorOf(scoring::ViolationsOf(report.violations, row, at))));
    } else {
      out.AppendNull();
    }
  }
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
      auto& to = table.columns[c++];
      if (!leave_out) {
        to = column;
        continue;
      }
      for (int64_t row = 0; row < rows; ++row) {
        if (!report.rejected[static_cast<size_t>(row)]) to.AppendFrom(column, row);
      }
    }
  }
  table.rows = leave_out ? rows - report.rejected_rows : rows;
  c += constants_.size();
  if (!options_.leave_out_rejected) AppendErrors(report, rows, table.columns[c]);
  return table;
}

}  // namespace slipway::batch
