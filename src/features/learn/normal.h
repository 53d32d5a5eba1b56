#pragma once
// The standard normal distribution's inverse.

namespace slipway::features {

/// The x with P(X <= x) = p. Relative error about 1e-16 (M. J. Wichura, "Algorithm AS 241: the percentage points of the
/// normal distribution", Applied Statistics 37, 1988, routine PPND16). -inf at 0, inf at 1, NaN outside.
double NormalQuantile(double p);

}  // namespace slipway::features
