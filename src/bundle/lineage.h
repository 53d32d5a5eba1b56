#pragma once
// Where a bundle comes from: the code's commit and the data's digests, for lineage.json.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/value.h"

namespace slipway::bundle {

/// {"commit": "…", "dirty": false, "branch": "main"|null, "repository": "https://…"|null} of the git working copy that
/// holds `folder`; null when there is none, it has no commit, or git is missing or answers too late. `dirty`: tracked
/// files differ from the commit; files that git does not know do not count. Runs git, for at most `patience` in all,
/// with the folder's hooks and file-system monitor off.
base::Value CollectGitLineage(const std::filesystem::path& folder,
                              std::chrono::milliseconds patience = std::chrono::seconds(5));

/// A remote's address without user, password, query or fragment; nullopt for a path on this machine.
std::optional<std::string> PublicRemote(std::string_view remote);

/// {"file": name without folders, "sha256", "size", "rows" when known}. Errors as DigestFile.
base::Result<base::Value> DescribeDataFile(const std::filesystem::path& path, std::optional<int64_t> rows);

/// The text of lineage.json: `written` (the manifest's `lineage`, or null) with `found` laid over it, key by key; lists
/// are appended, maps merged, and what was found wins.
base::Value MergeLineage(const base::Value& written, const base::Value& found);

}  // namespace slipway::bundle
