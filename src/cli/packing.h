#pragma once
// The work behind `slipway pack`.

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/value.h"
#include "cli/console.h"

namespace slipway::cli {

struct PackOptions {
  std::string folder, model, golden, golden_format, output;
  int64_t golden_rows = 100;
};

struct Packed {
  std::string name, version, output, digest;
  int64_t golden = 0, golden_rejected = 0, files = 0;
  std::string golden_reasons;         ///< why the first rejected golden record is, in codes
  std::vector<std::string> personal;  ///< required personal columns: golden records come without them
  base::Value ToValue() const;
};

/// Checks everything (manifest, features, model, outputs), scores the golden records and writes the archive. The folder
/// itself is not changed.
base::Result<Packed> Pack(const PackOptions& options, const Console& console);

}  // namespace slipway::cli
