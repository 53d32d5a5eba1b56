#include "batch/input_list.h"

#include <fmt/format.h>
#include <glob.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>

#include "base/map_reader.h"
#include "base/text.h"
#include "batch/object_input.h"
#include "storage/object_store.h"
#include "tables/format.h"

namespace slipway::batch {
namespace {

namespace fs = std::filesystem;

std::unexpected<base::Error> Fault(base::Code code, const char* reason, const std::string& path,
                                   std::string_view words) {
  return base::Fail(code, reason, fmt::format("cannot read {}: {}", base::Shorten(path, 512), words));
}

bool IsHidden(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.starts_with('.') || name.starts_with('_');
}

base::Result<std::vector<std::string>> FilesUnder(const std::string& folder, bool any_extension) {
  std::vector<std::string> paths;
  std::error_code failed;
  fs::recursive_directory_iterator entry(folder, failed);
  for (; !failed && entry != fs::recursive_directory_iterator(); entry.increment(failed)) {
    if (IsHidden(entry->path())) {
      if (entry->is_directory(failed)) entry.disable_recursion_pending();
    } else if (!entry->is_directory(failed)) {
      const std::string path = entry->path().string();
      const auto format = tables::FormatOf(path);
      if (any_extension || (format && *format != tables::Format::kNpy)) paths.push_back(path);
    }
  }
  if (failed) return Fault(base::Code::kUnavailable, "tables.read", folder, failed.message());
  std::ranges::sort(paths);
  return paths;
}

std::vector<std::string> Matches(const std::string& pattern) {
  std::vector<std::string> paths;
  glob_t found{};
  if (::glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found) == 0) {
    for (size_t i = 0; i < found.gl_pathc; ++i) paths.emplace_back(found.gl_pathv[i]);
  }
  ::globfree(&found);
  std::ranges::sort(paths);
  return paths;
}

base::Result<std::vector<std::string>> PathsOf(const std::string& source, bool any_extension) {
  std::error_code ignored;
  if (fs::is_directory(source, ignored)) return FilesUnder(source, any_extension);
  if (source.find_first_of("*?[") == std::string::npos || fs::exists(source, ignored)) {
    return std::vector<std::string>{source};
  }
  std::vector<std::string> paths;
  for (const auto& match : Matches(source)) {
    if (!fs::is_directory(match, ignored)) {
      paths.push_back(match);
      continue;
    }
    SLIPWAY_ASSIGN(const auto inside, FilesUnder(match, any_extension));
    paths.insert(paths.end(), inside.begin(), inside.end());
  }
  return paths;
}

base::Result<std::vector<InputFile>> FilesOf(const std::string& source, bool any_extension) {
  if (storage::IsObjectUrl(source)) return ListObjects(source, any_extension);
  std::vector<std::string> paths = {source};
  if (source != "-") {
    SLIPWAY_ASSIGN(paths, PathsOf(source, any_extension));
  }
  std::vector<InputFile> files;
  for (const auto& path : paths) {
    SLIPWAY_ASSIGN(auto file, Look(path));
    files.push_back(std::move(file));
  }
  return files;
}

}  // namespace

base::Result<InputFile> Look(const std::string& path) {
  if (path == "-") return InputFile{.path = path};
  if (storage::IsObjectUrl(path)) return LookAtObject(path);
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) {
      return Fault(base::Code::kNotFound, "tables.missing", path, "there is no such file; check the path");
    }
    return Fault(base::Code::kUnavailable, "tables.read", path, std::strerror(errno));
  }
  if (S_ISDIR(status.st_mode)) return Fault(base::Code::kInvalidArgument, "tables.not_a_file", path, "it is a folder");
  if (!S_ISREG(status.st_mode)) {
    return Fault(base::Code::kInvalidArgument, "tables.not_a_file", path,
                 "it is a pipe or a device, which can be read only once; lead it into standard input: --input -");
  }
  return InputFile{.path = path,
                   .size = status.st_size,
                   .modified = int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec};
}

base::Result<std::vector<InputFile>> ListInput(const std::vector<std::string>& sources, bool any_extension) {
  std::vector<InputFile> files;
  std::set<std::string> seen;
  for (const auto& source : sources) {
    SLIPWAY_ASSIGN(auto found, FilesOf(source, any_extension));
    if (found.empty()) {
      return base::Fail(base::Code::kNotFound, "batch.no_files",
                        fmt::format("there is no table to read in {}; check the path, or name the format with --format "
                                    "if the files have other extensions",
                                    base::Shorten(source, 512)));
    }
    for (auto& file : found) {
      if (seen.insert(file.path).second) files.push_back(std::move(file));
    }
  }
  return files;
}

base::Value ToValue(const std::vector<InputFile>& files) {
  auto list = base::Value::List();
  for (const auto& file : files) {
    auto item = base::Value::Map().Set("path", file.path).Set("size", file.size).Set("modified", file.modified);
    if (!file.source.empty()) item.Set("source", file.source).Set("digest", file.digest);
    if (!file.tag.empty()) item.Set("tag", file.tag);
    list.Add(std::move(item));
  }
  return list;
}

base::Result<std::vector<InputFile>> InputFilesOf(const base::Value& value) {
  std::vector<InputFile> files;
  const auto damaged = [] {
    return base::Fail(base::Code::kDataLoss, "batch.damaged",
                      "the record of a job lists no input files that can be read");
  };
  if (!value.is_list()) return damaged();
  for (const auto& item : value.list()) {
    base::MapReader reader(item);
    files.push_back(
        {.path = reader.Text("path"), .size = reader.Integer("size"), .modified = reader.Integer("modified")});
    if (item.Find("source") != nullptr) {
      files.back().source = reader.Text("source");
      files.back().digest = reader.Text("digest");
    }
    if (item.Find("tag") != nullptr) files.back().tag = reader.Text("tag");
    if (!reader.fine()) return damaged();
  }
  return files;
}

}  // namespace slipway::batch
