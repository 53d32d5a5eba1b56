#pragma once
// What changed between two versions of a bundle for those who call it, and the semantic version that this demands.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/value.h"
#include "bundle/manifest.h"
#include "bundle/version.h"
#include "schema/schema.h"

namespace slipway::bundle {

enum class Bump : uint8_t {
  kPatch,  ///< callers notice nothing
  kMinor,  ///< all that was accepted still is, and answers carry all they carried
  kMajor,  ///< some caller has to change
};

/// "patch", "minor", "major".
std::string_view BumpName(Bump bump);

struct Change {
  std::string path;  ///< "inputs.distance.max", "outputs.late"
  Bump bump = Bump::kPatch;
  std::string message;  ///< one sentence
};

/// Changes of what is accepted. A record that the old schema accepted and the new one may refuse, or read otherwise, is
/// kMajor. In the order of the new columns, removed ones last.
std::vector<Change> CompareSchemas(const schema::Schema& before, const schema::Schema& after);

/// Changes of the declared fields of the answer.
std::vector<Change> CompareOutputs(std::span<const OutputSpec> before, std::span<const OutputSpec> after);

/// The largest bump; kPatch for none.
Bump DemandedBump(std::span<const Change> changes);

/// Error "version.not_bumped" when `after` does not follow `before` by at least what the changes demand. Below 1.0.0 a
/// minor step may break, a patch step may add (semver.org, section 4). A pre-release is held to its release's numbers.
base::Result<void> CheckBump(const Version& before, const Version& after, std::span<const Change> changes);

}  // namespace slipway::bundle
