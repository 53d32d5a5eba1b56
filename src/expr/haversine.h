#pragma once
// The one formula of distance on the globe, for the function haversine and the feature step of that name.

#include <cmath>
#include <numbers>

namespace slipway::expr {

inline constexpr double kEarthRadiusKm = 6371.0088;  ///< mean radius, IUGG

/// The angle, in radians, between two points in degrees. NaN when any is NaN or infinite. The order of operations is
/// that of scikit-learn's haversine_distances. Source: R. W. Sinnott, "Virtues of the Haversine", 1984.
inline double HaversineAngle(double latitude_a, double longitude_a, double latitude_b, double longitude_b) {
  constexpr double kRadian = std::numbers::pi / 180;
  const double phi_a = latitude_a * kRadian, phi_b = latitude_b * kRadian;
  const double sin_phi = std::sin(0.5 * (phi_a - phi_b));
  const double sin_lambda = std::sin(0.5 * (longitude_a * kRadian - longitude_b * kRadian));
  const double squared = sin_phi * sin_phi + std::cos(phi_a) * std::cos(phi_b) * sin_lambda * sin_lambda;
  return 2 * std::asin(std::sqrt(squared > 1 ? 1 : squared));
}

/// Kilometres along the great circle.
inline double HaversineKm(double latitude_a, double longitude_a, double latitude_b, double longitude_b) {
  return kEarthRadiusKm * HaversineAngle(latitude_a, longitude_a, latitude_b, longitude_b);
}

}  // namespace slipway::expr
