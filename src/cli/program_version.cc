#include "cli/program_version.h"

namespace slipway::cli {

const char* const kProgramVersion = SLIPWAY_VERSION;

}  // namespace slipway::cli
