#pragma once
// The version of this program, from the build.

namespace slipway::cli {

extern const char* const kProgramVersion;

}  // namespace slipway::cli
