#include "base/base64.h"

#include <gtest/gtest.h>

namespace slipway::base {
namespace {

std::string Encoded(std::string_view bytes) {
  std::string out;
  AppendBase64(out, bytes);
  return out;
}
std::string Decoded(std::string_view text) {
  std::string out;
  return DecodeBase64(text, out) ? out : "refused";
}

// The vectors of RFC 4648, section 10.
TEST(Base64, WritesTheVectorsOfTheStandard) {
  EXPECT_EQ(Encoded(""), "");
  EXPECT_EQ(Encoded("f"), "Zg==");
  EXPECT_EQ(Encoded("fo"), "Zm8=");
  EXPECT_EQ(Encoded("foo"), "Zm9v");
  EXPECT_EQ(Encoded("foob"), "Zm9vYg==");
  EXPECT_EQ(Encoded("fooba"), "Zm9vYmE=");
  EXPECT_EQ(Encoded("foobar"), "Zm9vYmFy");
}

TEST(Base64, ReadsWithAndWithoutPadding) {
  EXPECT_EQ(Decoded(""), "");
  EXPECT_EQ(Decoded("Zg=="), "f");
  EXPECT_EQ(Decoded("Zg"), "f");
  EXPECT_EQ(Decoded("Zm8="), "fo");
  EXPECT_EQ(Decoded("Zm9vYmFy"), "foobar");
}

TEST(Base64, KeepsEveryByte) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  EXPECT_EQ(Decoded(Encoded(bytes)), bytes);
}

TEST(Base64, RefusesWhatStandsForNoBytes) {
  EXPECT_EQ(Decoded("Z"), "refused");
  EXPECT_EQ(Decoded("Zg="), "refused");
  EXPECT_EQ(Decoded("Zg==="), "refused");
  EXPECT_EQ(Decoded("===="), "refused");
  EXPECT_EQ(Decoded("Zh=="), "refused");
  EXPECT_EQ(Decoded("Zm9v Zg"), "refused");
  EXPECT_EQ(Decoded("Zm9v\n"), "refused");
  EXPECT_EQ(Decoded("-_-_"), "refused");
}

}  // namespace
}  // namespace slipway::base
