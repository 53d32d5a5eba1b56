#pragma once
// The range that init proposes for a column: what its name says where that is known (a month is 1 to 12), else a little
// wider than what was seen, at round numbers.

#include <string_view>

namespace slipway::profile {

struct Bounds {
  double low = 0;
  double high = 0;
};

/// Precondition: low <= high, both finite.
Bounds ProposedBounds(std::string_view column, Bounds seen);

}  // namespace slipway::profile
