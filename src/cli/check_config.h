#pragma once
// slipway serve --check-config: would this configuration serve?

#include "cli/command_line.h"
#include "cli/console.h"
#include "cli/serve_options.h"

namespace slipway::cli {

/// Prints what holds and where it comes from, then loads certificates and bundles as `serve` would, without listening,
/// and tells every problem. kFine, kUsage for the configuration itself, kData or kEnvironment for what it names.
ExitCode CheckConfig(const ServeSources& sources, const Console& console);

/// What a fault in the configuration means for the exit code: kUsage, unless the file could not be read.
ExitCode FailConfig(const base::Error& error, const Console& console);

}  // namespace slipway::cli
