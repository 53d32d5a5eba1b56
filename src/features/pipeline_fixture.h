#pragma once
// What the tests of this folder share: small tables by hand, steps as JSON, results as text that compares exactly
// ("1 nan | 2 0.5": rows apart by |, numbers in their shortest form).

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "base/value.h"
#include "data/column.h"
#include "data/timestamp.h"
#include "features/fit.h"
#include "features/pipeline.h"

namespace slipway::features {

class TestTable {
 public:
  template <typename T>
  using Cells = std::vector<std::optional<T>>;

  TestTable& Numbers(std::string name, const Cells<double>& cells) {
    return Fill(std::move(name), data::ScalarType::kNumber, cells,
                [](data::Column& c, double v) { c.AppendNumber(v); });
  }
  TestTable& Integers(std::string name, const Cells<int64_t>& cells) {
    return Fill(std::move(name), data::ScalarType::kInteger, cells,
                [](data::Column& c, int64_t v) { c.AppendInteger(v); });
  }
  TestTable& Booleans(std::string name, const Cells<bool>& cells) {
    return Fill(std::move(name), data::ScalarType::kBoolean, cells,
                [](data::Column& c, bool v) { c.AppendBoolean(v); });
  }
  TestTable& Texts(std::string name, const Cells<std::string>& cells) {
    return Fill(std::move(name), data::ScalarType::kString, cells,
                [](data::Column& c, const std::string& v) { c.AppendString(v); });
  }
  TestTable& Times(std::string name, const Cells<std::string>& cells, int zone_minutes = 0) {
    Fill(std::move(name), data::ScalarType::kTimestamp, cells,
         [](data::Column& c, const std::string& v) { c.AppendInteger(data::ParseTimestamp(v).value()); });
    fields_.back().zone_minutes = zone_minutes;
    return *this;
  }
  /// A column of vectors, given row-major.
  TestTable& Vectors(std::string name, int64_t width, const std::vector<double>& values) {
    fields_.push_back({.name = std::move(name), .type = {data::ScalarType::kNumber, {width}}});
    data::Column column(fields_.back().type);
    for (size_t i = 0; i < values.size(); ++i) {
      column.PushNumber(values[i]);
      if ((i + 1) % static_cast<size_t>(width) == 0) column.CloseRow();
    }
    columns_.push_back(std::move(column));
    return *this;
  }

  const std::vector<data::Field>& fields() const { return fields_; }
  int64_t rows() const { return columns_.empty() ? 0 : columns_[0].rows(); }
  std::vector<data::ColumnView> views() const {
    std::vector<data::ColumnView> views;
    for (const data::Column& column : columns_) views.push_back(column.view());
    return views;
  }

 private:
  template <typename T, typename Append>
  TestTable& Fill(std::string name, data::ScalarType type, const Cells<T>& cells, Append append) {
    fields_.push_back({.name = std::move(name), .type = {type, {}}});
    data::Column column(fields_.back().type);
    for (const auto& cell : cells) {
      if (cell) append(column, *cell);
      if (!cell) column.AppendNull();
    }
    columns_.push_back(std::move(column));
    return *this;
  }

  std::vector<data::Field> fields_;
  std::vector<data::Column> columns_;
};

inline std::vector<StepSpec> Steps(std::string_view json) {
  auto parsed = base::ParseJson(json);
  EXPECT_TRUE(parsed) << json;
  std::vector<StepSpec> steps;
  if (!parsed) return steps;
  if (parsed->is_map()) return {StepSpec{*parsed}};
  for (const base::Value& step : parsed->list()) steps.push_back({step});
  return steps;
}

/// A column with rows begin … begin + rows of `view`.
inline data::Column CopyRows(const data::ColumnView& view, int64_t begin, int64_t rows) {
  data::Column column({view.type, view.width == 1 ? std::vector<int64_t>{} : std::vector<int64_t>{view.width}});
  for (int64_t r = begin; r < begin + rows; ++r) {
    if (!view.IsValid(r)) {
      column.AppendNull();
    } else if (view.width != 1) {
      for (int64_t i = 0; i < view.width; ++i) column.PushNumber(view.numbers()[r * view.width + i]);
      column.CloseRow();
    } else if (view.type == data::ScalarType::kString) {
      column.AppendString(view.string(r));
    } else if (view.type == data::ScalarType::kNumber) {
      column.AppendNumber(view.numbers()[r]);
    } else if (view.type == data::ScalarType::kBoolean) {
      column.AppendBoolean(view.booleans()[r] != 0);
    } else {
      column.AppendInteger(view.integers()[r]);
    }
  }
  return column;
}

/// Some rows of a table as columns of their own.
class Part {
 public:
  Part(const TestTable& table, int64_t begin, int64_t rows) {
    for (const data::ColumnView& view : table.views()) columns_.push_back(CopyRows(view, begin, rows));
    for (const data::Column& column : columns_) views_.push_back(column.view());
  }
  const std::vector<data::ColumnView>& views() const { return views_; }

