#include "serving/cache/redis/redis_address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace slipway::serving {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(RedisAddress, HasDefaultsForAllButTheHost) {
  const auto address = RedisAddress::Parse("redis://cache.example");
  ASSERT_TRUE(address);
  EXPECT_EQ(address->host, "cache.example");
  EXPECT_EQ(address->port, 6379);
  EXPECT_EQ(address->database, 0);
  EXPECT_EQ(address->user, "");
  EXPECT_EQ(address->password, "");
}

TEST(RedisAddress, TakesAllParts) {
  const auto address = RedisAddress::Parse("redis://slipway:p%40ss:w/rd@10.0.0.1:6380/3");
  ASSERT_TRUE(address) << address.error().Text();
  EXPECT_EQ(address->user, "slipway");
  EXPECT_EQ(address->password, "p@ss:w/rd");
  EXPECT_EQ(address->host, "10.0.0.1");
  EXPECT_EQ(address->port, 6380);
  EXPECT_EQ(address->database, 3);
  EXPECT_EQ(address->Shown(), "10.0.0.1:6380/3");
}

TEST(RedisAddress, TakesAPasswordAloneAndIpv6) {
  const auto address = RedisAddress::Parse("redis://:secret@[::1]:7000/");
  ASSERT_TRUE(address) << address.error().Text();
  EXPECT_EQ(address->user, "");
  EXPECT_EQ(address->password, "secret");
  EXPECT_EQ(address->host, "::1");
  EXPECT_EQ(address->port, 7000);
  EXPECT_EQ(address->Shown(), "[::1]:7000/0");
}

class WrongRedisAddress : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(WrongRedisAddress, IsRefusedWithItsReason) {
  const auto address = RedisAddress::Parse(GetParam().first);
  ASSERT_FALSE(address);
  EXPECT_EQ(address.error().reason, "redis.url");
  EXPECT_THAT(address.error().message, HasSubstr(GetParam().second));
  EXPECT_THAT(address.error().message, HasSubstr("redis://"));
  EXPECT_THAT(address.error().message, Not(HasSubstr("s3cret")));
}

INSTANTIATE_TEST_SUITE_P(
    All, WrongRedisAddress,
    testing::Values(std::pair("", "does not begin with redis://"),
                    std::pair("localhost:6379", "does not begin with redis://"),
                    std::pair("rediss://:s3cret@x", "stunnel"), std::pair("redis://", "no host"),
                    std::pair("redis://:6379", "no host"), std::pair("redis://x:s3cret", "port is no number"),
                    std::pair("redis://x:65536", "port is no number"), std::pair("redis://x:0", "port 0"),
                    std::pair("redis://x/s3cret", "database is no number"),
                    std::pair("redis://x/-1", "database is no number"), std::pair("redis://s3cret@x", "no colon"),
                    std::pair("redis://:s3cret%4@x", "escape"), std::pair("redis://x?db=1", "takes no ?")));

}  // namespace
}  // namespace slipway::serving
