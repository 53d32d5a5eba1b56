#include "bundle/lineage.h"

#include <algorithm>
#include <vector>

#include "base/text.h"
#include "bundle/archive/digest.h"
#include "bundle/command.h"

namespace slipway::bundle {
namespace {

using base::Value;
using std::chrono::steady_clock;

/// Runs git commands in one folder until their common patience is spent.
class Git {
 public:
  Git(const std::filesystem::path& folder, std::chrono::milliseconds patience)
      : folder_(folder.string()), until_(steady_clock::now() + patience) {}

  /// The first line of the output; nullopt when the command failed.
  std::optional<std::string> Ask(std::vector<std::string> arguments) const {
    std::vector<std::string> command = {
        "git", "-C", folder_, "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until_ - steady_clock::now());
    auto output = RunCommand(command, {.patience = left, .output_bytes = 4096, .without_environment = "GIT_"});
    if (!output) return std::nullopt;
    const std::string_view line = base::Trim(std::string_view(*output).substr(0, output->find('\n')));
    if (!base::IsValidUtf8(line)) return std::nullopt;
    return std::string(line);
  }

 private:
  std::string folder_;
  steady_clock::time_point until_;
};

bool IsCommit(std::string_view text) {
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return (text.size() == 40 || text.size() == 64) && std::ranges::all_of(text, is_hex);
}

}  // namespace

Value CollectGitLineage(const std::filesystem::path& folder, std::chrono::milliseconds patience) {
  const Git git(folder, patience);
  const auto commit = git.Ask({"rev-parse", "--verify", "HEAD"});
  if (!commit || !IsCommit(*commit)) return {};
  const auto changes = git.Ask({"status", "--porcelain", "--untracked-files=no", "--ignore-submodules=dirty"});
  if (!changes) return {};
  const auto branch = git.Ask({"symbolic-ref", "--short", "--quiet", "HEAD"});
  const auto remote = git.Ask({"config", "--get", "remote.origin.url"});
  const auto repository = remote ? PublicRemote(*remote) : std::nullopt;
  Value lineage = Value::Map();
  lineage.Set("commit", *commit).Set("dirty", !changes->empty());
  lineage.Set("branch", branch ? Value(*branch) : Value());
  lineage.Set("repository", repository ? Value(*repository) : Value());
  return lineage;
}

std::optional<std::string> PublicRemote(std::string_view remote) {
  remote = remote.substr(0, remote.find_first_of("?#"));
  const size_t scheme = remote.find("://");
  if (scheme == std::string_view::npos) {
    // git@host:owner/name; anything else without a scheme is a path.
    const size_t colon = remote.find(':');
    const size_t at = remote.find('@');
    if (colon == std::string_view::npos || colon == 0 || remote.substr(0, colon).contains('/')) return std::nullopt;
    return std::string(at < colon ? remote.substr(at + 1) : remote);
  }
  if (remote.substr(0, scheme) == "file") return std::nullopt;
  const std::string_view rest = remote.substr(scheme + 3);
  const std::string_view authority = rest.substr(0, rest.find('/'));
  const size_t at = authority.rfind('@');
  const std::string_view public_rest = at == std::string_view::npos ? rest : rest.substr(at + 1);
  return std::string(remote.substr(0, scheme + 3)).append(public_rest);
}

base::Result<Value> DescribeDataFile(const std::filesystem::path& path, std::optional<int64_t> rows) {
  SLIPWAY_ASSIGN(const FileDigest digest, DigestFile(path));
  Value file = Value::Map();
  file.Set("file", path.filename().string()).Set("sha256", digest.sha256).Set("size", digest.size);
  if (rows) file.Set("rows", *rows);
  return file;
}

Value MergeLineage(const Value& written, const Value& found) {
  if (written.is_list() && found.is_list()) {
    Value merged = written;
    for (const Value& item : found.list()) {
      if (!std::ranges::count(written.list(), item)) merged.Add(item);
    }
    return merged;
  }
  if (!written.is_map() || !found.is_map()) return found.is_null() ? written : found;
  Value merged = written;
  for (const auto& [key, value] : found.map()) {
    const Value* before = written.Find(key);
    merged.Set(key, before == nullptr ? value : MergeLineage(*before, value));
  }
  return merged;
}

}  // namespace slipway::bundle
