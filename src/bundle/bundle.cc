#include "bundle/bundle.h"

#include <fmt/format.h>

#include <set>

#include "base/files.h"
#include "base/text.h"
#include "bundle/archive/archive.h"
#include "bundle/archive/entry_name.h"
#include "bundle/archive/file_store.h"
#include "bundle/lookup_table.h"
#include "schema/schema.h"

namespace slipway::bundle {
namespace {

using base::Code;
using base::Value;
namespace fs = std::filesystem;

constexpr int64_t kMaxDigestsBytes = int64_t{4} << 20;

std::string PlaceInManifest(const base::Position& position) {
  const std::string place = schema::Where(position);
  return place.empty() ? std::string(kManifestFile) : fmt::format("{}:{}", kManifestFile, place);
}

/// A file that the manifest refers to must be there.
base::Result<void> Require(const FileStore& files, const std::string& name, const base::Position& position) {
  if (files.Has(name)) return {};
  auto read = files.Read(name, 0);
  base::Error error = read ? MissingFile(name).error() : std::move(read).error();
  error.where = PlaceInManifest(position);
  error.message += "; the manifest refers to it";
  return std::unexpected(std::move(error));
}

base::Result<Manifest> ReadManifest(const FileStore& files, const fs::path& path, const OpenLimits& limits) {
  auto text = files.Read(kManifestFile, limits.manifest_bytes);
  if (!text && text.error().reason == "bundle.missing_file") {
    return base::Fail(Code::kInvalidArgument, "bundle.no_manifest",
                      fmt::format("the folder \"{}\" has no slipway.yaml; slipway init writes one", path.string()));
  }
  if (!text) return std::unexpected(std::move(text).error());
  return ParseManifest(*text);
}

base::Result<Value> ReadFitted(const FileStore& files, const OpenLimits& limits) {
  if (!files.Has(kFittedFile)) return Value();
  SLIPWAY_ASSIGN(const std::string_view text, files.Read(kFittedFile, limits.file_bytes));
  auto fitted = base::ParseJson(text);
  if (fitted && fitted->is_map()) return fitted;
  base::Error error = fitted
                          ? base::Error{Code::kInvalidArgument, "json.malformed", "the file holds no JSON object", ""}
                          : std::move(fitted).error();
  error.where = fmt::format("{}{}{}", kFittedFile, error.where.empty() ? "" : ":", error.where);
  error.message += "; slipway fit writes it anew";
  return std::unexpected(std::move(error));
}

/// Gives lookup steps the content of their files.
base::Result<void> InlineTables(Manifest& manifest, const FileStore& files, const OpenLimits& limits) {
  for (features::StepSpec& step : manifest.features) {
    const Value* file = step.written.Find("file");
    if (file == nullptr) continue;
    const std::string name = file->string();
    const base::Position position = file->position();
    if (step.written.Find("table") != nullptr) {
      return base::Fail(Code::kInvalidArgument, "manifest.contradiction",
                        "a step has `table` beside `file`; keep one of them", PlaceInManifest(position));
    }
    SLIPWAY_TRY(Require(files, name, position));
    SLIPWAY_ASSIGN(const std::string_view text, files.Read(name, limits.table_bytes));
    SLIPWAY_ASSIGN(Value table, ParseLookupTable(text, name, limits.table_rows));
    table.set_position(position);
    step.written.Set("table", std::move(table));
  }
  return {};
}

/// Files of a folder that are part of the bundle. What fit, train and pack write later may be absent.
base::Result<std::vector<std::string>> SelectFiles(const FileStore& files, const Manifest& manifest) {
  std::set<std::string> names = {std::string(kManifestFile)};
  for (const std::string_view name : {kFittedFile, kBaselineFile, kGoldenFile, kLineageFile}) {
    if (files.Has(name)) names.emplace(name);
  }
  if (!manifest.model.file.empty() && files.Has(manifest.model.file)) names.insert(manifest.model.file);
  for (const features::StepSpec& step : manifest.features) {
    if (const Value* file = step.written.Find("file"); file != nullptr) names.insert(file->string());
  }
  names.insert(manifest.files.begin(), manifest.files.end());
  if (files.Has(kDigestsFile)) {
    // An unpacked archive: files that only pack knew of, such as a model's external data, are listed there.
    SLIPWAY_ASSIGN(const std::string_view text, files.Read(kDigestsFile, kMaxDigestsBytes));
    SLIPWAY_ASSIGN(const FileDigests recorded, ParseDigests(text));
    for (const auto& [name, unused] : recorded) {
      if (files.Has(name)) names.insert(name);
    }
  }
  return std::vector<std::string>(names.begin(), names.end());
}

base::Result<void> RequireFiles(const FileStore& files, const Manifest& manifest) {
  const Value* list = manifest.written.Find("files");
  for (size_t i = 0; i < manifest.files.size(); ++i) {
    SLIPWAY_TRY(Require(files, manifest.files[i], list->list()[i].position()));
  }
  if (files.is_archive() && !manifest.model.file.empty()) {
    SLIPWAY_TRY(Require(files, manifest.model.file, manifest.model.position));
  }
  return {};
}

base::Result<std::unique_ptr<FileStore>> OpenFiles(const fs::path& path, const OpenLimits& limits) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (fs::is_directory(status)) return OpenFolder(path, limits);
  if (status.type() == fs::file_type::not_found) {
    return base::Fail(Code::kNotFound, "bundle.missing",
                      fmt::format("there is no folder or file \"{}\"; give a bundle's folder or .slipway file",
                                  base::Shorten(path.string(), 512)));
  }
  if (path.filename() == kManifestFile) {
    return base::Fail(Code::kInvalidArgument, "bundle.not_an_archive",
                      fmt::format("\"{}\" is a manifest; give the folder that it is in", path.string()));
  }
  return OpenArchive(path, limits);
}

}  // namespace

