#pragma once
// Archives: the files of a bundle as one deterministic tar, compressed by zstd.

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "base/error.h"
#include "bundle/bundle.h"

namespace slipway::bundle {

/// Reads all files of an archive into memory. Only regular files with canonical, distinct names are taken; every limit
/// is checked while reading, before memory is taken. Digests are not looked at. Errors: "bundle.missing",
/// "bundle.not_an_archive", "bundle.truncated", "bundle.corrupt", "bundle.limit", "bundle.file_name",
/// "bundle.duplicate_name", "bundle.file_kind".
base::Result<std::map<std::string, std::string>> ReadArchive(const std::filesystem::path& path,
                                                             const OpenLimits& limits);

/// The bytes of an archive of these files: the same for the same files, with the same release of zstd.
/// Errors: "bundle.file_name", "bundle.duplicate_name", "bundle.limit" (past what opening allows).
base::Result<std::string> BuildArchive(const std::map<std::string, std::string_view>& files,
                                       const OpenLimits& limits = {});

}  // namespace slipway::bundle
