#pragma once
// References of protocols that keep name and version apart, and of tools that know versions as integers only.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bundle/version.h"
#include "live/live_set.h"

namespace slipway::serving {

/// The integer by which digit-only tools may name a release: major * 1,000,000 + minor * 1,000 + patch. nullopt for a
/// prerelease, a part past 999 (the major: 999,999), and below 0.1.0, where it could be taken for a major version.
std::optional<int64_t> IntegerVersion(const bundle::Version& version);

/// Whether a selector is one of digits only.
bool IsInteger(std::string_view selector);

/// Writes "name@selector" into `reference` (memory is kept); just the name when the selector is empty. An integer means
/// the newest release of that major version; where none is loaded, the release of that IntegerVersion. Only integers
/// take the live set's lock.
void ComposeReference(const live::LiveSet& live, std::string_view name, std::string_view selector,
                      std::string& reference);

}  // namespace slipway::serving
