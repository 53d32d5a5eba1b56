#include "base/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/file_descriptor.h"
#include "base/ids.h"

namespace slipway::base {
namespace {

namespace fs = std::filesystem;

std::string SystemWord(int error) {
  return std::generic_category().message(error);
}

std::unexpected<Error> ReadFailure(const fs::path& path, int error) {
  if (error == ENOENT || error == ENOTDIR) {
    return Fail(Code::kNotFound, "file.missing", "no such file", path.string());
  }
  return Fail(Code::kUnavailable, "file.read", "cannot be read: " + SystemWord(error), path.string());
}

std::unexpected<Error> WriteFailure(const fs::path& path, int error) {
  return Fail(Code::kUnavailable, "file.write", "cannot be written: " + SystemWord(error), path.string());
}

std::unexpected<Error> TooLarge(const fs::path& path, int64_t limit) {
  return Fail(Code::kInvalidArgument, "file.too_large", fmt::format("larger than the limit of {} bytes", limit),
              path.string());
}

/// A device or a pipe (/dev/stdout, say) has no old bytes to protect and must never be renamed over.
Result<void> WriteInPlace(const fs::path& path, std::string_view bytes) {
  FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY));
  if (!file.ok()) return WriteFailure(path, errno);
  if (const int error = WriteAll(file.get(), bytes)) return WriteFailure(path, error);
  return {};
}

/// Writes, syncs and closes a new file; 0, or the system's error.
int WriteNewFile(const fs::path& path, std::string_view bytes, mode_t mode, bool keep_mode) {
  FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (!file.ok()) return errno;
  if (keep_mode && ::fchmod(file.get(), mode) != 0) return errno;
  if (const int error = WriteAll(file.get(), bytes)) return error;
  if (::fsync(file.get()) != 0) return errno;
  return file.Close() ? 0 : errno;
}

}  // namespace

Result<std::string> ReadFile(const fs::path& path, int64_t limit) {
  // Not to wait for the other end of a named pipe: that is no regular file, and is refused below.
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file.ok()) return ReadFailure(path, errno);
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return ReadFailure(path, errno);
  if (!S_ISREG(status.st_mode)) {
    return Fail(Code::kInvalidArgument, "file.not_regular",
                S_ISDIR(status.st_mode) ? "a folder, where a file is needed" : "not a regular file", path.string());
  }
  if (status.st_size > limit) return TooLarge(path, limit);
  // The size is a hint only: the file may grow, and those of /proc say 0.
  constexpr size_t kStep = size_t{64} << 10;
  std::string bytes(static_cast<size_t>(status.st_size) + 1, '\0');
  size_t filled = 0;
  for (;;) {
    if (filled == bytes.size()) bytes.resize(bytes.size() + kStep);
    const ssize_t got = ::read(file.get(), bytes.data() + filled, bytes.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ReadFailure(path, errno);
    if (got == 0) break;
    filled += static_cast<size_t>(got);
    if (filled > static_cast<size_t>(limit)) return TooLarge(path, limit);
  }
  bytes.resize(filled);
  return bytes;
}

Result<void> WriteFileAtomically(const fs::path& path, std::string_view bytes) {
  std::error_code ignored;
  struct stat status{};
  const bool exists = ::stat(path.c_str(), &status) == 0;
  if (exists && S_ISDIR(status.st_mode)) return WriteFailure(path, EISDIR);
  if (exists && !S_ISREG(status.st_mode)) return WriteInPlace(path, bytes);
  // Through a symbolic link, the file behind it is replaced, not the link.
  fs::path target = exists ? fs::canonical(path, ignored) : path;
  if (target.empty()) target = path;
  const fs::path fresh = target.parent_path() / ("." + NewRequestId() + ".slipway.tmp");
  int error = WriteNewFile(fresh, bytes, exists ? status.st_mode & 07777 : 0666, exists);
  if (error == 0 && ::rename(fresh.c_str(), target.c_str()) != 0) error = errno;
  if (error == 0) return {};
  ::unlink(fresh.c_str());
  return WriteFailure(path, error);
}

Result<void> SyncFolder(const fs::path& folder) {
  const fs::path name = folder.empty() ? fs::path(".") : folder;
  FileDescriptor file(::open(name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!file.ok()) return WriteFailure(name, errno);
  if (const int error = Sync(file.get())) return WriteFailure(name, error);
  return {};
}

Result<TemporaryFolder> TemporaryFolder::Create() {
  std::error_code failed;
  const fs::path parent = fs::temp_directory_path(failed);
  std::string path = (failed ? fs::path("/tmp") : parent) / "slipway-XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) return WriteFailure(path, errno);
  return TemporaryFolder(path);
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

}  // namespace slipway::base
