// Counts allocations for the tests that promise none.

#include <cstdint>
#include <cstdlib>
#include <new>

#include "features/pipeline_fixture.h"

namespace slipway::features {
namespace {

thread_local int64_t allocations = 0;

TEST(AllocationsTest, AreCounted) {
  const int64_t before = AllocationsOfThisThread();
  std::string text(1000, 'x');
  EXPECT_GT(AllocationsOfThisThread(), before) << text.size();
}

}  // namespace

int64_t AllocationsOfThisThread() {
  return allocations;
}

}  // namespace slipway::features

[[gnu::noinline]] void* operator new(std::size_t size) {
  ++slipway::features::allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
