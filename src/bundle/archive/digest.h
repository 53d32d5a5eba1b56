#pragma once
// Digests: what makes a bundle's identity, and digests.json, which lets an archive be checked while it is opened.

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "base/error.h"

namespace slipway::bundle {

struct FileDigest {
  std::string sha256;  ///< lower-case hex
  int64_t size = 0;
  friend bool operator==(const FileDigest&, const FileDigest&) = default;
};
/// By file name; digests.json itself is never among them.
using FileDigests = std::map<std::string, FileDigest>;

/// SHA-256 in lower-case hex.
std::string Sha256Hex(std::string_view bytes);

/// Streaming SHA-256 for files too large for memory. Errors as base::ReadFile.
base::Result<FileDigest> DigestFile(const std::filesystem::path& path);

/// "sha256:…", the identity of a bundle of these files: SHA-256 over `<sha256>  <name>\n` of each file in the order of
/// names, which is what `sha256sum` prints.
std::string IdentityOf(const FileDigests& files);

/// The text of digests.json: {"format":1,"digest":"sha256:…","files":{name:{"sha256","size"},…}}.
std::string FormatDigests(const FileDigests& files);
/// Errors: "bundle.digests" with what is wrong with the text.
base::Result<FileDigests> ParseDigests(std::string_view text);

/// Errors: "bundle.digest_mismatch" naming the first file that is missing, extra or altered.
base::Result<void> CompareDigests(const FileDigests& recorded, const FileDigests& found);

}  // namespace slipway::bundle
