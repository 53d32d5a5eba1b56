#include "engine/isolated/lane_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <system_error>
#include <utility>

namespace slipway::engine::isolated {

namespace {

constexpr size_t kLeast = size_t{64} << 10;

}  // namespace

void LaneMemory::Unmap::operator()(std::byte* memory) const {
  ::munmap(memory, size);
}

bool LaneMemory::Map(size_t bytes) {
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file_.get(), 0);
  if (memory == MAP_FAILED) return false;
  memory_ = {static_cast<std::byte*>(memory), Unmap{bytes}};
  return true;
}

base::Result<LaneMemory> LaneMemory::Create(size_t bytes) {
  constexpr int kSeals = F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;
  LaneMemory memory;
  const size_t size = std::bit_ceil(std::max(bytes, kLeast));
  memory.file_ = base::FileDescriptor(::memfd_create("slipway-tensors", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (memory.file_.ok() && ::ftruncate(memory.file_.get(), static_cast<off_t>(size)) == 0 &&
      ::fcntl(memory.file_.get(), F_ADD_SEALS, kSeals) == 0 && memory.Map(size)) {
    return memory;
  }
  return base::Fail(base::Code::kResourceExhausted, "engine.memory",
                    "memory for the tensors of a model in a process of its own cannot be had: " +
                        std::generic_category().message(errno));
}

base::Result<LaneMemory> LaneMemory::Open(base::FileDescriptor file) {
  struct stat status{};
  LaneMemory memory;
  memory.file_ = std::move(file);
  if (::fstat(memory.file_.get(), &status) != 0 || status.st_size <= 0 ||
      !memory.Map(static_cast<size_t>(status.st_size))) {
    return base::Fail(base::Code::kDataLoss, "engine.protocol", "a lane's memory cannot be mapped");
  }
  memory.file_.Close();
  return memory;
}

}  // namespace slipway::engine::isolated
