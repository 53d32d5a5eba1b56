#pragma once
// Minima of functions of one variable, by R. P. Brent's method ("Algorithms for Minimization Without Derivatives",
// 1973): parabolas where they help, golden sections where they do not. Two forms with the tolerances that SciPy uses,
// because the lambda of a power transform is wherever its optimiser stops.

#include <functional>

namespace slipway::features {

/// Inside [low, high], to an absolute tolerance of 1.48e-8 (as scipy.optimize.fminbound). At most 500 evaluations.
double MinimumBetween(double low, double high, const std::function<double(double)>& f);

/// Near -2 and 2, after looking downhill for a bracket (as scipy.optimize.brent with brack=(-2, 2)), to a relative
/// tolerance of 1.48e-8. At most some 1500 evaluations; where no bracket is found, the best point seen.
double MinimumNear(double a, double b, const std::function<double(double)>& f);

}  // namespace slipway::features
