#pragma once
// How callers name a model: "name", "name@1.4.2", "name@1.4", "name@^1.2", "name@stable", "name@sha256:…".

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "bundle/version.h"

namespace slipway::live {

/// A reference taken apart. `name` is a view into the text that was parsed.
struct ModelReference {
  enum class Kind : uint8_t {
    kDefault,  ///< no selector: what the name serves
    kExact,    ///< 1.4.2
    kPrefix,   ///< 1.4 or 1: the highest release that starts so
    kCaret,    ///< ^1.2: the highest release from 1.2.0 on that semantic versioning calls compatible
    kDigest,   ///< sha256:… in full, or its first 12 digits or more
    kAlias,    ///< any other word
  };

  std::string_view name;
  Kind kind = Kind::kDefault;
  bundle::Version version;    ///< kExact; for kPrefix and kCaret with zeros in the parts not given
  int parts = 0;              ///< kPrefix: how many parts were given
  std::string_view selector;  ///< what stands after '@'

  /// Errors: invalid_argument "model.reference".
  static base::Result<ModelReference> Parse(std::string_view text);

  /// Whether a version (with its digest) is one that this reference means. For kDefault and kAlias: false.
  bool Accepts(const bundle::Version& candidate, std::string_view digest) const;
};

}  // namespace slipway::live
