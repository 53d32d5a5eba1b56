#include "features/learn/quantiles.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace slipway::features {

Quantiles::Quantiles(int64_t budget)
    : budget_(std::max<int64_t>(budget, 2)),
      level_size_(static_cast<size_t>(std::clamp<int64_t>(budget / 64, 256, 1 << 16))) {}

void Quantiles::Add(double value) {
  min_ = count_ == 0 ? value : std::min(min_, value);
  max_ = count_ == 0 ? value : std::max(max_, value);
  ++count_;
  settled_ = false;
  if (!exact()) return AddToLevel(0, value);
  values_.push_back(value);
  if (static_cast<int64_t>(values_.size()) > budget_) Spill();
}

void Quantiles::Spill() {
  for (const double value : values_) AddToLevel(0, value);
  values_ = {};
}

void Quantiles::AddToLevel(size_t level, double value) {
  if (level == levels_.size()) {
    levels_.emplace_back().reserve(level_size_);
    take_odd_.push_back(false);
  }
  levels_[level].push_back(value);
  if (levels_[level].size() < level_size_) return;
  std::vector<double> full;
  full.swap(levels_[level]);
  std::ranges::sort(full);
  for (size_t i = take_odd_[level] ? 1 : 0; i < full.size(); i += 2) AddToLevel(level + 1, full[i]);
  take_odd_[level] = !take_odd_[level];
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

double Quantiles::Median() {
  Settle();
  const int64_t middle = count_ / 2;
  if (count_ % 2 == 1) return AtRank(middle);
  return std::midpoint(AtRank(middle - 1), AtRank(middle));
}

}  // namespace slipway::features
