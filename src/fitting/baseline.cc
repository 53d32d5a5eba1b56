#include "fitting/baseline.h"

#include <algorithm>
#include <cmath>

namespace slipway::fitting {

ColumnBaseline::ColumnBaseline(const data::Field& field) : field_(field), quantiles_(1 << 16) {}

bool ColumnBaseline::numeric() const {
  return field_.type.is_scalar() && field_.type.scalar != data::ScalarType::kString;
}

double ColumnBaseline::Number(const data::ColumnView& column, int64_t row) const {
  switch (column.type) {
    case data::ScalarType::kNumber:
      return column.numbers()[row];
    case data::ScalarType::kBoolean:
      return column.booleans()[row];
    default:
      return static_cast<double>(column.integers()[row]);
  }
}

void ColumnBaseline::Explore(const data::ColumnView& column, int64_t rows) {
  if (numeric()) {
    for (int64_t row = 0; row < rows; ++row) {
      const double value = column.IsValid(row) ? Number(column, row) : std::nan("");
      if (std::isfinite(value)) quantiles_.Add(value);
    }
  } else if (field_.type.is_scalar() && !field_.personal) {
    for (int64_t row = 0; row < rows; ++row) {
      if (!column.IsValid(row)) continue;
      const auto text = column.string(row);
      if (const auto it = values_.find(text); it != values_.end()) {
        ++it->second;
      } else if (values_.size() < 16 * kBaselineValues) {  // candidates; the most frequent ones stay
        values_.emplace(text, 1);
      }
    }
  }
}

void ColumnBaseline::EndExploring() {
  if (numeric() && quantiles_.count() > 0) {
    for (int i = 1; i < kBaselineBins; ++i) {
      const double edge = quantiles_.Quantile(static_cast<double>(i) / kBaselineBins);
      if (edges_.empty() || edge > edges_.back()) edges_.push_back(edge);
    }
  }
  bins_.assign(edges_.size() + 1, 0);
  std::vector<std::pair<std::string, int64_t>> sorted(values_.begin(), values_.end());
  std::ranges::stable_sort(sorted, std::greater<>{}, &std::pair<std::string, int64_t>::second);
  if (sorted.size() > kBaselineValues) sorted.resize(kBaselineValues);
  values_.clear();
  for (const auto& [value, count] : sorted) values_.emplace(value, 0);
}

void ColumnBaseline::Count(const data::ColumnView& column, int64_t rows) {
  rows_ += rows;
  for (int64_t row = 0; row < rows; ++row) {
    if (!column.IsValid(row)) {
      ++nulls_;
    } else if (numeric()) {
      const double value = Number(column, row);
      if (!std::isfinite(value)) {
        ++non_finite_;
      } else {
        // A value on an edge belongs to the bin below it.
        ++bins_[static_cast<size_t>(std::ranges::lower_bound(edges_, value) - edges_.begin())];
      }
    } else if (field_.type.is_scalar() && !field_.personal) {
      const auto it = values_.find(column.string(row));
      it != values_.end() ? ++it->second : ++other_;
    }
  }
}

base::Value ColumnBaseline::ToValue() const {
  auto value = base::Value::Map();
  value.Set("type", field_.type.ToString()).Set("rows", rows_).Set("nulls", nulls_);
  if (numeric() && quantiles_.count() > 0) {
    value.Set("min", quantiles_.min()).Set("max", quantiles_.max());
    if (non_finite_) value.Set("non_finite", non_finite_);
    auto edges = base::Value::List(), bins = base::Value::List();
    for (const double edge : edges_) edges.Add(edge);
    for (const int64_t count : bins_) bins.Add(count);
    value.Set("edges", std::move(edges)).Set("counts", std::move(bins));
  } else if (!values_.empty()) {
    auto counts = base::Value::Map();
    for (const auto& [text, count] : values_) counts.Set(text, count);
    value.Set("values", std::move(counts)).Set("other", other_);
  }
  return value;
}

}  // namespace slipway::fitting
