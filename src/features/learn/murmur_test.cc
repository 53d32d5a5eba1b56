#include "features/learn/murmur.h"

#include <gtest/gtest.h>

namespace slipway::features {
namespace {

// Expected: sklearn.utils.murmurhash3_32 1.7.
TEST(MurmurTest, AgreesWithScikitLearn) {
  EXPECT_EQ(Murmur3(""), 0);
  EXPECT_EQ(Murmur3("late"), 859229416);
  EXPECT_EQ(Murmur3("flight"), -238384653);
}

TEST(MurmurTest, TheSmallestHashHasABucket) {
  EXPECT_EQ(MurmurBucket(INT32_MIN, 10), 8);
  EXPECT_EQ(MurmurBucket(-13, 10), 3);
}

}  // namespace
}  // namespace slipway::features
