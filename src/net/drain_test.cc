// How a server ends without losing a request that somebody takes for accepted.

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "net/server_fixture.h"

namespace slipway::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Begins with what it has got, and ends with the body.
class Repeats final : public StreamedAnswer {
 public:
  bool Start(const Request&, Response&) override { return true; }
  bool OnBody(std::string_view piece, const Request&, Response& response) override {
    response.body += piece;
    return true;
  }
  bool OnEnd(const Request&, Response&) override { return true; }
  void OnFault(const HttpFault&, const Request&, Response&) override {}
  void OnDone(const Request&, const Response&) override {}
};

class DrainTest : public ServerFixture {
 protected:
  void AddStream() {
    ASSERT_TRUE(routes_.Add({.method = Method::kPost,
                             .pattern = "/stream",
                             .permission = "public",
                             .handler = [](const Request&, Response&) {},
                             .stream = [](const Request&) { return std::make_unique<Repeats>(); }}));
  }
  /// A connection that has had an answer: a drain closes it, and so tells that it has begun.
  RawClient Kept() const {
    auto kept = Connect();
    EXPECT_EQ(kept.Ask(kHello).status, 200);
    return kept;
  }
  static base::SteadyTime Now() { return base::Clock::System().Now(); }
};

TEST_F(DrainTest, TheFirstRequestOfAConnectionOpenedJustBeforeStopIsNotLost) {
  AddEcho();
  Start();
  auto client = Connect();
  auto kept = Kept();
  std::jthread stopper([&] { server_->Stop(); });
  ASSERT_TRUE(kept.IsClosed());
  const auto answer = client.Ask(kHello);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.Header("Connection"), "close");
}

TEST_F(DrainTest, ASlowFirstRequestOfSuchAConnectionGetsItsOwnTime) {
  AddEcho();
  Start();
  auto client = Connect();
  auto kept = Kept();
  std::jthread stopper([&] { server_->Stop(); });
  ASSERT_TRUE(kept.IsClosed());
  client.Send(kHello.substr(0, 10));
  std::this_thread::sleep_for(milliseconds(1200));
  EXPECT_EQ(client.Ask(kHello.substr(10)).status, 200);
}

TEST_F(DrainTest, AConnectionThatAsksNothingHoldsStopUpForASecondOnly) {
  AddEcho();
  Start();
  auto silent = Connect();
  auto kept = Kept();
  const auto begun = Now();
  server_->Stop();
  EXPECT_LT(Now() - begun, seconds(5));
  EXPECT_TRUE(silent.IsClosed());
}

TEST_F(DrainTest, StopEndsAlthoughClientsGoOnConnecting) {
  AddEcho();
  Start();
  std::vector<std::jthread> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([this](std::stop_token stop) {
      while (!stop.stop_requested()) Connect().Close();
    });
  }
  std::this_thread::sleep_for(milliseconds(20));
  const auto begun = Now();
  server_->Stop();
  EXPECT_LT(Now() - begun, seconds(5));
}

TEST_F(DrainTest, AnswersEndTheirConnectionsOnceTheServerWindsDown) {
  AddEcho();
  Start();
  auto kept = Connect();
  EXPECT_EQ(kept.Ask(kHello).Header("Connection"), "keep-alive");
  server_->WindDown();
  RawAnswer answer;
  while (answer.Header("Connection") != "close") answer = kept.Ask(kHello);
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(kept.IsClosed());
  auto later = Connect();
  answer = later.Ask(Post("/echo", "still served"));
  EXPECT_EQ(answer.body, "still served");
  EXPECT_EQ(answer.Header("Connection"), "close");
}

TEST_F(DrainTest, AStreamEndsItsConnectionOnlyIfItsHeadSaidSo) {
  AddStream();
  AddEcho();
  Start();
  auto client = Connect();
  client.Send("POST /stream HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab");
  auto begun = client.ReadHead();
  ASSERT_EQ(begun.Header("Connection"), "keep-alive");
  server_->WindDown();
  auto other = Connect();
  while (other.connected() && other.Ask(kHello).Header("Connection") != "close") {
  }
  client.Send("cd");
  while (client.ReadChunk(begun)) {
  }
  EXPECT_EQ(begun.body, "abcd");
  client.Send("POST /stream HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\ne");
  auto last = client.ReadHead();
  EXPECT_EQ(last.Header("Connection"), "close");
  client.Send("f");
  while (client.ReadChunk(last)) {
  }
  EXPECT_TRUE(last.whole);
  EXPECT_TRUE(client.IsClosed());
}

TEST_F(DrainTest, AStreamIsTheLastRequestThatItsConnectionMayHave) {
  AddStream();
  HttpServerOptions options;
  options.conduct.limits.requests_per_connection = 1;
  Start(std::move(options));
  auto client = Connect();
  client.Send("POST /stream HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\na");
  EXPECT_EQ(client.ReadHead().Header("Connection"), "close");
}

}  // namespace
}  // namespace slipway::net
