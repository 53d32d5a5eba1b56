#pragma once
// NumberDistribution: how the numbers of one stream are distributed, in one pass and bounded memory.

#include <cstdint>
#include <memory>
#include <vector>

#include "base/value.h"
#include "features/learn/moments.h"
#include "features/learn/quantiles.h"

namespace slipway::fitting {

/// Different values up to which each is counted by itself, exactly.
inline constexpr size_t kFewValues = 64;
/// Bins past that, of equal frequency.
inline constexpr int kBaselineBins = 20;

/// What one distribution may keep: see features::Quantiles.
struct SketchSize {
  int64_t exact = int64_t{1} << 16;
  int64_t level = int64_t{1} << 12;

  /// Shares the memory among so many distributions: about 128 MiB for all while they are exact.
  static SketchSize For(int64_t distributions);
};

/// The same numbers in the same order give the same result. Thread-safety: one thread.
class NumberDistribution {
 public:
  explicit NumberDistribution(SketchSize size) : size_(size) {}

  void Add(double value) { Add(value, 1); }
  void Add(double value, int64_t times);

  /// Adds the members of docs/formats/bundle.md ("min" to "error") that apply.
  void Describe(base::Value& out);

 private:
  struct Counted {
    double value;
    int64_t times;
  };

  bool Count(double value, int64_t times);
  void MoveOn();
  void DescribeFew(base::Value& out) const;
  void DescribeMany(base::Value& out);

  SketchSize size_;
  int64_t nan_ = 0, infinite_ = 0;
  std::vector<Counted> few_;  ///< ascending; empty once there are more than a few
  size_t last_ = 0;           ///< index of the value that came last
  std::unique_ptr<features::Quantiles> many_;
  features::Moments moments_;  ///< of many
};

}  // namespace slipway::fitting
