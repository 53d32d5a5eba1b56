#include "base/machine.h"

#include <dlfcn.h>
#include <link.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <thread>
#include <vector>

#include "base/files.h"
#include "base/text.h"

namespace slipway::base {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kSmallFile = 1 << 20;
constexpr int64_t kNoMemoryLimit = int64_t{1} << 60;  // cgroup v1 says "no limit" by a number near 2^63

std::string ReadOrEmpty(const fs::path& path) {
  return ReadFile(path, kSmallFile).value_or("");
}

std::optional<int64_t> ReadInteger(const fs::path& path) {
  return ParseInt64(Trim(ReadOrEmpty(path)));
}

/// The folders whose limits hold for this process under a mounted hierarchy: its own group's and all above it. A
/// container that sees the host's path but only its own part of the tree is left with the mount itself.
std::vector<fs::path> GroupFolders(const fs::path& mount, std::string_view group) {
  std::vector<fs::path> folders{mount};
  fs::path folder = mount;
  for (const fs::path& part : fs::path(group).relative_path()) {
    if (part == "..") return {mount};
    folder /= part;
    folders.push_back(folder);
  }
  return folders;
}

/// The folders to ask about one controller ("cpu", "memory"), in cgroup v2 and v1.
struct Groups {
  std::vector<fs::path> unified;
  std::vector<fs::path> legacy;
};

Groups FindGroups(const fs::path& root, std::string_view controller) {
  Groups groups;
  const fs::path mounts = root / "sys/fs/cgroup";
  const std::string text = ReadOrEmpty(root / "proc/self/cgroup");
  for (std::string_view rest = text; !rest.empty();) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    // hierarchy:controllers:path
    const size_t first = line.find(':');
    const size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    const std::string_view group = line.substr(second + 1);
    if (controllers.empty()) {
      groups.unified = GroupFolders(mounts, group);
    } else if (("," + std::string(controllers) + ",").find("," + std::string(controller) + ",") != std::string::npos) {
      const fs::path joined = mounts / controllers;
      std::error_code ignored;
      groups.legacy = GroupFolders(fs::is_directory(joined, ignored) ? joined : mounts / controller, group);
    }
  }
  return groups;
}

/// Processors by "quota period" of cgroup v2; nullopt for "max".
std::optional<double> UnifiedCpus(const fs::path& folder) {
  const std::string text = ReadOrEmpty(folder / "cpu.max");
  const std::string_view line = Trim(text);
  const size_t space = line.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  const auto quota = ParseInt64(line.substr(0, space));
  const auto period = ParseInt64(line.substr(space + 1));
  if (!quota || !period || *quota <= 0 || *period <= 0) return std::nullopt;
  return static_cast<double>(*quota) / static_cast<double>(*period);
}

std::optional<double> LegacyCpus(const fs::path& folder) {
  const auto quota = ReadInteger(folder / "cpu.cfs_quota_us");
  const auto period = ReadInteger(folder / "cpu.cfs_period_us");
  if (!quota || !period || *quota <= 0 || *period <= 0) return std::nullopt;
  return static_cast<double>(*quota) / static_cast<double>(*period);
}

/// The number after `key` at the start of a line of `text`, as /proc/meminfo and memory.stat have them.
std::optional<int64_t> NumberOf(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.starts_with(key)) continue;
    const std::string_view rest = Trim(line.substr(key.size()));
    return ParseInt64(rest.substr(0, rest.find(' ')));
  }
  return std::nullopt;
}

/// What a cgroup has left of its limit; nullopt when it has none. `prefix` of the counters that hold for the group and
/// all below it.
std::optional<int64_t> GroupMemoryLeft(const fs::path& folder, const char* limit_file, const char* used_file,
                                       const std::string& prefix) {
  const auto limit = ReadInteger(folder / limit_file);
  const auto used = ReadInteger(folder / used_file);
  if (!limit || !used || *limit >= kNoMemoryLimit) return std::nullopt;
  const std::string stat = ReadOrEmpty(folder / "memory.stat");
  const int64_t droppable =
      NumberOf(stat, prefix + "inactive_file ").value_or(0) + NumberOf(stat, prefix + "active_file ").value_or(0);
  return std::max<int64_t>(*limit - std::max<int64_t>(*used - droppable, 0), 0);
}

