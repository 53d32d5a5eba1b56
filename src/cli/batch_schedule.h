#pragma once
// slipway batch schedule.

#include "cli/command_line.h"

namespace slipway::cli {

void AddBatchSchedule(CLI::App& batch, Run& run);

}  // namespace slipway::cli
