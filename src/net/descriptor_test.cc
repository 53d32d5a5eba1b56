#include "net/descriptor.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

namespace slipway::net {
namespace {

TEST(TcpAddress, ReadsHostAndPort) {
  EXPECT_EQ(TcpAddress::Parse("127.0.0.1:8080")->ToString(), "127.0.0.1:8080");
  EXPECT_EQ(TcpAddress::Parse("[::1]:80")->host, "::1");
  EXPECT_EQ(TcpAddress::Parse("[::1]:80")->ToString(), "[::1]:80");
  EXPECT_EQ(TcpAddress::Parse(":0")->host, "");
  EXPECT_EQ(TcpAddress::Parse("*:1")->host, "");
}

TEST(PeerName, OfIPv4IsTheSameOnASocketThatTakesIPv6Too) {
  sockaddr_storage address{};
  auto& v6 = reinterpret_cast<sockaddr_in6&>(address);
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(80);
  ASSERT_EQ(::inet_pton(AF_INET6, "::ffff:10.1.2.3", &v6.sin6_addr), 1);
  EXPECT_EQ(PeerName(address), "10.1.2.3:80");
  ASSERT_EQ(::inet_pton(AF_INET6, "2001:db8::1", &v6.sin6_addr), 1);
  EXPECT_EQ(PeerName(address), "[2001:db8::1]:80");
}

TEST(TcpAddress, RefusesWhatIsNone) {
  for (const char* text :
       {"", "8080", "host", "host:", "host:x", "host:-1", "host:+1", "host:65536", "::1:80", "[x]:80"}) {
    EXPECT_FALSE(TcpAddress::Parse(text)) << text;
  }
}

TEST(Listen, SharedListenersTakeTheSamePort) {
  const auto first = Listen({.host = "127.0.0.1", .port = 0}, 16, true);
  ASSERT_TRUE(first);
  EXPECT_TRUE(Listen({.host = "127.0.0.1", .port = LocalPort(*first)}, 16, true));
}

TEST(Listen, APortOfAnotherListenerIsNotFreeEvenIfItShares) {
  const auto other = Listen({.host = "127.0.0.1", .port = 0}, 16, true);
  const auto free = CheckPortIsFree({.host = "127.0.0.1", .port = LocalPort(*other)});
  ASSERT_FALSE(free);
  EXPECT_EQ(free.error().reason, "net.address_in_use");
}

TEST(Listen, AnAddressThatIsNotOursIsAnError) {
  EXPECT_FALSE(Listen({.host = "203.0.113.1", .port = 0}, 16, true));
  EXPECT_FALSE(Listen({.host = "no such host", .port = 0}, 16, true));
}

}  // namespace
}  // namespace slipway::net