int AffinityCount() {
  for (int processors = 1024; processors <= 1 << 16; processors *= 2) {
    cpu_set_t* set = CPU_ALLOC(processors);
    const size_t size = CPU_ALLOC_SIZE(processors);
    const bool fits = sched_getaffinity(0, size, set) == 0;
    const int count = fits ? CPU_COUNT_S(size, set) : 0;
    CPU_FREE(set);
    if (fits) return count;
  }
  return static_cast<int>(std::thread::hardware_concurrency());
}

}  // namespace

int CpuBudget(const fs::path& root) {
  double budget = AffinityCount();
  const Groups groups = FindGroups(root, "cpu");
  for (const fs::path& folder : groups.unified) budget = std::min(budget, UnifiedCpus(folder).value_or(budget));
  for (const fs::path& folder : groups.legacy) budget = std::min(budget, LegacyCpus(folder).value_or(budget));
  return std::max(1, static_cast<int>(std::ceil(budget)));
}

std::optional<Bytes> MemoryLimit(const fs::path& root) {
  int64_t limit = kNoMemoryLimit;
  const Groups groups = FindGroups(root, "memory");
  for (const fs::path& folder : groups.unified) {
    limit = std::min(limit, ReadInteger(folder / "memory.max").value_or(limit));
  }
  for (const fs::path& folder : groups.legacy) {
    limit = std::min(limit, ReadInteger(folder / "memory.limit_in_bytes").value_or(limit));
  }
  if (limit >= kNoMemoryLimit) return std::nullopt;
  return Bytes{limit};
}

Bytes TotalMemory(const fs::path& root) {
  const int64_t kibibytes = NumberOf(ReadOrEmpty(root / "proc/meminfo"), "MemTotal:").value_or(0);
  const auto limit = MemoryLimit(root);
  if (!limit) return {kibibytes * 1024};
  return kibibytes > 0 ? Bytes{std::min(limit->count, kibibytes * 1024)} : *limit;
}

Bytes AvailableMemory(const fs::path& root) {
  constexpr int64_t kUnknown = std::numeric_limits<int64_t>::max();
  int64_t left = kUnknown;
  if (const auto kibibytes = NumberOf(ReadOrEmpty(root / "proc/meminfo"), "MemAvailable:")) left = *kibibytes * 1024;
  const Groups groups = FindGroups(root, "memory");
  for (const fs::path& folder : groups.unified) {
    left = std::min(left, GroupMemoryLeft(folder, "memory.max", "memory.current", "").value_or(left));
  }
  for (const fs::path& folder : groups.legacy) {
    left = std::min(left,
                    GroupMemoryLeft(folder, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_").value_or(left));
  }
  return Bytes{left == kUnknown ? 0 : left};
}

namespace {

Bytes ResidentMemoryIn(const std::filesystem::path& folder) {
  const std::string text = ReadOrEmpty(folder / "statm");  // pages: size resident shared …
  const size_t start = text.find(' ') + 1;
  const auto pages = ParseInt64(std::string_view(text).substr(start, text.find(' ', start) - start));
  return Bytes{pages.value_or(0) * ::sysconf(_SC_PAGESIZE)};
}

}  // namespace

Bytes ResidentMemory() {
  return ResidentMemoryIn("/proc/self");
}

Bytes ResidentMemoryOf(int64_t pid) {
  return ResidentMemoryIn("/proc/" + std::to_string(pid));
}

int64_t RaiseOpenFiles() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const rlimit raised{.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
  if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  return limit.rlim_cur == RLIM_INFINITY ? INT64_MAX : static_cast<int64_t>(limit.rlim_cur);
}

fs::path ProgramFolder() {
  std::error_code failed;
  const fs::path program = fs::read_symlink("/proc/self/exe", failed);
  return failed ? fs::path(".") : program.parent_path();
}

fs::path LibraryFolder() {
  static const char here = 0;
  Dl_info info{};
  void* map = nullptr;
  if (dladdr1(&here, &info, &map, RTLD_DL_LINKMAP) == 0 || map == nullptr) return {};
  const std::string_view name = static_cast<const link_map*>(map)->l_name;  // the program itself has none
  if (name.empty()) return {};
  std::error_code failed;
  const fs::path whole = fs::absolute(name, failed);
  return failed ? fs::path() : whole.parent_path();
}

}  // namespace slipway::base
