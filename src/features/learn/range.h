#pragma once
// Range: smallest and largest value of a stream.

#include <algorithm>
#include <cstdint>

namespace slipway::features {

class Range {
 public:
  void Add(double value) {
    min_ = count_ == 0 ? value : std::min(min_, value);
    max_ = count_ == 0 ? value : std::max(max_, value);
    ++count_;
  }
  int64_t count() const { return count_; }
  double min() const { return min_; }
  double max() const { return max_; }

 private:
  int64_t count_ = 0;
  double min_ = 0, max_ = 0;
};

}  // namespace slipway::features
