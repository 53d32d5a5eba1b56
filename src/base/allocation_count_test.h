#pragma once
// Counts allocations by replacing every form of operator new in a test program. Included by exactly one of the
// program's sources; with some forms left to the library (or a sanitizer) memory would be freed by another allocator
// than its own.

#include <cstdint>
#include <cstdlib>
#include <new>

namespace slipway::base {

inline thread_local int64_t allocations_of_this_thread = 0;

/// Calls of any operator new by this thread so far.
inline int64_t AllocationsOfThisThread() {
  return allocations_of_this_thread;
}

[[gnu::noinline]] inline void* CountedAllocation(size_t size, size_t alignment) noexcept {
  ++allocations_of_this_thread;
  if (alignment == 0) return std::malloc(size == 0 ? 1 : size);
  return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

[[gnu::noinline]] inline void* CountedOrThrow(size_t size, size_t alignment) {
  if (void* memory = CountedAllocation(size, alignment)) return memory;
  throw std::bad_alloc();
}

}  // namespace slipway::base

[[gnu::noinline]] void* operator new(size_t size) {
  return slipway::base::CountedOrThrow(size, 0);
}
[[gnu::noinline]] void* operator new[](size_t size) {
  return slipway::base::CountedOrThrow(size, 0);
}
[[gnu::noinline]] void* operator new(size_t size, std::align_val_t alignment) {
  return slipway::base::CountedOrThrow(size, static_cast<size_t>(alignment));
}
[[gnu::noinline]] void* operator new[](size_t size, std::align_val_t alignment) {
  return slipway::base::CountedOrThrow(size, static_cast<size_t>(alignment));
}
[[gnu::noinline]] void* operator new(size_t size, const std::nothrow_t&) noexcept {
  return slipway::base::CountedAllocation(size, 0);
}
[[gnu::noinline]] void* operator new[](size_t size, const std::nothrow_t&) noexcept {
  return slipway::base::CountedAllocation(size, 0);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete[](void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, size_t) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete[](void* memory, size_t) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete[](void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, size_t, std::align_val_t) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete[](void* memory, size_t, std::align_val_t) noexcept {
  std::free(memory);
}
