#include "base/service_manager.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>

#include "base/files.h"

namespace slipway::base {
namespace {

using testing::MatchesRegex;

/// The other side: a datagram socket as systemd opens it.
class ServiceManagerTest : public testing::Test {
 protected:
  void Open(const std::string& name) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name.copy(address.sun_path, sizeof address.sun_path - 1);
    if (name[0] == '@') address.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    ASSERT_EQ(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), size), 0);
    ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
  }
  void TearDown() override {
    ::unsetenv("NOTIFY_SOCKET");
    ::close(socket_);
  }
  std::string Receive() const {
    char bytes[512];
    const auto size = ::recv(socket_, bytes, sizeof bytes, MSG_DONTWAIT);
    return size < 0 ? "" : std::string(bytes, static_cast<size_t>(size));
  }

  TemporaryFolder folder_ = TemporaryFolder::Create().value();
  int socket_ = ::socket(AF_UNIX, SOCK_DGRAM, 0);
};

TEST_F(ServiceManagerTest, HearsEveryState) {
  Open((folder_.path() / "notify").string());
  const auto manager = ServiceManager::FromEnvironment();
  EXPECT_TRUE(manager.present());
  manager.Ready("serving\n2 models");
  EXPECT_EQ(Receive(), "READY=1\nSTATUS=serving 2 models");
  manager.Reloading();
  EXPECT_THAT(Receive(), MatchesRegex("RELOADING=1\nMONOTONIC_USEC=[0-9]+"));
  manager.Stopping();
  EXPECT_EQ(Receive(), "STOPPING=1\nSTATUS=finishing requests");
}

TEST_F(ServiceManagerTest, HearsInTheAbstractNamespaceToo) {
  Open("@slipway-test-" + folder_.path().filename().string());
  ServiceManager::FromEnvironment().Ready("serving");
  EXPECT_EQ(Receive(), "READY=1\nSTATUS=serving");
}

TEST_F(ServiceManagerTest, NobodyThereIsNoFault) {
  for (const std::string& name : {std::string(), std::string("/"), std::string("relative/path"),
                                  std::string("/no/such/socket"), std::string(300, '/')}) {
    ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
    const auto manager = ServiceManager::FromEnvironment();
    EXPECT_FALSE(manager.present()) << name;
    manager.Ready("serving");
  }
  ::unsetenv("NOTIFY_SOCKET");
  EXPECT_FALSE(ServiceManager::FromEnvironment().present());
}

TEST_F(ServiceManagerTest, AManagerThatWentAwayDoesNotEndTheService) {
  Open((folder_.path() / "notify").string());
  const auto manager = ServiceManager::FromEnvironment();
  ::close(socket_);
  manager.Ready("serving");
  manager.Stopping();
}

}  // namespace
}  // namespace slipway::base
