#pragma once
// Semantic versions (semver.org 2.0.0) and the names of bundles.

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace slipway::bundle {

/// Ordered by precedence: 1.0.0-rc.1 < 1.0.0 < 1.0.1; the build part does not take part, also not in equality.
struct Version {
  int64_t major = 0, minor = 0, patch = 0;
  std::vector<std::string> prerelease;
  std::string build;

  /// Exactly MAJOR.MINOR.PATCH[-prerelease][+build], at most 255 bytes. Error: "version.malformed" with the way out.
  static base::Result<Version> Parse(std::string_view text);
  std::string ToString() const;
  std::strong_ordering operator<=>(const Version& other) const;
  bool operator==(const Version& other) const { return (*this <=> other) == 0; }
};

/// Names: 1 to 128 of [a-z0-9._-], starting with a letter or digit; "stats" is reserved (a foreign protocol's route).
/// Error: "name.malformed" or "name.reserved".
base::Result<void> CheckName(std::string_view name);

}  // namespace slipway::bundle
