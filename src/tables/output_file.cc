#include "tables/output_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/file_descriptor.h"
#include "base/text.h"

namespace slipway::tables {
namespace {

constexpr size_t kBufferBytes = size_t{1} << 18;

}  // namespace

std::string TemporaryNameFor(std::string_view path) {
  static std::atomic<int> count{0};
  const std::filesystem::path target(path);
  const std::string name = fmt::format(".{}.{}.{}.part", target.filename().string(), getpid(), count++);
  return (target.parent_path() / name).string();
}

OutputFile::OutputFile(std::string path, std::string temporary, int descriptor)
    : path_(std::move(path)), temporary_(std::move(temporary)), descriptor_(descriptor) {}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::exchange(other.temporary_, {})),
      object_(std::move(other.object_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      buffer_(std::move(other.buffer_)) {}

OutputFile::~OutputFile() {
  if (descriptor_ > STDOUT_FILENO) close(descriptor_);
  if (descriptor_ >= 0 && !temporary_.empty()) unlink(temporary_.c_str());
}

std::unexpected<base::Error> OutputFile::Fault(int error) const {
  const std::string_view advice = error == ENOSPC   ? "; make room, or write elsewhere"
                                  : error == ENOENT ? "; create its folder first"
                                  : error == EPIPE  ? "; the reader at the other end is gone"
                                                    : "";
  return base::Fail(base::Code::kUnavailable, error == EPIPE ? "tables.reader_gone" : "tables.write",
                    fmt::format("cannot write {}: {}{}", path_ == "-" ? "standard output" : base::Shorten(path_, 512),
                                std::strerror(error), advice));
}

base::Result<OutputFile> OutputFile::Create(std::string_view path, int64_t expected_bytes) {
  if (path == "-") return OutputFile("-", "", STDOUT_FILENO);
  if (storage::IsObjectUrl(path)) {
    SLIPWAY_ASSIGN(auto* store, storage::StoreOf(path));
    SLIPWAY_ASSIGN(const auto url, storage::ParseObjectUrl(path));
    OutputFile file(std::string(path), "", -1);
    SLIPWAY_ASSIGN(file.object_, store->Create(url, expected_bytes));
    return file;
  }
  std::error_code ignored;
  std::filesystem::path target(path);
  if (std::filesystem::is_symlink(target, ignored)) target = std::filesystem::weakly_canonical(target, ignored);
  const auto status = std::filesystem::status(target, ignored);
  OutputFile file(target.string(), TemporaryNameFor(target.string()), -1);
  if (std::filesystem::is_directory(status)) return file.Fault(EISDIR);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {  // a device or pipe stays one
    file.temporary_.clear();
    file.descriptor_ = open(file.path_.c_str(), O_WRONLY | O_CLOEXEC);
    if (file.descriptor_ < 0) return file.Fault(errno);
    return file;
  }
  file.descriptor_ = open(file.temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (file.descriptor_ < 0) return file.Fault(errno);
  return file;
}

base::Result<void> OutputFile::Append(std::string_view bytes) {
  if (buffer_.size() + bytes.size() > kBufferBytes) SLIPWAY_TRY(Flush());
  if (bytes.size() > kBufferBytes) return WriteAll(bytes);
  buffer_.append(bytes);
  return {};
}

base::Result<void> OutputFile::Flush() {
  SLIPWAY_TRY(WriteAll(buffer_));
  buffer_.clear();
  return {};
}

base::Result<void> OutputFile::WriteAll(std::string_view bytes) {
  if (object_) return object_->Append(bytes);
  while (!bytes.empty()) {
    const ssize_t put = write(descriptor_, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return Fault(errno);
    bytes.remove_prefix(static_cast<size_t>(put));
  }
  return {};
}

base::Result<void> OutputFile::Patch(int64_t offset, std::string_view bytes) {
  SLIPWAY_TRY(Flush());
  if (pwrite(descriptor_, bytes.data(), bytes.size(), offset) != static_cast<ssize_t>(bytes.size()))
    return Fault(errno);
  return {};
}

base::Result<void> OutputFile::Finish() {
  SLIPWAY_TRY(Flush());
  if (is_stream()) return {};
  if (object_) return object_->Finish();
  if (const int error = base::Sync(descriptor_)) return Fault(error);
  const int descriptor = std::exchange(descriptor_, -1);
  if (close(descriptor) != 0 || std::rename(temporary_.c_str(), path_.c_str()) != 0) {
    const int error = errno;
    unlink(temporary_.c_str());
    return Fault(error);
  }
  return {};
}

base::Result<void> GiveName(const std::string& temporary, const std::string& path) {
  const base::FileDescriptor file(open(temporary.c_str(), O_RDONLY | O_CLOEXEC));
  int error = file.ok() ? base::Sync(file.get()) : errno;
  if (error == 0 && std::rename(temporary.c_str(), path.c_str()) != 0) error = errno;
  if (error == 0) return {};
  return base::Fail(base::Code::kUnavailable, "tables.write",
                    fmt::format("cannot write {}: {}", base::Shorten(path, 512), std::strerror(error)));
}

}  // namespace slipway::tables