 private:
  std::vector<data::Column> columns_;
  std::vector<data::ColumnView> views_;
};

/// Fits in batches of `batch` rows. `target`: a column of the table that steps learn from.
inline base::Result<base::Value> Fit(const TestTable& table, std::string_view steps, std::string_view target = {},
                                     int64_t batch = 1 << 20, FitOptions options = {}) {
  SLIPWAY_ASSIGN(Fitter fitter, Fitter::Create(table.fields(), Steps(steps), options));
  const auto found = std::ranges::find(table.fields(), target, &data::Field::name);
  const auto index = static_cast<size_t>(found - table.fields().begin());
  for (bool more = true; more;) {
    for (int64_t begin = 0; begin < table.rows(); begin += batch) {
      const int64_t rows = std::min(batch, table.rows() - begin);
      const Part part(table, begin, rows);
      SLIPWAY_TRY(fitter.Add(part.views(), rows, found == table.fields().end() ? nullptr : &part.views()[index]));
    }
    SLIPWAY_ASSIGN(more, fitter.EndPass());
  }
  return fitter.Learned();
}

inline std::string ShowNumber(double value) {
  return std::isnan(value) ? "nan" : fmt::format("{}", value);
}

inline std::string Show(const std::vector<double>& matrix, int64_t rows) {
  std::string text;
  const size_t width = rows == 0 ? 0 : matrix.size() / static_cast<size_t>(rows);
  for (size_t i = 0; i < matrix.size(); ++i) {
    if (i > 0) text += i % width == 0 ? " | " : " ";
    text += ShowNumber(matrix[i]);
  }
  return text;
}

/// All features that are not hidden and fit a matrix, side by side.
inline std::vector<int> Shown(const Pipeline& pipeline) {
  std::vector<int> shown;
  for (size_t i = 0; i < pipeline.features().size(); ++i) {
    const Feature& feature = pipeline.features()[i];
    if (!feature.hidden && feature.type != data::ScalarType::kString) shown.push_back(static_cast<int>(i));
  }
  return shown;
}

inline std::vector<double> MatrixOf(const Pipeline& pipeline, int64_t rows, const PipelineWorkspace& workspace) {
  int64_t width = 0;
  for (const int feature : Shown(pipeline)) width += pipeline.features()[static_cast<size_t>(feature)].width;
  std::vector<double> matrix(static_cast<size_t>(rows * width));
  pipeline.WriteMatrix(Shown(pipeline), rows, workspace, matrix.data());
  return matrix;
}

inline std::string Transform(const TestTable& table, std::string_view steps, const base::Value& fitted,
                             bool training = false) {
  auto pipeline = Pipeline::Compile(table.fields(), Steps(steps), fitted);
  if (!pipeline) return pipeline.error().reason + ": " + pipeline.error().Text();
  PipelineWorkspace workspace;
  if (training) pipeline->RunOnTrainingRows(table.views(), table.rows(), 0, workspace);
  if (!training) pipeline->Run(table.views(), table.rows(), workspace);
  return Show(MatrixOf(*pipeline, table.rows(), workspace), table.rows());
}

/// The same, one row at a time.
inline std::string TransformRowByRow(const TestTable& table, std::string_view steps, const base::Value& fitted) {
  const auto pipeline = Pipeline::Compile(table.fields(), Steps(steps), fitted);
  PipelineWorkspace workspace;
  std::string text;
  for (int64_t r = 0; r < table.rows(); ++r) {
    const Part row(table, r, 1);
    pipeline->Run(row.views(), 1, workspace);
    text += (r == 0 ? "" : " | ") + Show(MatrixOf(*pipeline, 1, workspace), 1);
  }
  return text;
}

/// Fits on the table and transforms the same table (the serving path). An error is shown as "reason: message".
inline std::string FitTransform(const TestTable& table, std::string_view steps, std::string_view target = {}) {
  auto fitted = Fit(table, steps, target);
  if (!fitted) return fitted.error().reason + ": " + fitted.error().Text();
  return Transform(table, steps, *fitted);
}

/// Fits on one table and transforms another of the same columns.
inline std::string FitTransform(const TestTable& train, const TestTable& serve, std::string_view steps,
                                std::string_view target = {}) {
  auto fitted = Fit(train, steps, target);
  if (!fitted) return fitted.error().reason + ": " + fitted.error().Text();
  return Transform(serve, steps, *fitted);
}

inline std::vector<std::string> ColumnNames(const TestTable& table, std::string_view steps) {
  auto fitted = Fit(table, steps);
  EXPECT_TRUE(fitted) << fitted.error().Text();
  auto pipeline = Pipeline::Compile(table.fields(), Steps(steps), fitted.value_or(base::Value()));
  EXPECT_TRUE(pipeline) << pipeline.error().Text();
  std::vector<std::string> names;
  for (const Feature& feature : pipeline->features())
    names.insert(names.end(), feature.columns.begin(), feature.columns.end());
  return names;
}

/// Calls of operator new so far; defined in the one source that replaces it (allocations_test.cc).
int64_t AllocationsOfThisThread();

inline constexpr double kInf = HUGE_VAL;
inline constexpr double kNan = NAN;
inline constexpr std::nullopt_t kNull = std::nullopt;

}  // namespace slipway::features
