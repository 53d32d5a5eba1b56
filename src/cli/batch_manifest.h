#pragma once
// slipway batch manifest.

#include "cli/command_line.h"

namespace slipway::cli {

void AddBatchManifest(CLI::App& batch, Run& run);

}  // namespace slipway::cli
