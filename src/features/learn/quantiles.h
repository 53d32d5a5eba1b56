#pragma once
// Quantiles of a stream: exact while the values fit the budget, afterwards from a deterministic sketch of bounded
// memory.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace slipway::features {

/// Past the budget, values are held in levels of k; a full level is sorted and every second value moves up with twice
/// the weight, the odd ones and the even ones in turn (the scheme of Munro-Paterson and of Manku, Rajagopalan and
/// Lindsay, "Approximate medians and other order statistics in one pass", 1998). The rank of an answer is off by at
/// most n * log2(n / k) / k of n rows, and by half of that when odd and even ones alternate throughout; k = 65536 under
/// the default budget, so under 0.03 % of the rows at a billion rows.
/// Thread-safety: one thread; Quantile() sorts lazily, so it counts as a write.
class Quantiles {
 public:
  /// `budget`: values kept exactly. `level_size`: k, made even; 0: a 64th of the budget, within 256 and 65536.
  explicit Quantiles(int64_t budget, int64_t level_size = 0);

  void Add(double value);                 ///< finite
  void Add(double value, int64_t times);  ///< the same value several times, at little more than the cost of once

  int64_t count() const { return count_; }
  double min() const { return min_; }
  double max() const { return max_; }
  bool exact() const { return levels_.empty(); }

  /// numpy.percentile's default (linear interpolation between order statistics). Precondition: count() > 0,
  /// 0 <= share <= 1.
  double Quantile(double share);
  /// The mean of the two middle values, as numpy.median.
  double Median();
  /// How many values are at most `value`; off by at most rank_error().
  int64_t CountUpTo(double value);
  /// Rows by which any rank may be off; 0 while exact().
  int64_t rank_error() const;

 private:
  void Spill();
  void Reach(size_t level);
  void AddToLevel(size_t level, double value);
  double AtRank(int64_t rank);
  void Settle();

  int64_t budget_;
  size_t level_size_;
  int64_t count_ = 0;
  double min_ = 0, max_ = 0;
  std::vector<double> values_;               ///< exact; empty once spilled
  std::vector<std::vector<double>> levels_;  ///< weight 2^level
  std::vector<int64_t> compactions_;         ///< per level; even ones keep the first of each pair, odd ones the second
  bool settled_ = false;
  std::vector<double> sorted_;  ///< of the sketch, with ranks_
  std::vector<int64_t> ranks_;  ///< cumulated weight up to and with the value
};

}  // namespace slipway::features
