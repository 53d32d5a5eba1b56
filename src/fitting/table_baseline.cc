#include "fitting/table_baseline.h"

#include <algorithm>
#include <utility>

namespace slipway::fitting {
namespace {

base::Value Described(std::vector<ValueBaseline>& values) {
  auto map = base::Value::Map();
  for (ValueBaseline& value : values) map.map().emplace_back(value.name(), value.ToValue());
  return map;
}

}  // namespace

TableBaseline::TableBaseline(std::span<const data::Field> columns, std::span<const features::Feature> features,
                             std::optional<std::string> target)
    : present_(columns.size()), target_(std::move(target)), target_numbers_(SketchSize{}) {
  int64_t elements_left = kDescribedElementsInAll;
  int64_t distributions = 1;
  std::vector<BaselineSubject> subjects;
  for (const data::Field& column : columns) subjects.push_back(BaselineSubject::Of(column, elements_left));
  for (size_t i = 0; i < features.size(); ++i) {
    if (features[i].hidden) continue;
    feature_indices_.push_back(static_cast<int>(i));
    subjects.push_back(BaselineSubject::Of(features[i], elements_left));
  }
  for (const BaselineSubject& subject : subjects) distributions += subject.distributions();
  const SketchSize size = SketchSize::For(distributions);
  for (size_t i = 0; i < subjects.size(); ++i) {
    (i < columns.size() ? columns_ : features_).emplace_back(std::move(subjects[i]), size);
  }
}

void TableBaseline::NoteMissing(const data::Table& rows) {
  const auto words = static_cast<std::ptrdiff_t>((rows.rows + 63) / 64);
  for (size_t i = 0; i < columns_.size(); ++i) {
    const uint64_t* validity = rows.columns[i].view().validity;
    present_[i].assign(validity, validity == nullptr ? validity : validity + words);
  }
}

void TableBaseline::AddColumns(const data::Table& rows, std::span<const uint8_t> rejected) {
  rows_ += rows.rows - std::ranges::count_if(rejected, [](uint8_t flag) { return flag != 0; });
  for (size_t i = 0; i < columns_.size(); ++i) {
    const data::ColumnView view = rows.columns[i].view();
    const auto& present = present_[i];
    for (int64_t row = 0; row < rows.rows; ++row) {
      if (rejected[static_cast<size_t>(row)]) continue;
      const bool missing = !present.empty() && !(present[static_cast<size_t>(row >> 6)] >> (row & 63) & 1);
      missing ? columns_[i].AddNull() : columns_[i].Add(view, row);
    }
  }
}

void TableBaseline::AddFeatures(const features::Pipeline& pipeline, const features::PipelineWorkspace& workspace,
                                int64_t rows) {
  for (size_t i = 0; i < features_.size(); ++i) {
    const data::ColumnView view = pipeline.Result(feature_indices_[i], workspace);
    for (int64_t row = 0; row < rows; ++row) features_[i].Add(view, row);
  }
}

void TableBaseline::AddTarget(const data::Column& texts, const data::Column& numbers) {
  target_rows_ += numbers.rows();
  for (int64_t row = 0; row < numbers.rows(); ++row) {
    const std::string_view text = texts.IsValid(row) ? texts.string(row) : std::string_view();
    if (text.empty()) {
      ++target_nulls_;
      continue;
    }
    target_texts_.Add(text);
    target_is_numeric_ &= numbers.IsValid(row);
    if (numbers.IsValid(row)) target_numbers_.Add(numbers.view().numbers()[row]);
  }
}

base::Value TableBaseline::DescribeTarget() {
  auto value = base::Value::Map();
  value.Set("name", *target_).Set("type", target_is_numeric_ ? "number" : "string");
  value.Set("rows", target_rows_).Set("nulls", target_nulls_);
  if (target_is_numeric_) {
    target_numbers_.Describe(value);
  } else {
    target_texts_.Describe(value);
  }
  return value;
}

base::Value TableBaseline::ToValue() {
  auto value = base::Value::Map();
  value.Set("format", 1).Set("rows", rows_);
  value.Set("columns", Described(columns_)).Set("features", Described(features_));
  if (target_) value.Set("target", DescribeTarget());
  return value;
}

}  // namespace slipway::fitting
