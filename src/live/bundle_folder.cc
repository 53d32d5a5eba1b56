#include "live/bundle_folder.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "bundle/bundle.h"

namespace slipway::live {

namespace fs = std::filesystem;

namespace {

constexpr size_t kMostBundles = 10'000;
constexpr int kMostFilesOfAFolder = 4096;

void AppendStamp(const fs::path& path, std::string& out) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return;
  fmt::format_to(std::back_inserter(out), "{}:{}:{}.{:09};", status.st_ino, status.st_size, status.st_mtim.tv_sec,
                 status.st_mtim.tv_nsec);
}

std::unexpected<base::Error> Unreadable(const fs::path& folder, const std::error_code& error) {
  return base::Fail(base::Code::kUnavailable, "live.folder",
                    fmt::format("the folder of bundles cannot be read: {}; what is served stays", error.message()),
                    folder.string());
}

bool IsBundle(const fs::path& path) {
  const std::string name = path.filename().string();
  if (name.starts_with('.')) return false;
  std::error_code ignored;
  if (path.extension() == ".slipway") return fs::is_regular_file(path, ignored);
  return fs::is_regular_file(path / bundle::kManifestFile, ignored);
}

}  // namespace

std::string StampOf(const fs::path& path) {
  std::string stamp;
  std::error_code error;
  if (!fs::is_directory(path, error)) {
    AppendStamp(path, stamp);
    return stamp;
  }
  std::vector<fs::path> files;
  for (fs::recursive_directory_iterator at(path, error), end; !error && at != end; at.increment(error)) {
    if (std::ssize(files) == kMostFilesOfAFolder) break;
    if (at->is_regular_file(error)) files.push_back(at->path());
  }
  std::ranges::sort(files);
  for (const auto& file : files) {
    stamp += file.lexically_relative(path).string();
    stamp += '=';
    AppendStamp(file, stamp);
  }
  return stamp;
}

base::Result<BundleFolder> BundleFolder::Open(fs::path folder) {
  std::error_code error;
  const fs::directory_iterator readable(folder, error);
  if (error) return Unreadable(folder, error);
  return BundleFolder(std::move(folder));
}

base::Result<std::vector<DesiredBundle>> BundleFolder::Read() {
  std::error_code error;
  std::map<fs::path, Seen> seen;
  for (fs::directory_iterator at(folder_, error), end; !error && at != end; at.increment(error)) {
    if (!IsBundle(at->path())) continue;
    if (seen.size() == kMostBundles) {
      return base::Fail(base::Code::kResourceExhausted, "live.folder_limit",
                        fmt::format("the folder holds more than {} bundles; serve them from several", kMostBundles),
                        folder_.string());
    }
    const auto known = seen_.find(at->path());
    Seen now{.looked = StampOf(at->path()), .settled = known == seen_.end() ? "" : known->second.settled};
    const bool unchanged = known != seen_.end() && known->second.looked == now.looked;
    if (unchanged || !looked_) now.settled = now.looked;
    seen.emplace(at->path(), std::move(now));
  }
  if (error) return Unreadable(folder_, error);
  bool settled = std::ranges::all_of(seen, [](const auto& e) { return e.second.looked == e.second.settled; });
  for (auto& [path, before] : seen_) {
    if (!seen.contains(path)) settled &= std::exchange(before.looked, "").empty();
  }
  if (!settled) seen.merge(seen_);  // what is gone may be about to be replaced by what is coming
  seen_ = std::move(seen);
  looked_ = true;
  std::vector<DesiredBundle> bundles;
  for (const auto& [path, stamps] : seen_) {
    if (!stamps.settled.empty()) bundles.push_back({path, stamps.settled});
  }
  return bundles;
}

}  // namespace slipway::live
