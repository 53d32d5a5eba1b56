#pragma once
// Evenly spaced numbers, as numpy.linspace rounds them.

#include <cstdint>

namespace slipway::features {

/// numpy.linspace(low, high, n)[i].
inline double Linspace(double low, double high, int64_t i, int64_t n) {
  if (n > 1 && i == n - 1) return high;
  return n == 1 ? low : static_cast<double>(i) * ((high - low) / static_cast<double>(n - 1)) + low;
}

}  // namespace slipway::features
