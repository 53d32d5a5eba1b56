// Each limit of HttpLimits that has no test elsewhere (http_server_test, stream_test, content_coding_test).

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <latch>
#include <thread>
#include <vector>

#include "net/address_table.h"
#include "net/server_fixture.h"

namespace slipway::net {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

class LimitsTest : public ServerFixture {
 protected:
  void StartWith(const HttpLimits& limits) {
    AddEcho();
    HttpServerOptions options;
    options.conduct.limits = limits;
    Start(std::move(options));
  }
};

TEST_F(LimitsTest, MoreHeadersThanAllowedAre431) {
  StartWith({.header_count = 3});
  EXPECT_EQ(Connect().Ask("GET /hello HTTP/1.1\r\nHost: x\r\nA: 1\r\nB: 2\r\n\r\n").status, 200);
  auto client = Connect();
  EXPECT_EQ(client.Ask("GET /hello HTTP/1.1\r\nHost: x\r\nA: 1\r\nB: 2\r\nC: 3\r\n\r\n").status, 431);
  EXPECT_TRUE(client.IsClosed());
}

TEST_F(LimitsTest, AHeadThatNeverEndsIs431WhileItArrives) {
  StartWith({.head_bytes = 1000});
  auto client = Connect();
  EXPECT_EQ(client.Ask("GET /hello HTTP/1.1\r\nHost: x\r\nA: " + std::string(1000, 'a')).status, 431);
}

TEST_F(LimitsTest, ATargetThatNeverEndsIs414WhileItArrives) {
  StartWith({.target_bytes = 100});
  EXPECT_EQ(Connect().Ask("GET /" + std::string(200, 'a')).status, 414);
  EXPECT_EQ(Connect().Ask("GET /" + std::string(100, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n").status, 414);
}

TEST_F(LimitsTest, MoreChunksThanAllowedAre413) {
  StartWith({.chunk_count = 3});
  const std::string head = "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(Connect().Ask(head + "1\r\na\r\n1\r\nb\r\n0\r\n\r\n").body, "ab");
  EXPECT_EQ(Connect().Ask(head + "1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n").status, 413);
}

TEST_F(LimitsTest, ConnectionsOfOneAddressPastTheLimitGet429) {
  StartWith({.connections_per_address = 2});
  auto first = Connect();
  EXPECT_EQ(first.Ask(kHello).status, 200);
  {
    auto second = Connect();
    EXPECT_EQ(second.Ask(kHello).status, 200);
    auto third = Connect();
    const auto refused = third.Ask(kHello);
    EXPECT_EQ(refused.status, 429);
    EXPECT_EQ(refused.Header("Retry-After"), "1");
    EXPECT_TRUE(third.IsClosed());
  }
  for (int i = 0; i < 100 && server_->connections() > 1; ++i) std::this_thread::sleep_for(milliseconds(10));
  EXPECT_EQ(Connect().Ask(kHello).status, 200) << "a closed connection gives its place back";
  EXPECT_THAT(MetricsText(), HasSubstr("{reason=\"http.too_many_connections_of_address\"} 1\n"));
}

TEST_F(LimitsTest, AConnectionEndsInGoodOrderAfterItsRequests) {
  StartWith({.requests_per_connection = 2});
  auto client = Connect();
  EXPECT_EQ(client.Ask(kHello).Header("Connection"), "keep-alive");
  EXPECT_EQ(client.Ask(kHello).Header("Connection"), "close");
  EXPECT_TRUE(client.IsClosed());
}

TEST_F(LimitsTest, ALongPipelineDoesNotKeepOthersWaiting) {
  int served = 0;
  std::vector<int> order;
  std::latch entered(1), both_wait(1);
  AddRoute(Method::kGet, "/one", [&](const Request&, Response&) { ++served; });
  AddRoute(Method::kGet, "/other", [&](const Request&, Response&) { order.push_back(served); });
  AddRoute(Method::kGet, "/wait", [&](const Request&, Response&) {
    entered.count_down();
    both_wait.wait();
  });
  HttpServerOptions options;
  options.conduct.limits.requests_per_turn = 8;
  Start(std::move(options));
  auto blocker = Connect(), greedy = Connect(), other = Connect();
  blocker.Send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
  entered.wait();
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "GET /one HTTP/1.1\r\nHost: x\r\n\r\n";
  greedy.Send(many);
  other.Send("GET /other HTTP/1.1\r\nHost: x\r\n\r\n");
  both_wait.count_down();
  EXPECT_EQ(other.Read().status, 200);
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(greedy.Read().status, 200) << i;
  server_->Stop();
  EXPECT_EQ(served, 1000);
  EXPECT_LE(order.at(0), 16) << "requests of one connection that were served before another's only one";
}

TEST_F(LimitsTest, APipelineOfSlowRequestsTakesTurnsWithOthers) {
  int served = 0;
  std::vector<int> order;
  std::latch entered(1), both_wait(1);
  AddRoute(Method::kGet, "/slow", [&](const Request&, Response&) {
    ++served;
    std::this_thread::sleep_for(milliseconds(2));
  });
  AddRoute(Method::kGet, "/other", [&](const Request&, Response&) { order.push_back(served); });
  AddRoute(Method::kGet, "/wait", [&](const Request&, Response&) {
    entered.count_down();
    both_wait.wait();
  });
  StartWith({});
  auto blocker = Connect(), greedy = Connect(), other = Connect();
  blocker.Send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
  entered.wait();
  std::string many;
  for (int i = 0; i < 60; ++i) many += "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n";
  greedy.Send(many);
  other.Send("GET /other HTTP/1.1\r\nHost: x\r\n\r\n");
  both_wait.count_down();
  EXPECT_EQ(other.Read().status, 200);
  for (int i = 0; i < 60; ++i) ASSERT_EQ(greedy.Read().status, 200) << i;
  server_->Stop();
  EXPECT_LE(order.at(0), 4) << "fewer than --max-requests-per-turn allows, since each takes long";
}

TEST_F(LimitsTest, ABlankLineBehindARequestIsNoRequestBegun) {
  StartWith({.header_deadline = milliseconds(50), .idle_timeout = milliseconds(100)});
  auto client = Connect();
  EXPECT_EQ(client.Ask(std::string(kHello) + "\r\n").status, 200);
  EXPECT_TRUE(client.IsClosed()) << "idle, not answered by a 408 that nobody asked for";
}

TEST_F(LimitsTest, AConnectionOpenedAheadIsNotClosedAsOneWhoseHeadIsLate) {
  StartWith({.header_deadline = milliseconds(50)});
  auto pooled = Connect();
  std::this_thread::sleep_for(milliseconds(200));
  pooled.Send(kHello.substr(0, 10));
  EXPECT_EQ(pooled.Ask(kHello.substr(10)).status, 200);
  EXPECT_EQ(Connect().Ask(kHello.substr(0, 10)).status, 408) << "the time of a head begins with its first byte";
}

TEST_F(LimitsTest, ARequestThatComesInTheTurnThatEndsItsIdleConnectionIsNotReset) {
  const auto idle_timeout = milliseconds(50);
  auto post = [](std::string_view path) { return Post(path, ""); };
  RawClient *idle = nullptr, *second = nullptr;
  AddRoute(Method::kPost, "/outlast-it", [&](const Request&, Response&) {
    std::this_thread::sleep_for(2 * idle_timeout);
    second->Send(post("/then-ask"));
  });
  // In the turn that sees that the time is up, when it is too late to see that there is something to read.
  AddRoute(Method::kPost, "/then-ask", [&](const Request&, Response&) { idle->Send(kHello); });
  StartWith({.idle_timeout = idle_timeout});
  auto first = Connect(), other = Connect(), waiting = Connect();
  second = &other;
  idle = &waiting;
  ASSERT_EQ(other.Ask(kHello).status, 200);
  ASSERT_EQ(waiting.Ask(kHello).status, 200);
  first.Send(post("/outlast-it"));
  EXPECT_EQ(waiting.Read().status, 200);
}

TEST_F(LimitsTest, IdleConnectionsKeepNoBuffers) {
  AddRoute(Method::kPost, "/sink", [](const Request& q, Response& r) { r.body = std::to_string(q.body.size()); });
  StartWith({});
  std::vector<RawClient> clients;
  const std::string chunked = "POST /sink HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4e20\r\n" +
                              std::string(20'000, 'x') + "\r\n0\r\n\r\n";
  clients.reserve(300);
  const size_t before = ::mallinfo2().uordblks;
  for (int i = 0; i < 300; ++i) {
    clients.emplace_back(server_->port());
    clients.back().Send(std::string_view(chunked).substr(0, 10'000));
    clients.back().Send(std::string_view(chunked).substr(10'000));
    ASSERT_EQ(clients.back().Read().body, "20000");
  }
  // A client keeps some hundred bytes of its last answer; the thread's buffers count once.
  const size_t most = before + size_t{300} * 2048 + (512 << 10);
  for (int i = 0; i < 100 && ::mallinfo2().uordblks > most; ++i) std::this_thread::sleep_for(milliseconds(50));
  EXPECT_LT(::mallinfo2().uordblks, most);
}

TEST_F(LimitsTest, AClientThatShutsWritingBehindItsRequestIsAnswered) {
  StartWith({});
  auto client = Connect();
  client.Send(Post("/echo", "abc"));
  client.ShutWriting();
  EXPECT_EQ(client.Read().body, "abc");
  auto large = Connect();
  const std::string body(8 << 20, 'x');
  std::jthread sender([&] {
    large.Send(Post("/echo", body));
    large.ShutWriting();
  });
  EXPECT_EQ(large.Read().body.size(), body.size());
}

TEST(AddressTable, CountsNetworksNotAddresses) {
  EXPECT_EQ(AddressKey::Of("[2001:db8::1]:1"), AddressKey::Of("[2001:db8::ffff:0:0:2]:9"));
  EXPECT_NE(AddressKey::Of("[2001:db8::1]:1"), AddressKey::Of("[2001:db8:0:1::1]:1"));
  EXPECT_EQ(AddressKey::Of("[::ffff:10.0.0.1]:1"), AddressKey::Of("10.0.0.1:2"));
  EXPECT_NE(AddressKey::Of("10.0.0.1:2"), AddressKey::Of("10.0.0.2:2"));
  AddressTable table;
  const auto key = AddressKey::Of("10.0.0.1:2");
  EXPECT_TRUE(table.Enter(key, 1));
  EXPECT_FALSE(table.Enter(key, 1));
  table.Leave(key);
  EXPECT_EQ(table.size(), 0u);
  EXPECT_TRUE(table.Enter(AddressKey::Of(""), 0)) << "a Unix socket's peer has no address";
}

}  // namespace
}  // namespace slipway::net
