#pragma once
// FileStore is where a bundle's files are: a folder on disk, or an archive in memory.

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "bundle/archive/digest.h"
#include "bundle/bundle.h"

namespace slipway::bundle {

/// Thread-safety: const access from any thread.
class FileStore {
 public:
  virtual ~FileStore() = default;
  virtual bool is_archive() const = 0;
  virtual bool Has(std::string_view name) const = 0;
  /// The bytes, valid as long as this object.
  virtual base::Result<std::string_view> Read(std::string_view name, int64_t limit) const = 0;
  virtual std::filesystem::path PathOf(std::string_view name) const = 0;
  /// All files of an archive; of a folder those given to Select().
  virtual std::vector<std::string> Names() const = 0;
  virtual base::Result<FileDigests> Digests() const = 0;
  /// Tells a folder which of its files belong to the bundle; called once, while opening.
  virtual void Select(std::vector<std::string> names) = 0;
};

base::Result<std::unique_ptr<FileStore>> OpenFolder(const std::filesystem::path& path, const OpenLimits& limits);
/// The digests of an archive have been checked against its digests.json.
base::Result<std::unique_ptr<FileStore>> OpenArchive(const std::filesystem::path& path, const OpenLimits& limits);
/// Files in memory, which outlives the store.
std::unique_ptr<FileStore> LendFiles(LentFiles files);

std::unexpected<base::Error> MissingFile(std::string_view name);

}  // namespace slipway::bundle
