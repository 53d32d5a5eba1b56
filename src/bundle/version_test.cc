#include "bundle/version.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace slipway::bundle {
namespace {

Version V(std::string_view text) {
  return Version::Parse(text).value();
}

// The ordered list of semver.org, section 11, with neighbours of our own.
const std::vector<std::string> kAscending = {"0.0.1-0",
                                             "0.0.1",
                                             "0.9.9",
                                             "0.10.0",
                                             "1.0.0-1",
                                             "1.0.0-2",
                                             "1.0.0-10",
                                             "1.0.0-99999999999999999999",
                                             "1.0.0-100000000000000000000",
                                             "1.0.0--",
                                             "1.0.0-0a",
                                             "1.0.0-A",
                                             "1.0.0-alpha",
                                             "1.0.0-alpha.1",
                                             "1.0.0-alpha.beta",
                                             "1.0.0-beta",
                                             "1.0.0-beta.2",
                                             "1.0.0-beta.11",
                                             "1.0.0-rc.1",
                                             "1.0.0",
                                             "1.0.1",
                                             "2.0.0",
                                             "2.1.0",
                                             "10.0.0"};

TEST(Version, OrdersByPrecedence) {
  std::vector<std::string> shuffled(kAscending.rbegin(), kAscending.rend());
  std::ranges::sort(shuffled, {}, V);
  EXPECT_EQ(shuffled, kAscending);
}

TEST(Version, EveryEarlierVersionIsLess) {
  EXPECT_TRUE(std::ranges::is_sorted(kAscending, [](const auto& a, const auto& b) { return V(a) < V(b); }));
  EXPECT_EQ(std::ranges::adjacent_find(kAscending, [](const auto& a, const auto& b) { return !(V(a) < V(b)); }),
            kAscending.end());
}

TEST(Version, IgnoresBuildInComparisonAndKeepsItInText) {
  EXPECT_EQ(V("1.0.0+linux.001"), V("1.0.0"));
  EXPECT_EQ(V("1.2.3-rc.1+linux.001").ToString(), "1.2.3-rc.1+linux.001");
}

class MalformedVersion : public testing::TestWithParam<const char*> {};
TEST_P(MalformedVersion, IsRefusedWithAWayOut) {
  const auto version = Version::Parse(GetParam());
  ASSERT_FALSE(version.has_value());
  EXPECT_EQ(version.error().reason, "version.malformed");
  EXPECT_THAT(version.error().message, testing::HasSubstr("such as 1.0.0"));
}
INSTANTIATE_TEST_SUITE_P(All, MalformedVersion,
                         testing::Values("", "1", "1.0", "1.0.0.0", "01.0.0", "1.00.0", "1.0.0-", "1.0.0+", "1.0.0-01",
                                         "1.0.0-a..b", "1.0.0-a_b", "1.0.0+a+b", "v1.0.0", " 1.0.0", "1.0.0 ", "-1.0.0",
                                         "1.-1.0", "1.0.99999999999999999999", "1..0", "1.0.0-\xC3\xA9"));

TEST(Version, RefusesTextPastTheLengthLimit) {
  EXPECT_TRUE(Version::Parse("1.0.0-" + std::string(249, 'a')).has_value());
  EXPECT_FALSE(Version::Parse("1.0.0-" + std::string(250, 'a')).has_value());
}

TEST(BundleName, TakesLowerCaseDigitsAndPunctuation) {
  EXPECT_TRUE(CheckName("flight-delay").has_value());
  EXPECT_TRUE(CheckName("0.a_b").has_value());
  EXPECT_TRUE(CheckName(std::string(128, 'a')).has_value());
}

class MalformedName : public testing::TestWithParam<const char*> {};
TEST_P(MalformedName, IsRefused) {
  EXPECT_EQ(CheckName(GetParam()).error().reason, "name.malformed");
}
INSTANTIATE_TEST_SUITE_P(All, MalformedName,
                         testing::Values("", "-a", ".a", "_a", "A", "a b", "a/b", "a@1", "\xC3\xA9"));

TEST(BundleName, RefusesTooLongAndReserved) {
  EXPECT_EQ(CheckName(std::string(129, 'a')).error().reason, "name.malformed");
  EXPECT_EQ(CheckName("stats").error().reason, "name.reserved");
}

}  // namespace
}  // namespace slipway::bundle
