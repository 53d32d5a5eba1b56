#include "batch/object_input.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "base/files.h"
#include "base/hash.h"
#include "base/text.h"
#include "batch/staged_input.h"
#include "storage/object_store.h"
#include "tables/format.h"
#include "tables/input_file.h"
#include "tables/output_file.h"

namespace slipway::batch {
namespace {

namespace fs = std::filesystem;
using storage::ObjectInfo;
using storage::ObjectUrl;

constexpr std::string_view kWild = "*?[";

InputFile FileOf(const std::string& bucket, const ObjectInfo& object) {
  // The tag says more than the time, which a second copy of the same content changes.
  return {.path = ObjectUrl{.bucket = bucket, .key = object.key}.Text(),
          .size = object.size,
          .modified = object.tag.empty() ? object.modified * 1'000'000'000 : 0,
          .tag = object.tag};
}

std::vector<std::string_view> Segments(std::string_view key) {
  std::vector<std::string_view> segments;
  while (true) {
    const auto slash = key.find('/');
    segments.push_back(key.substr(0, slash));
    if (slash == std::string_view::npos) return segments;
    key.remove_prefix(slash + 1);
  }
}

/// Whether an object in a folder is one of its tables.
bool IsTable(std::string_view key, size_t folders, bool any_extension) {
  if (key.ends_with('/')) return false;  // stands for an empty folder
  const auto segments = Segments(key);
  for (size_t i = folders; i < segments.size(); ++i) {
    if (segments[i].empty() || segments[i].front() == '.' || segments[i].front() == '_') return false;
  }
  const auto format = tables::FormatOf(key);
  return any_extension || (format && *format != tables::Format::kNpy);
}

/// Segment by segment; objects in folders that match are tables or not, as in a folder that was named.
bool Matches(std::string_view key, const std::vector<std::string>& pattern, bool any_extension) {
  const auto segments = Segments(key);
  if (segments.size() < pattern.size()) return false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (fnmatch(pattern[i].c_str(), std::string(segments[i]).c_str(), FNM_PERIOD) != 0) return false;
  }
  return segments.size() == pattern.size() || IsTable(key, pattern.size(), any_extension);
}

std::string CopyName(size_t number, const InputFile& file) {
  const auto version = base::Xxh3Digits(fmt::format("{}\n{}\n{}\n{}", file.path, file.size, file.tag, file.modified));
  return fmt::format("{:06}-{}.parquet", number, version);
}

bool NeedsCopy(const Job& job, const InputFile& file) {
  if (!storage::IsObjectUrl(file.path)) return false;
  const auto format = job.format.empty() ? tables::FormatOf(file.path) : tables::ParseFormat(job.format);
  return format && *format == tables::Format::kParquet;
}

bool IsWhole(const fs::path& copy, const InputFile& file) {
  std::error_code failed;
  return fs::file_size(copy, failed) == static_cast<uintmax_t>(file.size) && !failed;
}

}  // namespace

base::Result<void> FetchObject(const InputFile& file, const fs::path& copy, const OnCopied& on_copied) {
  SLIPWAY_ASSIGN(auto* store, storage::StoreOf(file.path));
  SLIPWAY_ASSIGN(const auto url, storage::ParseObjectUrl(file.path));
  SLIPWAY_ASSIGN(const auto object, store->Open(url));
  if (FileOf(url.bucket, object->info()) != file) {
    return base::Fail(base::Code::kFailedPrecondition, "batch.input_changed",
                      "the object was replaced since it was listed; run the job again", file.path);
  }
  SLIPWAY_ASSIGN(auto to, tables::OutputFile::Create(copy.string()));
  std::string block(tables::InputFile::kBlockBytes, '\0');
  while (true) {
    SLIPWAY_ASSIGN(const size_t got, object->Read(block));
    if (got == 0) break;
    SLIPWAY_TRY(to.Append(std::string_view(block).substr(0, got)));
    if (on_copied) on_copied(static_cast<int64_t>(got));
  }
  return to.Finish();
}

