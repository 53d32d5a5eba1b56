#include "fitting/wide_distribution.h"

#include <algorithm>
#include <cmath>

namespace slipway::fitting {
namespace {

base::Value Described(NumberDistribution& distribution) {
  auto value = base::Value::Map();
  distribution.Describe(value);
  return value;
}

base::Value FiniteOrNull(double value) {
  return std::isfinite(value) ? base::Value(value) : base::Value();
}

}  // namespace

WideDistribution::WideDistribution(int64_t width, SketchSize size)
    : length_(size), nonzero_(size), sum_(size), width_(width) {
  if (width <= 0) return;
  group_size_ = (width + kElementGroups - 1) / kElementGroups;
  groups_.resize(static_cast<size_t>((width + group_size_ - 1) / group_size_));
}

void WideDistribution::AddRow(std::span<const double> elements) {
  int64_t nonzero = 0;
  double sum = 0;
  for (size_t i = 0; i < elements.size(); ++i) {
    const double value = elements[i];
    if (value == 0) continue;
    if (!std::isfinite(value)) {
      ++(std::isnan(value) ? nan_ : infinite_);
      if (!groups_.empty()) --groups_[i / static_cast<size_t>(group_size_)].elements;
      continue;
    }
    ++nonzero;
    sum += value;
    if (!groups_.empty()) groups_[i / static_cast<size_t>(group_size_)].moments.Add(value);
  }
  for (size_t g = 0; g < groups_.size(); ++g) {
    const auto begin = static_cast<int64_t>(g) * group_size_;
    groups_[g].elements += std::min(group_size_, width_ - begin);
  }
  if (width_ < 0) length_.Add(static_cast<double>(elements.size()));
  nonzero_.Add(static_cast<double>(nonzero));
  sum_.Add(sum);
}

void WideDistribution::Describe(base::Value& out) {
  if (nan_ > 0) out.Set("nan", nan_);
  if (infinite_ > 0) out.Set("infinite", infinite_);
  if (width_ < 0) out.Set("length", Described(length_));
  out.Set("nonzero", Described(nonzero_)).Set("sum", Described(sum_));
  if (groups_.empty()) return;
  auto means = base::Value::List(), deviations = base::Value::List(), nonzero = base::Value::List();
  for (const Group& group : groups_) {
    features::Moments moments = group.moments;
    nonzero.Add(moments.count());
    moments.Add(0, group.elements - moments.count());
    const bool any = moments.count() > 0;
    means.Add(any ? FiniteOrNull(moments.Mean()) : base::Value());
    deviations.Add(any ? FiniteOrNull(std::sqrt(moments.Variance())) : base::Value());
  }
  out.Set("groups", base::Value::Map()
                        .Set("elements", group_size_)
                        .Set("mean", std::move(means))
                        .Set("std", std::move(deviations))
                        .Set("nonzero", std::move(nonzero)));
}

}  // namespace slipway::fitting
