#pragma once
// Memory that a server and a child of it see, for the tensors of one lane.

#include <cstddef>
#include <memory>
#include <span>

#include "base/error.h"
#include "base/file_descriptor.h"

namespace slipway::engine::isolated {

/// A mapped file in memory whose size is sealed: nobody can pull it away under a reader, or make it grow. A larger one
/// takes its place. Thread-safety: none of its own.
class LaneMemory {
 public:
  LaneMemory() = default;
  /// At least so many bytes, of zeros. By the server. Errors: resource_exhausted "engine.memory".
  static base::Result<LaneMemory> Create(size_t bytes);
  /// By the child. Errors: data_loss "engine.protocol".
  static base::Result<LaneMemory> Open(base::FileDescriptor file);

  std::span<std::byte> bytes() const { return {memory_.get(), memory_.get_deleter().size}; }
  /// To hand over; -1 once Open() has mapped it.
  int file() const { return file_.get(); }

 private:
  struct Unmap {
    size_t size;
    void operator()(std::byte* memory) const;
  };
  bool Map(size_t bytes);
  base::FileDescriptor file_;
  std::unique_ptr<std::byte, Unmap> memory_;
};

}  // namespace slipway::engine::isolated
