#include "fitting/number_distribution.h"

#include <algorithm>
#include <cmath>

namespace slipway::fitting {
namespace {

void DescribeMoments(const features::Moments& moments, base::Value& out) {
  const double mean = moments.Mean();
  const double deviation = std::sqrt(moments.Variance());
  if (std::isfinite(mean)) out.Set("mean", mean);
  if (std::isfinite(deviation)) out.Set("std", deviation);
}

}  // namespace

SketchSize SketchSize::For(int64_t distributions) {
  constexpr int64_t kValues = int64_t{1} << 24;
  SketchSize size;
  size.exact = std::clamp<int64_t>(kValues / std::max<int64_t>(distributions, 1), 1 << 10, size.exact);
  size.level = std::clamp<int64_t>(size.exact / 16, 1 << 8, size.level);
  return size;
}

void NumberDistribution::Add(double value, int64_t times) {
  if (std::isnan(value)) {
    nan_ += times;
  } else if (std::isinf(value)) {
    infinite_ += times;
  } else if (many_ != nullptr || !Count(value + 0.0, times)) {  // adding makes -0.0 the same value as 0.0
    moments_.Add(value, times);
    many_->Add(value, times);
  }
}

// False when there are too many different values to count each; what was counted has moved on then.
bool NumberDistribution::Count(double value, int64_t times) {
  if (last_ < few_.size() && few_[last_].value == value) {
    few_[last_].times += times;
    return true;
  }
  const auto at = std::ranges::lower_bound(few_, value, {}, &Counted::value);
  last_ = static_cast<size_t>(at - few_.begin());
  if (at != few_.end() && at->value == value) {
    at->times += times;
    return true;
  }
  if (few_.size() < kFewValues) {
    few_.insert(at, {value, times});
    return true;
  }
  MoveOn();
  return false;
}

void NumberDistribution::MoveOn() {
  many_ = std::make_unique<features::Quantiles>(size_.exact, size_.level);
  for (const Counted& one : few_) {
    moments_.Add(one.value, one.times);
    many_->Add(one.value, one.times);
  }
  few_ = {};
}

void NumberDistribution::Describe(base::Value& out) {
  if (nan_ > 0) out.Set("nan", nan_);
  if (infinite_ > 0) out.Set("infinite", infinite_);
  int64_t counted = 0;
  for (const Counted& one : few_) counted += one.times;
  const bool hardly_repeated = counted < 10 * static_cast<int64_t>(few_.size());
  if (few_.size() > kBaselineBins && hardly_repeated) MoveOn();  // a small table of many values
  if (many_ != nullptr) {
    DescribeMany(out);
  } else if (!few_.empty()) {
    DescribeFew(out);
  }
}

void NumberDistribution::DescribeFew(base::Value& out) const {
  features::Moments moments;
  auto edges = base::Value::List(), counts = base::Value::List();
  for (const Counted& one : few_) {
    moments.Add(one.value, one.times);
    counts.Add(one.times);
    if (&one != &few_.back()) edges.Add(one.value);
  }
  out.Set("min", few_.front().value).Set("max", few_.back().value);
  DescribeMoments(moments, out);
  out.Set("edges", std::move(edges)).Set("counts", std::move(counts));
}

void NumberDistribution::DescribeMany(base::Value& out) {
  auto edges = base::Value::List(), counts = base::Value::List();
  double last = many_->min();
  int64_t below = 0;
  for (int i = 1; i < kBaselineBins; ++i) {
    const double edge = many_->Quantile(static_cast<double>(i) / kBaselineBins);
    if (edge >= many_->max() || (edge <= last && !edges.list().empty())) continue;
    last = edge;
    const int64_t up_to = many_->CountUpTo(edge);
    edges.Add(edge);
    counts.Add(up_to - below);
    below = up_to;
  }
  counts.Add(many_->count() - below);
  out.Set("min", many_->min()).Set("max", many_->max());
  DescribeMoments(moments_, out);
  out.Set("edges", std::move(edges)).Set("counts", std::move(counts));
  if (const int64_t error = many_->rank_error(); error > 0) out.Set("error", error);
}

}  // namespace slipway::fitting
