#pragma once
// WideDistribution: a short description of a vector with more elements than can be described one by one (a hash of
// 4096 columns, a text's n-grams, an embedding): how many are not zero in a row and what they sum up to, and the
// elements themselves in groups of neighbours.

#include <cstdint>
#include <span>
#include <vector>

#include "base/value.h"
#include "features/learn/moments.h"
#include "fitting/number_distribution.h"

namespace slipway::fitting {

inline constexpr int64_t kElementGroups = 64;

/// The same rows in the same order give the same result. Thread-safety: one thread.
class WideDistribution {
 public:
  /// `width`: elements of a row; -1 when it varies, then there are no groups.
  WideDistribution(int64_t width, SketchSize size);

  void AddRow(std::span<const double> elements);

  /// Adds the members of docs/formats/bundle.md ("nan" to "groups") that apply.
  void Describe(base::Value& out);

 private:
  struct Group {
    features::Moments moments;  ///< of what is not zero, until described
    int64_t elements = 0;       ///< finite ones, zeros too
  };

  int64_t group_size_ = 0;
  std::vector<Group> groups_;
  NumberDistribution length_, nonzero_, sum_;  ///< one number a row each
  int64_t nan_ = 0, infinite_ = 0;
  int64_t width_;
};

}  // namespace slipway::fitting
