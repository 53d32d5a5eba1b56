#include "rpc/gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include "base/files.h"
#include "net/raw_client_test.h"

namespace slipway::rpc {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

base::SteadyTime At(int64_t second) {
  return base::SteadyTime(seconds(second));
}

TEST(ResetAllowanceTest, TenSecondsWorthMayComeAtOnce) {
  ResetAllowance allowance;
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(allowance.Take(At(100), 5)) << i;
  EXPECT_FALSE(allowance.Take(At(100), 5));
}

TEST(ResetAllowanceTest, WhatComesSlowlyIsNeverTooMuch) {
  ResetAllowance allowance;
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(allowance.Take(At(100 + i / 5), 5)) << i;
}

TEST(ResetAllowanceTest, ZeroIsAny) {
  ResetAllowance allowance;
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(allowance.Take(At(100), 0));
}

/// A gate whose connections are kept here.
class GateTest : public testing::Test {
 protected:
  void Start(const GateLimits& limits, const std::string& address = "127.0.0.1:0") {
    auto opened = Gate::Open({address}, "serve", limits, metrics_, telemetry::Log::Discard());
    ASSERT_TRUE(opened) << opened.error().Text();
    gate_ = std::move(*opened);
    gate_->Start(
        [this](int socket) {
          const std::lock_guard lock(mutex_);
          admitted_.emplace_back(socket);
          changed_.notify_all();
        },
        [] {});
  }
  void TearDown() override {
    if (gate_ != nullptr) gate_->Stop();
  }
  /// The socket of the n-th connection that was let in, counted from 1; -1 when it does not come.
  int Admitted(size_t n) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, seconds(10), [&] { return admitted_.size() >= n; })) return -1;
    return admitted_[n - 1].get();
  }
  void Close(size_t n) {
    const std::lock_guard lock(mutex_);
    admitted_[n - 1].Close();
  }
  net::Descriptor Connect() const {
    const std::string& address = gate_->addresses()[0];
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    net::Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(socket.get(), reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
    return socket;
  }
  /// True when the server closes within its time.
  static bool IsClosed(const net::Descriptor& socket) {
    pollfd wait = {.fd = socket.get(), .events = POLLIN, .revents = 0};
    char byte;
    return ::poll(&wait, 1, 10'000) == 1 && ::recv(socket.get(), &byte, 1, 0) <= 0;
  }
  static std::string NameOf(const net::Descriptor& socket) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    EXPECT_EQ(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    return net::PeerName(address);
  }
  std::string Metrics() const {
    std::string text;
    metrics_.WriteText(text);
    return text;
  }

  telemetry::MetricRegistry metrics_;
  std::mutex mutex_;  ///< guards admitted_
  std::condition_variable changed_;
  std::vector<net::Descriptor> admitted_;
  std::unique_ptr<Gate> gate_;
};

TEST_F(GateTest, ConnectionsPastTheLimitAreClosedUntilOthersHaveGone) {
  Start({.connections = 2});
  const auto first = Connect(), second = Connect();
  EXPECT_GE(Admitted(2), 0);
  EXPECT_TRUE(IsClosed(Connect()));
  EXPECT_THAT(Metrics(), HasSubstr("slipway_grpc_connections_refused_total{listener=\"serve\",reason=\"too_many\"} 1"));
  Close(1);
  const auto fourth = Connect();
  EXPECT_GE(Admitted(3), 0);
}

TEST_F(GateTest, ConnectionsOfOneAddressHaveALimitOfTheirOwn) {
  Start({.connections_per_address = 1});
  const auto first = Connect();
  EXPECT_GE(Admitted(1), 0);
  EXPECT_TRUE(IsClosed(Connect()));
  EXPECT_THAT(Metrics(), HasSubstr("reason=\"too_many_of_address\"} 1"));
}

TEST_F(GateTest, AConnectionIsCutWhenItTakesBackTooMany) {
  Start({.resets_per_second = 1});
  const auto flood = Connect(), other = Connect();
  EXPECT_GE(Admitted(2), 0);
  for (int i = 0; i < 11; ++i) gate_->CountReset(NameOf(flood));
  EXPECT_TRUE(IsClosed(flood));
  EXPECT_THAT(Metrics(), HasSubstr("slipway_grpc_connections_cut_total{listener=\"serve\"} 1"));
  EXPECT_THAT(Metrics(), HasSubstr("slipway_grpc_connections{listener=\"serve\"} 1"));
}

TEST_F(GateTest, ASocketWhoseNumberIsAnothersByNowIsLeftAlone) {
  Start({.resets_per_second = 1});
  const auto flood = Connect();
  const int number = Admitted(1);
  Close(1);
  // The next socket gets the number.
  const net::Descriptor successor(::dup2(::socket(AF_INET, SOCK_STREAM, 0), number));
  const auto client = Connect();
  for (int i = 0; i < 20; ++i) gate_->CountReset(NameOf(flood));
  EXPECT_NE(::send(successor.get(), "", 0, MSG_NOSIGNAL), 0) << "it was never connected";
  pollfd wait = {.fd = client.get(), .events = POLLIN, .revents = 0};
  EXPECT_EQ(::poll(&wait, 1, 100), 0) << "nobody closed it";
}

TEST_F(GateTest, UnixSocketsAreListenedOnAndTakenAway) {
  const auto folder = base::TemporaryFolder::Create().value();
  const std::string path = (folder.path() / "s").string();
  Start({}, "unix:" + path);
  EXPECT_EQ(gate_->addresses()[0], "unix:" + path);
  EXPECT_TRUE(std::filesystem::exists(path));
  gate_->Stop();
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(GateTest, ATakenAddressIsToldWhenItIsOpened) {
  Start({});
  const auto second = Gate::Open({gate_->addresses()[0]}, "serve", {}, metrics_, telemetry::Log::Discard());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().reason, "net.address_in_use");
}

}  // namespace
}  // namespace slipway::rpc
