#include "tables/input_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
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

InputFile::InputFile(InputFile&& other) noexcept {
  *this = std::move(other);
}

InputFile& InputFile::operator=(InputFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(object_, other.object_);
  std::swap(done_, other.done_);
  std::swap(total_, other.total_);
  std::swap(begun_, other.begun_);
  std::swap(block_, other.block_);  // a block is too long to lie in the string itself, so views of it stay
  std::swap(held_, other.held_);
  std::swap(stored_, other.stored_);
  std::swap(packed_, other.packed_);
  std::swap(unpacking_, other.unpacking_);
  std::swap(stop_, other.stop_);
  return *this;
}

InputFile::~InputFile() {
  if (descriptor_ > STDIN_FILENO) close(descriptor_);
}

base::Result<InputFile> InputFile::Open(std::string_view path) {
  if (path == "-") return InputFile("-", STDIN_FILENO, 0);
  std::string name(path);
  if (storage::IsObjectUrl(path)) {
    SLIPWAY_ASSIGN(auto* store, storage::StoreOf(path));
    SLIPWAY_ASSIGN(const auto url, storage::ParseObjectUrl(path));
    SLIPWAY_ASSIGN(auto object, store->Open(url));
    InputFile file(std::move(name), -1, object->info().size);
    file.object_ = std::move(object);
    return file;
  }
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

base::Result<void> InputFile::AwaitStream() const {
  constexpr int kMilliseconds = 100;
  while (true) {
    if (stop_()) return Fault(base::Code::kAborted, "tables.stopped", path_, "reading was given up");
    pollfd state{.fd = descriptor_, .events = POLLIN, .revents = 0};
    const int ready = poll(&state, 1, kMilliseconds);
    if (ready > 0 || (ready < 0 && errno != EINTR)) return {};  // read() tells of faults
  }
}

/// Fills a block as far as the file goes; the number of bytes, 0 at the end.
base::Result<size_t> InputFile::ReadStored(char* to) {
  size_t filled = 0;
  if (object_) {
    SLIPWAY_ASSIGN(filled, object_->Read({to, kBlockBytes}));
    done_ += static_cast<int64_t>(filled);
    return filled;
  }
  while (filled < kBlockBytes) {  // pipes deliver a few kilobytes at a time
    if (total_ == 0 && stop_) SLIPWAY_TRY(AwaitStream());
    const ssize_t got = read(descriptor_, to + filled, kBlockBytes - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Fault(base::Code::kUnavailable, "tables.read", path_, std::strerror(errno));
    if (got == 0) break;
    filled += static_cast<size_t>(got);
    // A stream: hand over what there is, somebody may wait for it; but a packed one shows itself by its first bytes.
    const bool unclear = !begun_ && filled < Decompressor::kMagicBytes && (to[0] == '\x1f' || to[0] == '\x28');
    if (total_ == 0 && !unclear) break;
  }
  done_ += static_cast<int64_t>(filled);
  return filled;
}

char* InputFile::Block() {
  if (block_.empty()) block_.resize(kBlockBytes);
  return block_.data();
}

base::Result<void> InputFile::Begin() {
  SLIPWAY_ASSIGN(const size_t filled, ReadStored(Block()));
  begun_ = true;
  held_ = std::string_view(block_).substr(0, filled);
  unpacking_ = Decompressor::For(held_);
  if (!unpacking_) return {};
  stored_.swap(block_);
  packed_ = std::exchange(held_, {});
  return {};
}

/// Unpacks into a block.
base::Result<size_t> InputFile::ReadUnpacked(char* to) {
  size_t filled = 0;
  while (filled < kBlockBytes) {
    if (packed_.empty()) {
      if (total_ == 0 && filled > 0) break;  // a stream
      SLIPWAY_ASSIGN(const size_t got, ReadStored(stored_.data()));
      packed_ = std::string_view(stored_).substr(0, got);
    }
    const bool ended = packed_.empty();
    auto written = unpacking_->Unpack(packed_, to + filled, kBlockBytes - filled);
    if (!written) {
      written.error().where = path_;
      return std::unexpected(std::move(written).error());
    }
    filled += *written;
    if (!ended || *written > 0) continue;
    if (unpacking_->complete() || filled > 0) break;
    return Fault(base::Code::kDataLoss, "tables.truncated", path_,
                 "the packed file ends too early, as if it was not written or copied to its end; fetch it again");
  }
  return filled;
}

base::Result<size_t> InputFile::Fill(char* to) {
  return unpacking_ ? ReadUnpacked(to) : ReadStored(to);
}

base::Result<std::string_view> InputFile::ReadBlock() {
  if (!begun_) SLIPWAY_TRY(Begin());
  if (!held_.empty()) return std::exchange(held_, {});
  SLIPWAY_ASSIGN(const size_t filled, Fill(Block()));
  return std::string_view(block_).substr(0, filled);
}

base::Result<size_t> InputFile::AppendBlock(std::string& text) {
  if (!begun_) SLIPWAY_TRY(Begin());
  if (!held_.empty()) {
    const auto held = std::exchange(held_, {});
    text += held;
    return held.size();
  }
  const size_t before = text.size();
  base::Result<size_t> filled = 0;
  text.resize_and_overwrite(before + kBlockBytes, [&](char* bytes, size_t) {
    filled = Fill(bytes + before);
    return before + filled.value_or(0);
  });
  return filled;
}

base::Result<void> InputFile::Skip(int64_t bytes) {
  if (!begun_) SLIPWAY_TRY(Begin());
  const auto held = std::min(bytes, static_cast<int64_t>(held_.size()));
  held_.remove_prefix(static_cast<size_t>(held));
  bytes -= held;
  if (!unpacking_ && bytes > 0 && total_ > 0) {
    if (object_) {
      object_->Seek(done_ + bytes);
    } else if (lseek(descriptor_, bytes, SEEK_CUR) < 0) {
      return Fault(base::Code::kUnavailable, "tables.read", path_, std::strerror(errno));
    }
    done_ += bytes;
    return {};
  }
  while (bytes > 0) {
    SLIPWAY_ASSIGN(const std::string_view block, ReadBlock());
    if (block.empty()) break;
    const auto taken = std::min(bytes, static_cast<int64_t>(block.size()));
    bytes -= taken;
    if (static_cast<size_t>(taken) == block.size()) continue;
    held_ = block.substr(static_cast<size_t>(taken));  // lies in block_, which is filled next after it was handed out
  }
  return {};
}

bool InputFile::IsReady() const {
  pollfd state{.fd = descriptor_, .events = POLLIN, .revents = 0};
  return total_ > 0 || object_ || !held_.empty() || !packed_.empty() || poll(&state, 1, 0) != 0;
}

base::Result<void> InputFile::Rewind() {
  if (object_) {
    object_->Seek(0);
  } else if (path_ == "-" || lseek(descriptor_, 0, SEEK_SET) < 0) {
    return base::Fail(base::Code::kFailedPrecondition, "tables.not_seekable",
                      fmt::format("{} can be read only once; store it in a file first",
                                  path_ == "-" ? "standard input" : base::Shorten(path_, 512)));
  }
  done_ = 0;
  begun_ = false;
  held_ = packed_ = {};
  unpacking_.reset();
  return {};
}

}  // namespace slipway::tables
