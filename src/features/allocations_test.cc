// Counts allocations for the tests that promise none.

#include <string>

#include "base/allocation_count_test.h"
#include "features/pipeline_fixture.h"

namespace slipway::features {
namespace {

TEST(AllocationsTest, AreCounted) {
  const int64_t before = AllocationsOfThisThread();
  std::string text(1000, 'x');
  EXPECT_GT(AllocationsOfThisThread(), before) << text.size();
}

}  // namespace

int64_t AllocationsOfThisThread() {
  return base::AllocationsOfThisThread();
}

}  // namespace slipway::features