base::Result<InputFile> LookAtObject(const std::string& name) {
  SLIPWAY_ASSIGN(auto* store, storage::StoreOf(name));
  SLIPWAY_ASSIGN(const auto url, storage::ParseObjectUrl(name));
  SLIPWAY_ASSIGN(auto object, store->Look(url));
  object.key = url.key;
  return FileOf(url.bucket, object);
}

base::Result<std::vector<InputFile>> ListObjects(const std::string& source, bool any_extension) {
  SLIPWAY_ASSIGN(auto* store, storage::StoreOf(source));
  SLIPWAY_ASSIGN(auto url, storage::ParseObjectUrl(source));
  const std::string name = url.key;
  const auto wild = name.find_first_of(kWild);
  const bool folder = name.empty() || name.ends_with('/');
  std::vector<InputFile> files;
  if (wild == std::string::npos && !folder) {
    SLIPWAY_ASSIGN(auto file, LookAtObject(source));
    files.push_back(std::move(file));
    return files;
  }
  url.key.resize(std::min(url.key.size(), wild));
  SLIPWAY_ASSIGN(const auto objects, store->List(url, storage::kMostListed));
  const auto exact = std::ranges::find(objects, name, &ObjectInfo::key);
  if (exact != objects.end() && !folder) return std::vector{FileOf(url.bucket, *exact)};
  std::vector<std::string> pattern;
  for (const auto segment : Segments(std::string_view(name).substr(0, name.size() - (folder && !name.empty())))) {
    pattern.emplace_back(segment);
  }
  const auto folders = static_cast<size_t>(std::ranges::count(name, '/'));
  for (const auto& object : objects) {
    const bool wanted = wild == std::string::npos ? IsTable(object.key, folders, any_extension)
                                                  : Matches(object.key, pattern, any_extension);
    if (wanted && !object.key.ends_with('/')) files.push_back(FileOf(url.bucket, object));
  }
  return files;
}

bool NeedCopies(const Job& job, const std::vector<InputFile>& files) {
  return std::ranges::any_of(files, [&](const InputFile& file) { return NeedsCopy(job, file); });
}

base::Result<void> FetchCopies(const fs::path& folder, const Job& job, std::vector<InputFile>& files,
                               const OnCopied& on_copied) {
  std::error_code failed;
  fs::create_directories(folder, failed);
  if (failed) {
    return base::Fail(base::Code::kUnavailable, "tables.write", fmt::format("cannot be made: {}", failed.message()),
                      folder.string());
  }
  std::set<fs::path> wanted;
  for (size_t i = 0; i < files.size(); ++i) {
    if (!NeedsCopy(job, files[i])) continue;
    const auto copy = folder / CopyName(i, files[i]);
    wanted.insert(copy);
    files[i].copy = copy.string();
  }
  std::vector<fs::path> strays;
  for (const auto& entry : fs::directory_iterator(folder, failed)) {
    if (!wanted.contains(entry.path())) strays.push_back(entry.path());
  }
  for (const auto& stray : strays) fs::remove(stray, failed);
  for (const auto& file : files) {
    if (!file.copy.empty() && !IsWhole(file.copy, file)) SLIPWAY_TRY(FetchObject(file, file.copy, on_copied));
  }
  return base::SyncFolder(folder);
}

base::Result<InputFile> LookAtListed(const fs::path& copies, const InputFile& listed) {
  if (storage::IsObjectUrl(listed.path)) {
    std::error_code failed;
    const std::string version = CopyName(0, listed).substr(6);
    for (const auto& entry : fs::directory_iterator(copies, failed)) {
      if (entry.path().filename().string().ends_with(version) && IsWhole(entry.path(), listed)) return listed;
    }
  }
  return LookAgain(listed);
}

}  // namespace slipway::batch
