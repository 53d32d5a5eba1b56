#include "bundle/archive/file_store.h"

#include <fmt/format.h>

#include <limits>
#include <map>
#include <mutex>

#include "base/files.h"
#include "base/quantities.h"
#include "base/text.h"
#include "bundle/archive/archive.h"
#include "bundle/archive/entry_name.h"

namespace slipway::bundle {
namespace {

using base::Code;
namespace fs = std::filesystem;

base::Result<std::string_view> FileIn(const auto& files, std::string_view name, int64_t limit) {
  const auto found = files.find(name);
  if (found == files.end()) return MissingFile(name);
  if (static_cast<int64_t>(found->second.size()) > limit) {
    return base::Fail(Code::kResourceExhausted, "bundle.limit",
                      fmt::format("the file \"{}\" has {} bytes, more than the limit of {}", name, found->second.size(),
                                  base::FormatBytes({limit})));
  }
  return found->second;
}

class ArchiveStore final : public FileStore {
 public:
  ArchiveStore(std::map<std::string, std::string> files, FileDigests digests) : digests_(std::move(digests)) {
    for (auto& [name, bytes] : files) files_.emplace(name, std::move(bytes));
  }

  bool is_archive() const override { return true; }
  bool Has(std::string_view name) const override { return files_.contains(name); }
  base::Result<std::string_view> Read(std::string_view name, int64_t limit) const override {
    return FileIn(files_, name, limit);
  }
  fs::path PathOf(std::string_view) const override { return {}; }
  std::vector<std::string> Names() const override {
    std::vector<std::string> names;
    for (const auto& [name, unused] : digests_) names.push_back(name);
    return names;
  }
  base::Result<FileDigests> Digests() const override { return digests_; }
  void Select(std::vector<std::string>) override {}

 private:
  std::map<std::string, std::string, std::less<>> files_;
  FileDigests digests_;
};

class LentStore final : public FileStore {
 public:
  explicit LentStore(LentFiles files) : files_(std::move(files)) {}

  bool is_archive() const override { return false; }
  bool Has(std::string_view name) const override { return files_.contains(name); }
  base::Result<std::string_view> Read(std::string_view name, int64_t limit) const override {
    return FileIn(files_, name, limit);
  }
  fs::path PathOf(std::string_view) const override { return {}; }
  std::vector<std::string> Names() const override { return names_; }
  base::Result<FileDigests> Digests() const override {
    FileDigests digests;
    for (const std::string& name : names_) {
      SLIPWAY_ASSIGN(const std::string_view bytes, Read(name, std::numeric_limits<int64_t>::max()));
      digests[name] = {Sha256Hex(bytes), static_cast<int64_t>(bytes.size())};
    }
    return digests;
  }
  void Select(std::vector<std::string> names) override { names_ = std::move(names); }

 private:
  LentFiles files_;
  std::vector<std::string> names_;
};

class FolderStore final : public FileStore {
 public:
  explicit FolderStore(fs::path root) : root_(std::move(root)) {}

  bool is_archive() const override { return false; }
  bool Has(std::string_view name) const override { return Resolve(name).has_value(); }

  base::Result<std::string_view> Read(std::string_view name, int64_t limit) const override {
    const std::scoped_lock lock(mutex_);
    if (const auto known = kept_.find(name); known != kept_.end()) return known->second;
    SLIPWAY_ASSIGN(const fs::path path, Resolve(name));
    auto bytes = base::ReadFile(path, limit);
    if (!bytes && bytes.error().reason == "file.too_large") {
      return base::Fail(Code::kResourceExhausted, "bundle.limit", bytes.error().message, std::string(name));
    }
    if (!bytes) return std::unexpected(std::move(bytes).error());
    return kept_.emplace(name, *std::move(bytes)).first->second;
  }

  fs::path PathOf(std::string_view name) const override { return CheckEntryName(name) ? root_ / name : fs::path(); }
  std::vector<std::string> Names() const override { return names_; }

  base::Result<FileDigests> Digests() const override {
    FileDigests digests;
    for (const std::string& name : names_) {
      SLIPWAY_ASSIGN(const fs::path path, Resolve(name));
      SLIPWAY_ASSIGN(digests[name], DigestFile(path));
    }
    return digests;
  }

  void Select(std::vector<std::string> names) override { names_ = std::move(names); }

 private:
  /// The file behind a name, links followed; it must be a regular one inside the folder.
  base::Result<fs::path> Resolve(std::string_view name) const {
    SLIPWAY_TRY(CheckEntryName(name));
    std::error_code error;
    fs::path path = fs::canonical(root_ / name, error);
    if (error == std::errc::no_such_file_or_directory || error == std::errc::not_a_directory) return MissingFile(name);
    if (error) {
      return base::Fail(Code::kUnavailable, "file.read",
                        fmt::format("cannot read the file \"{}\" of the bundle: {}", name, error.message()));
    }
    const fs::path inside = path.lexically_relative(root_);
    if (inside.empty() || *inside.begin() == "..") {
      return base::Fail(
          Code::kInvalidArgument, "bundle.file_kind",
          fmt::format("the file \"{}\" is a link that leaves the bundle's folder; copy the file into it", name));
    }
    if (!fs::is_regular_file(path, error)) {
      return base::Fail(Code::kInvalidArgument, "bundle.file_kind",
                        fmt::format("\"{}\" in the bundle's folder is no regular file", name));
    }
    return path;
  }

  fs::path root_;  // canonical
  std::vector<std::string> names_;
  mutable std::mutex mutex_;  // guards kept_
  mutable std::map<std::string, std::string, std::less<>> kept_;
};

}  // namespace

std::unexpected<base::Error> MissingFile(std::string_view name) {
  return base::Fail(Code::kNotFound, "bundle.missing_file",
                    fmt::format("the bundle has no file \"{}\"", base::Shorten(name, 255)));
}

base::Result<std::unique_ptr<FileStore>> OpenFolder(const fs::path& path, const OpenLimits&) {
  std::error_code error;
  fs::path root = fs::canonical(path, error);
  if (error) {
    return base::Fail(Code::kUnavailable, "file.read",
                      fmt::format("cannot open the folder \"{}\": {}", path.string(), error.message()));
  }
  return std::make_unique<FolderStore>(std::move(root));
}

std::unique_ptr<FileStore> LendFiles(LentFiles files) {
  return std::make_unique<LentStore>(std::move(files));
}

base::Result<std::unique_ptr<FileStore>> OpenArchive(const fs::path& path, const OpenLimits& limits) {
  SLIPWAY_ASSIGN(auto files, ReadArchive(path, limits));
  if (!files.contains(std::string(kManifestFile))) {
    return base::Fail(Code::kInvalidArgument, "bundle.no_manifest",
                      "the archive holds no slipway.yaml; make it with slipway pack");
  }
  const auto recorded_text = files.find(std::string(kDigestsFile));
  if (recorded_text == files.end()) {
    return base::Fail(Code::kInvalidArgument, "bundle.digests",
                      "the archive holds no digests.json, so it cannot be checked; make it with slipway pack");
  }
  SLIPWAY_ASSIGN(const FileDigests recorded, ParseDigests(recorded_text->second));
  FileDigests found;
  for (const auto& [name, bytes] : files) {
    if (name == kDigestsFile) continue;
    found.emplace(name, FileDigest{Sha256Hex(bytes), static_cast<int64_t>(bytes.size())});
  }
  SLIPWAY_TRY(CompareDigests(recorded, found));
  return std::make_unique<ArchiveStore>(std::move(files), std::move(found));
}

}  // namespace slipway::bundle
