#pragma once
// Bundle: the immutable package of a model, as a folder or a .slipway archive (deterministic tar, zstd).
// Format: docs/formats/bundle.md.

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/value.h"
#include "bundle/manifest.h"

namespace slipway::bundle {

inline constexpr std::string_view kManifestFile = "slipway.yaml";
inline constexpr std::string_view kFittedFile = "fitted.json";
inline constexpr std::string_view kBaselineFile = "baseline.json";
inline constexpr std::string_view kGoldenFile = "golden.jsonl";
inline constexpr std::string_view kDigestsFile = "digests.json";  ///< written by pack: SHA-256 and size of every file
inline constexpr std::string_view kLineageFile = "lineage.json";  ///< written by pack

/// Bounds on what is opened; each is documented in docs/formats/bundle.md and has a test.
struct OpenLimits {
  int64_t archive_bytes = int64_t{8} << 30;
  int64_t unpacked_bytes = int64_t{16} << 30;
  int64_t file_bytes = int64_t{8} << 30;
  double ratio = 200;              ///< unpacked : packed, once past ratio_free_bytes
  int64_t ratio_free_bytes = int64_t{16} << 20;
  int files = 4096;
  int path_bytes = 255;
  int64_t manifest_bytes = int64_t{4} << 20;
};

/// The files of a bundle in memory (an archive) or on disk (a folder), opened and checked for form.
/// Immutable; const access from any thread.
class Bundle {
 public:
  /// Opens a folder or an archive. Refused: absolute or escaping paths, links, devices, duplicate or non-canonical
  /// names, anything past `limits`. An archive's digests are checked while it is read ("bundle.digest_mismatch").
  static base::Result<Bundle> Open(const std::filesystem::path& path, const OpenLimits& limits = {});

  const Manifest& manifest() const { return *manifest_; }
  const base::Value& fitted() const { return fitted_; }  ///< null when there is none
  bool is_archive() const { return archive_; }

  /// Names of all files, sorted.
  std::vector<std::string> Files() const;
  bool Has(std::string_view name) const;
  /// The bytes of a file. From an archive a view into this object, from a folder read (and kept) on demand.
  base::Result<std::string_view> Read(std::string_view name) const;
  /// Path on disk for folders; empty for archives.
  std::filesystem::path PathOf(std::string_view name) const;

  /// "sha256:…" over the sorted list of (name, SHA-256 of the bytes); the identity of the bundle. For a folder that has
  /// not been packed: computed from the files as they are.
  base::Result<std::string> Digest() const;

 private:
  Bundle() = default;
  struct Files_;
  std::shared_ptr<Files_> files_;
  std::shared_ptr<const Manifest> manifest_;
  base::Value fitted_;
  bool archive_ = false;
};

/// Files to be packed, in any order; written sorted, with zero times, fixed modes and owners: the same files give the
/// same bytes on every machine.
base::Result<void> WriteArchive(const std::filesystem::path& target, const std::map<std::string, std::string>& files);

/// SHA-256 in lower-case hex.
std::string Sha256Hex(std::string_view bytes);

/// Streaming SHA-256 for files too large for memory.
base::Result<std::string> Sha256OfFile(const std::filesystem::path& path);

}  // namespace slipway::bundle
