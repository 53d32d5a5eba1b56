// What changes while a server runs, and what does not.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <thread>
#include <vector>

#include "net/server_fixture.h"

namespace slipway::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

class ConductTest : public ServerFixture {
 protected:
  void StartEcho(const HttpLimits& limits = {}, int threads = 1) {
    AddEcho();
    HttpServerOptions options;
    options.conduct.limits = limits;
    options.threads = threads;
    Start(std::move(options));
  }
  /// The change is taken between two turns of the loop: ask until it shows.
  static bool Becomes(const std::function<bool()>& expected) {
    for (int i = 0; i < 200; ++i) {
      if (expected()) return true;
      std::this_thread::sleep_for(milliseconds(10));
    }
    return false;
  }
};

TEST_F(ConductTest, ALimitOfTheBodyCountsForTheNextRequestOfAStandingConnection) {
  StartEcho();
  auto client = Connect();
  EXPECT_EQ(client.Ask(Post("/echo", "12345")).status, 200);
  ASSERT_TRUE(server_->Change({.limits = {.body_bytes = 4}}));
  EXPECT_TRUE(Becomes([&] { return Connect().Ask(Post("/echo", "12345")).status == 413; }));
  EXPECT_EQ(client.Ask(Post("/echo", "1234")).status, 200);
  EXPECT_EQ(client.Ask(Post("/echo", "12345")).status, 413);
}

TEST_F(ConductTest, ARequestThatHasBegunGoesOnUnderTheLimitsOfItsBeginning) {
  StartEcho();
  auto begun = Connect();
  begun.Send("POST /echo HTTP/1.1\r\nHost: x\r\nA: 1\r\nContent-Length: 10\r\n\r\n12345");
  EXPECT_EQ(Connect().Ask(kHello).status, 200);
  ASSERT_TRUE(server_->Change({.limits = {.head_bytes = 40, .header_count = 1, .body_bytes = 4}}));
  EXPECT_TRUE(Becomes([&] { return Connect().Ask(Post("/echo", "12345")).status == 431; }));
  begun.Send("67890");
  EXPECT_EQ(begun.Read().body, "1234567890");
}

TEST_F(ConductTest, AShorterDeadlineIsKeptAlthoughTheTickWasSetForLongOnes) {
  StartEcho();
  ASSERT_TRUE(server_->Change({.limits = {.header_deadline = milliseconds(40), .idle_timeout = milliseconds(40)}}));
  EXPECT_TRUE(Becomes([&] {
    auto silent = Connect();
    const auto start = std::chrono::steady_clock::now();
    return silent.IsClosed() && std::chrono::steady_clock::now() - start < milliseconds(2000);
  }));
}

TEST_F(ConductTest, ABoundPerAddressMayComeAndGoWhileItsConnectionsStand) {
  StartEcho();
  auto uncounted = Connect();
  EXPECT_EQ(uncounted.Ask(kHello).status, 200);
  ASSERT_TRUE(server_->Change({.limits = {.connections_per_address = 1}}));
  auto counted = std::make_unique<RawClient>(server_->port());
  EXPECT_TRUE(Becomes([&] { return Connect().Ask(kHello).status == 429; }));
  EXPECT_EQ(counted->Ask(kHello).status, 200);
  ASSERT_TRUE(server_->Change({}));
  EXPECT_TRUE(Becomes([&] { return Connect().Ask(kHello).status == 200; }));
  counted.reset();
  EXPECT_TRUE(Becomes([&] { return server_->connections() == 1; }));
  ASSERT_TRUE(server_->Change({.limits = {.connections_per_address = 1}}));
  EXPECT_TRUE(Becomes([&] {
    auto one = Connect();
    return one.Ask(kHello).status == 200 && Connect().Ask(kHello).status == 429;
  })) << "the place of the counted connection was given back";
}

TEST_F(ConductTest, OriginsAndCompressionChange) {
  StartEcho();
  ASSERT_TRUE(server_->Change({.cors = {.origins = {"https://app.example"}}}));
  EXPECT_TRUE(Becomes([&] {
    const auto answer = Connect().Ask("GET /hello HTTP/1.1\r\nHost: x\r\nOrigin: https://app.example\r\n\r\n");
    return answer.Header("Access-Control-Allow-Origin") == "https://app.example";
  }));
  EXPECT_FALSE(server_->Change({.cors = {.origins = {"*"}, .credentials = true}}));
}

TEST_F(ConductTest, ChangesWhileRequestsRunLoseNone) {
  StartEcho({}, 4);
  std::atomic<bool> stop{false};
  std::atomic<int> bad{0}, good{0};
  std::vector<std::jthread> clients;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&] {
      auto client = Connect();
      while (!stop) ++(client.Ask(Post("/echo", "12345")).body == "12345" ? good : bad);
    });
  }
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(server_->Change({.limits = {.body_bytes = 100 + i, .requests_per_turn = 1 + i % 7}}));
  }
  EXPECT_TRUE(Becomes([&] { return good > 100; }));
  stop = true;
  clients.clear();
  EXPECT_EQ(bad, 0);
}

}  // namespace
}  // namespace slipway::net
