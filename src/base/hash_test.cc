#include "base/hash.h"

#include <gtest/gtest.h>

namespace slipway::base {
namespace {

// Fitted bundles hold places that these hashes chose: they must never change. Values of xxHash's own `xxhsum`.
TEST(Hash, IsTheSameEverywhere) {
  EXPECT_EQ(Xxh64(""), 0xEF46DB3751D8E999u);
  EXPECT_EQ(Xxh64("abc"), 0x44BC2CF5AD770999u);
  EXPECT_EQ(Xxh3(""), 0x2D06800538D394C2u);
  EXPECT_EQ(Xxh3("abc"), 0x78AF5F94892F3950u);
}

TEST(Hash, OfTwiceTheBitsIsWrittenInDigits) {
  EXPECT_EQ(Xxh3Digits(""), "99aa06d3014798d86001c324468d497f");
  EXPECT_EQ(Xxh3Digits("abc"), "06b05ab6733a618578af5f94892f3950");
}

TEST(Hash, OfPiecesIsThatOfTheWhole) {
  Xxh3Stream stream;
  EXPECT_EQ(stream.Digits(), Xxh3Digits(""));
  stream.Add("ab");
  stream.Add("c");
  EXPECT_EQ(stream.Digits(), Xxh3Digits("abc"));
}

TEST(Hash, SeedsChangeIt) {
  EXPECT_NE(Xxh64("abc", 1), Xxh64("abc"));
  EXPECT_NE(Xxh3("abc", 1), Xxh3("abc"));
}

}  // namespace
}  // namespace slipway::base
