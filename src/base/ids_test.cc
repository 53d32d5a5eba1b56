#include "base/ids.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>
#include <vector>

namespace slipway::base {
namespace {

TEST(NewRequestIdTest, Is32HexadecimalDigits) {
  const std::string id = NewRequestId();
  EXPECT_EQ(id.size(), 32u);
  EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), std::string::npos);
}

TEST(NewRequestIdTest, DiffersWithinAndBetweenThreads) {
  std::vector<std::set<std::string>> per_thread(4);
  {
    std::vector<std::jthread> threads;
    for (auto& ids : per_thread) {
      threads.emplace_back([&ids] {
        for (int i = 0; i < 1000; ++i) ids.insert(NewRequestId());
      });
    }
  }
  std::set<std::string> all;
  for (const auto& ids : per_thread) all.insert(ids.begin(), ids.end());
  EXPECT_EQ(all.size(), 4000u);
}

}  // namespace
}  // namespace slipway::base