Bundle::Bundle(std::shared_ptr<const FileStore> files, std::shared_ptr<const Manifest> manifest,
               std::shared_ptr<const Value> fitted)
    : files_(std::move(files)), manifest_(std::move(manifest)), fitted_(std::move(fitted)) {}

base::Result<Bundle> Bundle::Open(const fs::path& path, const OpenLimits& limits) {
  try {
    SLIPWAY_ASSIGN(std::unique_ptr<FileStore> files, OpenFiles(path, limits));
    return Assemble(std::move(files), path, limits);
  } catch (const std::bad_alloc&) {
    return base::Fail(Code::kResourceExhausted, "bundle.limit", "the bundle takes more memory than there is");
  }
}

base::Result<Bundle> Bundle::OfFiles(LentFiles files) {
  return Assemble(LendFiles(std::move(files)), {}, {});
}

base::Result<Bundle> Bundle::Assemble(std::unique_ptr<FileStore> files, const fs::path& path,
                                      const OpenLimits& limits) {
  SLIPWAY_ASSIGN(Manifest manifest, ReadManifest(*files, path, limits));
  SLIPWAY_TRY(RequireFiles(*files, manifest));
  SLIPWAY_TRY(InlineTables(manifest, *files, limits));
  SLIPWAY_ASSIGN(Value fitted, ReadFitted(*files, limits));
  if (!files->is_archive()) {
    SLIPWAY_ASSIGN(auto names, SelectFiles(*files, manifest));
    files->Select(std::move(names));
  }
  return Bundle(std::move(files), std::make_shared<const Manifest>(std::move(manifest)),
                std::make_shared<const Value>(std::move(fitted)));
}

bool Bundle::is_archive() const {
  return files_->is_archive();
}
std::vector<std::string> Bundle::Files() const {
  return files_->Names();
}
bool Bundle::Has(std::string_view name) const {
  return files_->Has(name);
}
base::Result<std::string_view> Bundle::Read(std::string_view name) const {
  return files_->Read(name, OpenLimits{}.file_bytes);
}
fs::path Bundle::PathOf(std::string_view name) const {
  return files_->PathOf(name);
}
base::Result<FileDigests> Bundle::Digests() const {
  return files_->Digests();
}

base::Result<std::string> Bundle::Digest() const {
  SLIPWAY_ASSIGN(const FileDigests digests, Digests());
  return IdentityOf(digests);
}

base::Result<std::string> WriteArchive(const fs::path& target, const std::map<std::string, std::string>& files,
                                       const OpenLimits& limits) {
  if (!files.contains(std::string(kManifestFile))) {
    return base::Fail(Code::kInvalidArgument, "bundle.no_manifest", "a bundle needs a slipway.yaml");
  }
  FileDigests digests;
  std::map<std::string, std::string_view> entries;
  for (const auto& [name, bytes] : files) {
    if (name == kDigestsFile) continue;
    digests.emplace(name, FileDigest{Sha256Hex(bytes), static_cast<int64_t>(bytes.size())});
    entries.emplace(name, bytes);
  }
  const std::string digests_text = FormatDigests(digests);
  entries.emplace(kDigestsFile, digests_text);
  try {
    SLIPWAY_ASSIGN(const std::string bytes, BuildArchive(entries, limits));
    SLIPWAY_TRY(base::WriteFileAtomically(target, bytes));
  } catch (const std::bad_alloc&) {
    return base::Fail(Code::kResourceExhausted, "bundle.limit", "the archive takes more memory than there is");
  }
  return IdentityOf(digests);
}

}  // namespace slipway::bundle
