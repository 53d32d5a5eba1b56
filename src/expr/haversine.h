#pragma once
// The one formula of distance on the globe, for the function haversine and the feature step of that name.

#include <cmath>
#include <numbers>

namespace slipway::expr {

inline constexpr double kEarthRadiusKm = 6371.0088;  ///< mean radius, IUGG

/// Kilometres along the great circle between two points in degrees. NaN when any is NaN or infinite.
/// Source: R. W. Sinnott, "Virtues of the Haversine", 1984.
inline double HaversineKm(double latitude_a, double longitude_a, double latitude_b, double longitude_b) {
  constexpr double kRadian = std::numbers::pi / 180;
  const double phi_a = latitude_a * kRadian;
  const double phi_b = latitude_b * kRadian;
  const double sin_phi = std::sin((phi_b - phi_a) / 2);
  const double sin_lambda = std::sin((longitude_b - longitude_a) * kRadian / 2);
  const double chord = sin_phi * sin_phi + std::cos(phi_a) * std::cos(phi_b) * (sin_lambda * sin_lambda);
  return 2 * kEarthRadiusKm * std::asin(std::sqrt(chord > 1 ? 1 : chord));
}

}  // namespace slipway::expr
