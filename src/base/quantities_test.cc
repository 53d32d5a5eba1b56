#include "base/quantities.h"

#include <gtest/gtest.h>

namespace slipway::base {
namespace {

using namespace std::chrono_literals;

TEST(ParseBytesTest, KnowsBinaryAndDecimalUnits) {
  EXPECT_EQ(ParseBytes("512")->count, 512);
  EXPECT_EQ(ParseBytes("64KiB")->count, 65536);
  EXPECT_EQ(ParseBytes("1.5GiB")->count, 1610612736);
  EXPECT_EQ(ParseBytes("10MB")->count, 10'000'000);
  EXPECT_EQ(ParseBytes("64 MiB")->count, 67108864);
}

class MalformedSizeTest : public testing::TestWithParam<const char*> {};

TEST_P(MalformedSizeTest, IsRefused) {
  EXPECT_EQ(ParseBytes(GetParam()).error().reason, "quantity.malformed");
}

INSTANTIATE_TEST_SUITE_P(All, MalformedSizeTest,
                         testing::Values("", "MiB", "-1MB", "+1MB", "1XB", "1e3", "1.2.3MB", "9999999TiB", "nanMB",
                                         "9223372036854775808", "1,5MB"));

TEST(FormatBytesTest, IsShort) {
  EXPECT_EQ(FormatBytes({0}), "0B");
  EXPECT_EQ(FormatBytes({1023}), "1023B");
  EXPECT_EQ(FormatBytes({64 << 20}), "64MiB");
  EXPECT_EQ(FormatBytes({1610612736}), "1.5GiB");
}

TEST(ParseDurationTest, NeedsAUnit) {
  EXPECT_EQ(*ParseDuration("100ms"), 100ms);
  EXPECT_EQ(*ParseDuration("1.5s"), 1500ms);
  EXPECT_EQ(*ParseDuration("2m"), 2min);
  EXPECT_EQ(*ParseDuration("1h"), 1h);
  EXPECT_EQ(*ParseDuration("250us"), 250us);
  EXPECT_EQ(ParseDuration("100").error().reason, "quantity.malformed");
  EXPECT_EQ(ParseDuration("-1s").error().reason, "quantity.malformed");
  EXPECT_EQ(ParseDuration("9999999h").error().reason, "quantity.malformed");
}

TEST(FormatDurationTest, TakesTheLargestUnitThatSaysItShortly) {
  EXPECT_EQ(FormatDuration(0ns), "0s");
  EXPECT_EQ(FormatDuration(100ms), "100ms");
  EXPECT_EQ(FormatDuration(1500ms), "1.5s");
  EXPECT_EQ(FormatDuration(61s), "61s");
  EXPECT_EQ(FormatDuration(90s), "1.5m");
  EXPECT_EQ(FormatDuration(1234567ns), "1.235ms");
  EXPECT_EQ(FormatDuration(-2h), "-2h");
}

}  // namespace
}  // namespace slipway::base
