#pragma once
// Bundle: the immutable package of a model, as a folder or a .slipway archive (deterministic tar, zstd).
// Format: docs/formats/bundle.md.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/value.h"
#include "bundle/archive/digest.h"
#include "bundle/manifest.h"

namespace slipway::bundle {

inline constexpr std::string_view kManifestFile = "slipway.yaml";
inline constexpr std::string_view kFittedFile = "fitted.json";
inline constexpr std::string_view kBaselineFile = "baseline.json";
inline constexpr std::string_view kGoldenFile = "golden.jsonl";
inline constexpr std::string_view kDigestsFile = "digests.json";  ///< written by WriteArchive
inline constexpr std::string_view kLineageFile = "lineage.json";  ///< written by pack

/// Bounds on what is opened; each is documented in docs/formats/bundle.md and has a test.
struct OpenLimits {
  int64_t archive_bytes = int64_t{4} << 30;
  int64_t unpacked_bytes = int64_t{8} << 30;
  int64_t file_bytes = int64_t{4} << 30;
  double ratio = 200;  ///< unpacked : packed, once past ratio_free_bytes
  int64_t ratio_free_bytes = int64_t{16} << 20;
  int files = 4096;
  int path_bytes = 255;
  int64_t manifest_bytes = int64_t{1} << 20;
  int64_t table_bytes = int64_t{64} << 20;  ///< of one file of a lookup step
  int64_t table_rows = 1 << 20;
};

class FileStore;
/// Files by their names in a bundle.
using LentFiles = std::map<std::string, std::string_view, std::less<>>;

/// The files of a bundle in memory (an archive) or on disk (a folder), opened and checked for form.
/// Immutable; const access from any thread; copies share the files.
class Bundle {
 public:
  /// Opens a folder or an archive. Refused: absolute or escaping paths, links, devices, duplicate or non-canonical
  /// names, anything past `limits`. An archive's digests are checked. A folder may lack the model and what fit writes.
  /// Lookup steps of the manifest get the content of their `file` as `table`.
  /// Errors: "bundle.…" (docs/formats/bundle.md lists them), "manifest.…", "json.…" with the file as `where`.
  static base::Result<Bundle> Open(const std::filesystem::path& path, const OpenLimits& limits = {});
  /// A bundle of files that lie in memory already, as another bundle's Read() gave them: checked for form, not for
  /// digests. The bytes are lent for as long as any copy lives. Errors: as Open().
  static base::Result<Bundle> OfFiles(LentFiles files);

  const Manifest& manifest() const { return *manifest_; }
  const base::Value& fitted() const { return *fitted_; }  ///< null when there is none
  bool is_archive() const;

  /// Names of all files but digests.json, sorted. Of a folder: the well-known names and what the manifest refers to, as
  /// far as they are there; other files in it are no part of the bundle.
  std::vector<std::string> Files() const;
  bool Has(std::string_view name) const;
  /// The bytes of a file, valid as long as a copy of this object. From an archive a view, from a folder read (and kept)
  /// on demand; a folder also gives files outside Files(), such as a model's external data, but none outside itself.
  /// Errors: "bundle.missing_file", "bundle.file_name", "bundle.file_kind", "bundle.limit".
  base::Result<std::string_view> Read(std::string_view name) const;
  /// Path on disk for folders; empty for archives and names that cannot be in a bundle.
  std::filesystem::path PathOf(std::string_view name) const;

  /// Digest and size of each of Files(). A folder's are computed from the files as they are now.
  base::Result<FileDigests> Digests() const;
  /// "sha256:…", the identity of the bundle: IdentityOf(Digests()).
  base::Result<std::string> Digest() const;

 private:
  Bundle(std::shared_ptr<const FileStore> files, std::shared_ptr<const Manifest> manifest,
         std::shared_ptr<const base::Value> fitted);
  static base::Result<Bundle> Assemble(std::unique_ptr<FileStore> files, const std::filesystem::path& path,
                                       const OpenLimits& limits);

  std::shared_ptr<const FileStore> files_;
  std::shared_ptr<const Manifest> manifest_;
  std::shared_ptr<const base::Value> fitted_;
};

/// Writes an archive of these files and their digests.json, sorted, with zero times, fixed modes and owners: the same
/// files give the same bytes on every machine (with the same release of zstd). Returns the digest of the bundle.
/// Errors: "bundle.no_manifest", "bundle.file_name", "bundle.duplicate_name", "bundle.limit", "file.write".
base::Result<std::string> WriteArchive(const std::filesystem::path& target,
                                       const std::map<std::string, std::string>& files, const OpenLimits& limits = {});

}  // namespace slipway::bundle
