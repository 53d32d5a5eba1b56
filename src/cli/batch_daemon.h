#pragma once
// slipway batch daemon, slipway batch history.

#include "cli/command_line.h"

namespace slipway::cli {

void AddBatchDaemon(CLI::App& batch, Run& run);
void AddBatchHistory(CLI::App& batch, Run& run);

}  // namespace slipway::cli
