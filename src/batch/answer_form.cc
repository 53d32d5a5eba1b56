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
    : format_(format), options_(options), writer_(scorer, options_.leave_out), carried_encoder_(carried.fields) {
  const auto show = [&](const std::vector<data::Field>& fields, std::vector<size_t>& shown) {
    for (size_t i = 0; i < fields.size(); ++i) {
      if (!IsShown(fields[i].name)) continue;
      shown.push_back(i);
      fields_.push_back(fields[i]);
    }
  };
  show(carried.fields, carried_);
  show(scorer.output_fields(), answers_);
  value_fields_ = fields_.size();
  if (tables::IsSeparated(format_)) values_.emplace(fields_, tables::DelimiterOf(format_));
  const auto& manifest = scorer.manifest();
  for (const auto& [name, text] :
       {std::pair("model", manifest.name), std::pair("version", manifest.version.ToString())}) {
    if (!options_.name_model || !IsShown(name)) continue;
    constants_.push_back({.field = fields_.size(), .text = text});
    fields_.push_back(TextField(name));
    if (fields_.size() > 1) model_cells_ += tables::DelimiterOf(format_);
    data::CsvRowEncoder::AppendCell(text, tables::DelimiterOf(format_), model_cells_);
    model_members_ += fmt::format(",\"{}\":", name);
    base::AppendJsonString(model_members_, text);
  }
  if (!options_.leave_out_rejected) fields_.push_back(TextField("error"));
}

bool AnswerForm::IsShown(std::string_view name) const {
  return std::ranges::find(options_.leave_out, name) == options_.leave_out.end();
}

/// A table has one column of a name; JSON lines keep what is carried along apart.
base::Result<void> AnswerForm::CheckNames() const {
  if (value_fields_ == 0 && (constants_.empty() || options_.leave_out_rejected)) {
    return base::Fail(
        base::Code::kInvalidArgument, "batch.partition_by",
        "--partition-by takes every column of the answer out of the files; carry one along with --keep, or "
        "partition by fewer");
  }
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
    if (i >= carried_.size()) continue;
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

void AnswerForm::AppendText(ScoredRows& batch, std::string_view file, std::string& out,
                            std::vector<size_t>* ends) const {
  if (ends != nullptr) ends->clear();
  values_ ? AppendCells(batch, out, ends) : AppendLines(batch, file, out, ends);
}

void AnswerForm::AppendCells(const ScoredRows& batch, std::string& out, std::vector<size_t>* ends) const {
  const auto& report = batch.scores.report;
  std::vector<data::ColumnView> views;
  for (const size_t i : carried_) views.push_back(batch.carried.columns[i].view());
  for (const size_t i : answers_) views.push_back(batch.scores.predictions.columns[i].view());
  size_t at = 0;
  for (int64_t row = 0; row < batch.scores.predictions.rows; ++row) {
    const bool rejected = report.rejected[static_cast<size_t>(row)] != 0;
    if (!rejected || !options_.leave_out_rejected) AppendCellsOf(batch, row, views, at, out);
    if (ends != nullptr) ends->push_back(out.size());
  }
}

void AnswerForm::AppendCellsOf(const ScoredRows& batch, int64_t row, std::span<const data::ColumnView> values,
                               size_t& at, std::string& out) const {
  if (fields_.size() == 1 && value_fields_ == 1) return values_->AppendLine(values, row, out);
  const char delimiter = tables::DelimiterOf(format_);
  values_->AppendRow(values, row, out);
  out += model_cells_;
  if (!options_.leave_out_rejected) {
    if (fields_.size() > 1) out += delimiter;
    if (batch.scores.report.rejected[static_cast<size_t>(row)] != 0) {
      const auto violations = scoring::ViolationsOf(batch.scores.report.violations, row, at);
      data::CsvRowEncoder::AppendCell(base::ToJson(scoring::ErrorOf(violations)), delimiter, out);
    }
  }
  out += '\n';
}

void AnswerForm::AppendLines(const ScoredRows& batch, std::string_view file, std::string& out,
                             std::vector<size_t>* ends) const {
  const size_t before = out.size();
  std::string name;
  if (!file.empty()) base::AppendJsonString(name, file);
  const auto skipped = [&](int64_t row) {
    return options_.leave_out_rejected && batch.scores.report.rejected[static_cast<size_t>(row)] != 0;
  };
  constexpr size_t kEndOfLine = 2;  // the brace and the line break
  const auto append = [&](int64_t row, std::string& line) {
    if (!carried_.empty()) {
      line += ",\"kept\":";
      carried_encoder_.AppendRow(batch.carried, carried_, row, line);
    }
    line += model_members_;
    if (!name.empty()) line += ",\"file\":" + name;
    if (ends == nullptr) return;
    ends->resize(static_cast<size_t>(row), ends->empty() ? before : ends->back());
    ends->push_back(line.size() + kEndOfLine);
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
  const auto take = [&](const data::Column& column) {
    auto& to = table.columns[c++];
    if (!leave_out) {
      to = column;
      return;
    }
    for (int64_t row = 0; row < rows; ++row) {
      if (!report.rejected[static_cast<size_t>(row)]) to.AppendFrom(column, row);
    }
  };
  for (const size_t i : carried_) take(batch.carried.columns[i]);
  for (const size_t i : answers_) take(batch.scores.predictions.columns[i]);
  table.rows = leave_out ? rows - report.rejected_rows : rows;
  c += constants_.size();
  if (!options_.leave_out_rejected) AppendErrors(report, rows, table.columns[c]);
  return table;
}

}  // namespace slipway::batch
