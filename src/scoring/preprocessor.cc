#include "scoring/preprocessor.h"

#include <cctype>

namespace slipway::scoring {

data::ColumnView Slice(const data::ColumnView& view, int64_t first, int64_t rows) {
  data::ColumnView slice = view;
  slice.rows = rows;
  if (view.validity) slice.validity = view.validity + (first >> 6);
  if (view.row_offsets) {  // offsets count from the column's start, so the values stay where they are
    slice.row_offsets = view.row_offsets + first;
    return slice;
  }
  const int64_t element = first * view.width;
  switch (view.type) {
    case data::ScalarType::kBoolean:
      slice.values = view.booleans() + element;
      break;
    case data::ScalarType::kInteger:
    case data::ScalarType::kTimestamp:
      slice.values = view.integers() + element;
      break;
    case data::ScalarType::kNumber:
      slice.values = view.numbers() + element;
      break;
    case data::ScalarType::kString:
      slice.offsets = view.offsets + element;
      break;
  }
  return slice;
}

base::Error InManifest(base::Error error) {
  if (!error.where.empty() && std::isdigit(static_cast<unsigned char>(error.where[0]))) {
    error.where.insert(0, "slipway.yaml:");
  }
  return error;
}

base::Result<Preprocessor> Preprocessor::Create(const bundle::Manifest& manifest, const base::Value& fitted,
                                                const schema::Schema& schema) {
  const base::Value* columns = fitted.Find("columns");
  const base::Value* steps = fitted.Find("features");
  auto validator = schema::Validator::Create(schema, columns ? *columns : base::Value());
  if (!validator) return std::unexpected(InManifest(std::move(validator).error()));
  std::vector<data::Field> fields;
  fields.reserve(schema.columns.size());
  for (const auto& column : schema.columns) fields.push_back(column.field);
  auto pipeline = features::Pipeline::Compile(fields, manifest.features, steps ? *steps : base::Value());
  if (!pipeline) return std::unexpected(InManifest(std::move(pipeline).error()));
  return Preprocessor(std::move(*validator), std::move(*pipeline), !manifest.features.empty());
}

const data::Table& AcceptedRows(data::Table& rows, const schema::Report& report, data::Table& memory) {
  if (report.rejected_rows == 0) return rows;
  if (memory.columns.size() != rows.columns.size()) {
    memory = {};
    for (const data::Column& column : rows.columns) memory.columns.emplace_back(column.type());
  }
  memory.Clear();
  for (int64_t row = 0; row < rows.rows; ++row) {
    if (!report.rejected[static_cast<size_t>(row)]) memory.AppendRow(rows, row);
  }
  return memory;
}

const data::Table& Preprocessor::Check(data::Decoded& rows, schema::Report& report, Workspace& workspace) const {
  validator_.Check(rows, report, workspace.validation);
  return AcceptedRows(rows.table, report, workspace.accepted);
}

void Preprocessor::Features(const data::Table& table, int64_t first, int64_t rows, Workspace& workspace,
                            std::optional<int64_t> training_row) const {
  workspace.columns.resize(table.columns.size());
  for (size_t i = 0; i < table.columns.size(); ++i) {
    data::ColumnView& column = workspace.columns[i];
    column = table.columns[i].view();
    if (first == 0) {
      column.rows = rows;
      continue;
    }
    column = Slice(column, first, rows);
    if (column.row_shapes) column.row_shapes += first * static_cast<int64_t>(table.columns[i].type().shape.size());
  }
  if (!has_features_) return;
  if (training_row) {
    pipeline_.RunOnTrainingRows(workspace.columns, rows, *training_row, workspace.features);
  } else {
    pipeline_.Run(workspace.columns, rows, workspace.features);
  }
}

}  // namespace slipway::scoring
