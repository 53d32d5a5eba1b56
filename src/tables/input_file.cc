#include "tables/input_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/text.h"

namespace slipway::tables {
namespace {

std::unexpected<base::Error> Fault(base::Code code, std::string reason, std::string_view path, std::string_view words) {
  return base::Fail(code, std::move(reason), fmt::format("cannot read {}: {}", base::Shorten(path, 512), words));
}

}  // namespace

InputFile::InputFile(std::string path, int descriptor, int64_t total)
    : path_(std::move(path)), descriptor_(descriptor), total_(total) {}

InputFile::InputFile(InputFile&& other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      done_(other.done_),
      total_(other.total_),
      block_(std::move(other.block_)) {}

InputFile& InputFile::operator=(InputFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(done_, other.done_);
  std::swap(total_, other.total_);
  std::swap(block_, other.block_);
  return *this;
}

InputFile::~InputFile() {
  if (descriptor_ > STDIN_FILENO) close(descriptor_);
}

base::Result<InputFile> InputFile::Open(std::string_view path) {
  if (path == "-") return InputFile("-", STDIN_FILENO, 0);
  std::string name(path);
  const int descriptor = open(name.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    const int error = errno;
    if (error == ENOENT || error == ENOTDIR) {
      return Fault(base::Code::kNotFound, "tables.missing", path, "there is no such file; check the path");
    }
    return Fault(base::Code::kUnavailable, "tables.read", path, std::strerror(error));
  }
  InputFile file(std::move(name), descriptor, 0);
  struct stat status{};
  if (fstat(descriptor, &status) != 0)
    return Fault(base::Code::kUnavailable, "tables.read", path, std::strerror(errno));
  if (S_ISDIR(status.st_mode)) {
    return Fault(base::Code::kInvalidArgument, "tables.not_a_file", path, "it is a folder; name a file in it");
  }
  if (S_ISREG(status.st_mode)) file.total_ = status.st_size;
  return file;
}

base::Result<std::string_view> InputFile::ReadBlock() {
  if (block_.empty()) block_.resize(kBlockBytes);
  size_t filled = 0;
  while (filled < kBlockBytes) {  // pipes deliver a few kilobytes at a time
    const ssize_t got = read(descriptor_, block_.data() + filled, kBlockBytes - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Fault(base::Code::kUnavailable, "tables.read", path_, std::strerror(errno));
    if (got == 0) break;
    filled += static_cast<size_t>(got);
    if (total_ == 0) break;  // a stream: hand over what there is, somebody may wait for it
  }
  done_ += static_cast<int64_t>(filled);
  return std::string_view(block_.data(), filled);
}

bool InputFile::IsReady() const {
  pollfd state{.fd = descriptor_, .events = POLLIN, .revents = 0};
  return total_ > 0 || poll(&state, 1, 0) != 0;
}

base::Result<void> InputFile::Rewind() {
  if (path_ == "-" || lseek(descriptor_, 0, SEEK_SET) < 0) {
    return base::Fail(base::Code::kFailedPrecondition, "tables.not_seekable",
                      fmt::format("{} can be read only once; store it in a file first",
                                  path_ == "-" ? "standard input" : base::Shorten(path_, 512)));
  }
  done_ = 0;
  return {};
}

}  // namespace slipway::tables
