#pragma once
// An open descriptor that closes itself.

#include <unistd.h>

#include <string_view>
#include <utility>

namespace slipway::base {

class FileDescriptor {
 public:
  /// Takes what open() and its like returned; a negative number is none.
  explicit FileDescriptor(int fd = -1) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }
  /// Closes now, telling whether the system took everything.
  bool Close() { return ::close(std::exchange(fd_, -1)) == 0; }

 private:
  int fd_;
};

/// Writes everything, however many calls that takes. Returns 0, or the system's error.
int WriteAll(int fd, std::string_view bytes);

/// Waits until what was written lasts. Returns 0, or the system's error; 0 too on file systems that cannot, which have
/// nothing to make up for.
int Sync(int fd);

}  // namespace slipway::base
