#pragma once
// The folder a person works in: slipway.yaml and what fit wrote beside it.

#include <filesystem>
#include <string>

#include "base/error.h"
#include "base/value.h"
#include "bundle/bundle.h"

namespace slipway::cli {

/// Opens a folder (not an archive). Error "folder.expected" says what the command works on.
base::Result<bundle::Bundle> OpenFolder(const std::string& folder);

}  // namespace slipway::cli
