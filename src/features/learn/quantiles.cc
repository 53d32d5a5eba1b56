#include "features/learn/quantiles.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace slipway::features {

Quantiles::Quantiles(int64_t budget, int64_t level_size)
    : budget_(std::max<int64_t>(budget, 2)),
      level_size_(static_cast<size_t>(level_size > 0 ? std::max<int64_t>(2, level_size & ~int64_t{1})
                                                     : std::clamp<int64_t>(budget / 64 & ~int64_t{1}, 256, 1 << 16))) {}

void Quantiles::Add(double value) {
  Add(value, 1);
}

void Quantiles::Add(double value, int64_t times) {
  if (times <= 0) return;
  min_ = count_ == 0 ? value : std::min(min_, value);
  max_ = count_ == 0 ? value : std::max(max_, value);
  count_ += times;
  settled_ = false;
  if (exact() && count_ <= budget_) {
    values_.insert(values_.end(), static_cast<size_t>(times), value);
    return;
  }
  if (exact()) Spill();
  // A value of level l counts 2^l times.
  for (size_t level = 0; times != 0; ++level, times >>= 1) {
    if (times & 1) AddToLevel(level, value);
  }
}

void Quantiles::Spill() {
  Reach(0);
  for (const double value : values_) AddToLevel(0, value);
  values_ = {};
}

void Quantiles::Reach(size_t level) {
  while (levels_.size() <= level) {
    levels_.emplace_back().reserve(level_size_);
    compactions_.push_back(0);
  }
}

void Quantiles::AddToLevel(size_t level, double value) {
  Reach(level);
  levels_[level].push_back(value);
  if (levels_[level].size() < level_size_) return;
  std::vector<double> full;
  full.swap(levels_[level]);
  std::ranges::sort(full);
  for (size_t i = static_cast<size_t>(compactions_[level] & 1); i < full.size(); i += 2) AddToLevel(level + 1, full[i]);
  ++compactions_[level];
  full.clear();
  levels_[level].swap(full);  // keeps the memory
}

void Quantiles::Settle() {
  if (settled_) return;
  settled_ = true;
  if (exact()) {
    std::ranges::sort(values_);
    return;
  }
  std::vector<std::pair<double, int64_t>> weighted;
  for (size_t level = 0; level < levels_.size(); ++level) {
    for (const double value : levels_[level]) weighted.emplace_back(value, int64_t{1} << level);
  }
  std::ranges::sort(weighted);
  sorted_.clear();
  ranks_.clear();
  int64_t rank = 0;
  for (const auto& [value, weight] : weighted) {
    rank += weight;
    sorted_.push_back(value);
    ranks_.push_back(rank);
  }
}

double Quantiles::AtRank(int64_t rank) {
  if (exact()) return values_[static_cast<size_t>(rank)];
  if (rank <= 0) return min_;
  if (rank >= count_ - 1) return max_;
  const auto found = std::ranges::upper_bound(ranks_, rank);
  return found == ranks_.end() ? max_ : sorted_[static_cast<size_t>(found - ranks_.begin())];
}

double Quantiles::Quantile(double share) {
  Settle();
  const double at = static_cast<double>(count_ - 1) * share;
  if (at >= static_cast<double>(count_ - 1)) return max_;
  const double floor = std::floor(at);
  const double a = AtRank(static_cast<int64_t>(floor));
  const double b = AtRank(static_cast<int64_t>(floor) + 1);
  const double t = at - floor;
  const double difference = b - a;
  if (std::isinf(difference)) return a * (1 - t) + b * t;
  return t >= 0.5 ? b - difference * (1 - t) : a + difference * t;
}

int64_t Quantiles::CountUpTo(double value) {
  Settle();
  if (count_ == 0 || value < min_) return 0;
  if (value >= max_) return count_;
  if (exact()) return std::ranges::upper_bound(values_, value) - values_.begin();
  const auto after = std::ranges::upper_bound(sorted_, value);
  return after == sorted_.begin() ? 0 : ranks_[static_cast<size_t>(after - sorted_.begin()) - 1];
}

// Sorting a level of weight w and keeping every second value moves a rank up by at most w when the first of each pair
// stays, down by at most w when the second does.
int64_t Quantiles::rank_error() const {
  int64_t error = 0;
  for (size_t level = 0; level < compactions_.size(); ++level) error += ((compactions_[level] + 1) / 2) << level;
  return error;
}

double Quantiles::Median() {
  Settle();
  const int64_t middle = count_ / 2;
  if (count_ % 2 == 1) return AtRank(middle);
  return std::midpoint(AtRank(middle - 1), AtRank(middle));
}

}  // namespace slipway::features
