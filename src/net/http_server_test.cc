#include "net/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <latch>
#include <thread>

#include "net/server_fixture.h"

namespace slipway::net {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;

class HttpServerTest : public ServerFixture {};

TEST_F(HttpServerTest, AnswersOnAKeptConnection) {
  AddEcho();
  Start();
  auto client = Connect();
  const auto first = client.Ask(kHello);
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(first.body, "\"hello\"");
  EXPECT_EQ(first.Header("Content-Type"), "application/json");
  EXPECT_THAT(first.Header("Date"), HasSubstr(" GMT"));
  EXPECT_EQ(client.Ask(Post("/echo", "abc")).body, "abc");
  EXPECT_EQ(server_->connections(), 1);
}

TEST_F(HttpServerTest, PipelinedRequestsAreAnsweredInOrder) {
  AddEcho();
  Start();
  auto client = Connect();
  client.Send(Post("/echo", "1") + Post("/echo", "22") + std::string(kHello) + Post("/echo", ""));
  EXPECT_EQ(client.Read().body, "1");
  EXPECT_EQ(client.Read().body, "22");
  EXPECT_EQ(client.Read().body, "\"hello\"");
  EXPECT_EQ(client.Read().body, "");
}

TEST_F(HttpServerTest, ARequestMayComeByteByByte) {
  AddEcho();
  Start();
  auto client = Connect();
  const std::string request = Post("/echo", "slow") + Post("/echo", "again");
  for (const char c : request) client.Send({&c, 1});
  EXPECT_EQ(client.Read().body, "slow");
  EXPECT_EQ(client.Read().body, "again");
}

TEST_F(HttpServerTest, LargeBodiesPassBothWays) {
  AddEcho();
  Start();
  auto client = Connect();
  std::string body(8 << 20, 'x');
  for (size_t i = 0; i < body.size(); i += 97) body[i] = static_cast<char>('a' + i % 26);
  std::jthread sender([&] { client.Send(Post("/echo", body)); });
  EXPECT_TRUE(client.Read().body == body);
  sender.join();
  EXPECT_EQ(client.Ask(Post("/echo", "after")).body, "after");
}

TEST_F(HttpServerTest, ChunkedBodiesAreJoinedAndPipeliningGoesOn) {
  AddEcho();
  Start();
  auto client = Connect();
  client.Send("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  client.Send("2\r\nde\r\n0\r\n\r\n" + std::string(kHello));
  EXPECT_EQ(client.Read().body, "abcde");
  EXPECT_EQ(client.Read().body, "\"hello\"");
}

TEST_F(HttpServerTest, ABrokenChunkEndsTheConnection) {
  AddEcho();
  Start();
  auto client = Connect();
  const auto answer =
      client.Ask("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.Header("Connection"), "close");
  EXPECT_TRUE(client.IsClosed());
}

TEST_F(HttpServerTest, SmuggledRequestIsNeverAnswered) {
  AddEcho();
  Start();
  auto client = Connect();
  const auto answer = client.Ask(
      "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
      "0\r\n\r\n" +
      std::string(kHello));
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, HasSubstr("\"code\":\"http.framing\""));
  EXPECT_EQ(client.Read().status, 0);
}

TEST_F(HttpServerTest, FaultsAreProblemsWithTheRequestsId) {
  AddEcho();
  Start();
  auto client = Connect();
  const auto answer = client.Ask("GET /none HTTP/1.1\r\nHost: x\r\nX-Request-Id: my-id.1\r\n\r\n");
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(answer.Header("Content-Type"), "application/problem+json");
  EXPECT_EQ(answer.Header("X-Request-Id"), "my-id.1");
  EXPECT_THAT(answer.body, HasSubstr("{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404,"));
  EXPECT_THAT(answer.body, HasSubstr("\"code\":\"http.no_route\",\"request_id\":\"my-id.1\"}"));
  EXPECT_EQ(client.Ask(kHello).status, 200) << "the connection stays usable";
}

TEST_F(HttpServerTest, AnUnusableRequestIdIsReplaced) {
  AddEcho();
  Start();
  auto client = Connect();
  const auto answer = client.Ask("GET /hello HTTP/1.1\r\nHost: x\r\nX-Request-Id: <script>\r\n\r\n");
  EXPECT_EQ(answer.Header("X-Request-Id").size(), 32u);
}

TEST_F(HttpServerTest, AWrongMethodIs405WithAllow) {
  AddEcho();
  Start();
  auto client = Connect();
  const auto answer = client.Ask("DELETE /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(answer.status, 405);
  EXPECT_EQ(answer.Header("Allow"), "GET, HEAD, OPTIONS");
}

TEST_F(HttpServerTest, HeadIsGetWithoutTheBody) {
  AddEcho();
  Start();
  auto client = Connect();
  client.Send("HEAD /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  const auto answer = client.Read(true);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.Header("Content-Length"), "7");
  EXPECT_EQ(client.Ask(kHello).body, "\"hello\"");
}

TEST_F(HttpServerTest, OptionsListsTheMethods) {
  AddEcho();
  Start();
  auto client = Connect();
  const auto answer = client.Ask("OPTIONS /echo HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.Header("Allow"), "POST, OPTIONS");
  EXPECT_EQ(client.Ask("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n").status, 204);
  EXPECT_EQ(
      client.Ask("OPTIONS /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n").status,
      204);
}

TEST_F(HttpServerTest, ParametersAndThreadReachTheHandler) {
  AddRoute(Method::kGet, "/models/{model}", [](const Request& request, Response& response) {
    response.body = std::string(request.Parameter("model")) + " on " + std::to_string(request.thread) + " from " +
                    std::string(request.remote_address.substr(0, 9));
  });
  Start();
  EXPECT_EQ(Connect().Ask("GET /models/a%20b HTTP/1.1\r\nHost: x\r\n\r\n").body, "a b on 0 from 127.0.0.1");
}

TEST_F(HttpServerTest, BodiesPastTheLimitAre413BeforeTheyArrive) {
  AddEcho();
  HttpServerOptions options;
  options.conduct.limits.body_bytes = 10;
  Start(std::move(options));
  auto client = Connect();
  const auto answer =
      client.Ask("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(answer.status, 413);
  EXPECT_TRUE(client.IsClosed());
  EXPECT_EQ(Connect().Ask(Post("/echo", "0123456789")).status, 200);
}

TEST_F(HttpServerTest, AnEarlyRefusalReachesAClientThatIsStillSending) {
  AddEcho();
  HttpServerOptions options;
  options.conduct.limits.body_bytes = 10;
  Start(std::move(options));
  auto client = Connect();
  client.Send(Post("/echo", std::string(1 << 20, 'x')));
  EXPECT_EQ(client.Read().status, 413);
}

TEST_F(HttpServerTest, ARouteMayHaveItsOwnBodyLimit) {
  ASSERT_TRUE(routes_.Add({.method = Method::kPost,
                           .pattern = "/small",
                           .permission = "public",
                           .handler = [](const Request&, Response&) {},
                           .body_bytes = 3}));
  Start();
  EXPECT_EQ(Connect().Ask(Post("/small", "abcd")).status, 413);
  EXPECT_EQ(Connect().Ask(Post("/small", "abc")).status, 200);
  EXPECT_EQ(Connect().Ask("POST /small HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n").status,
            413);
}

TEST_F(HttpServerTest, ExpectedContinueIsSentBeforeTheBody) {
  AddEcho();
  Start();
  auto client = Connect();
  EXPECT_EQ(client.Ask("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n").status,
            100);
  EXPECT_EQ(client.Ask("abc").body, "abc");
}

TEST_F(HttpServerTest, ABodyWithoutALengthIs411WhereOneIsNeeded) {
  AddRoute(Method::kPost, "/needs", [](const Request&, Response&) {}, true);
  Start();
  EXPECT_EQ(Connect().Ask("POST /needs HTTP/1.1\r\nHost: x\r\n\r\n").status, 411);
  EXPECT_EQ(Connect().Ask(Post("/needs", "")).status, 200);
}

TEST_F(HttpServerTest, LongTargetsAndHeadsAreRefused) {
  AddEcho();
  Start();
  EXPECT_EQ(Connect().Ask("GET /" + std::string(9000, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n").status, 414);
  EXPECT_EQ(Connect().Ask("GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(40'000, 'a') + "\r\n\r\n").status, 431);
}

TEST_F(HttpServerTest, AHandlerThatThrowsIs500AndTheServerLives) {
  AddRoute(Method::kGet, "/throws", [](const Request&, Response& response) {
    response.body = "half an answer";
    throw std::runtime_error("secret");
  });
  Start();
  auto client = Connect();
  const auto answer = client.Ask("GET /throws HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(answer.status, 500);
  EXPECT_THAT(answer.body, Not(HasSubstr("secret")));
  EXPECT_THAT(answer.body, Not(HasSubstr("half")));
  EXPECT_EQ(client.Ask("GET /none HTTP/1.1\r\nHost: x\r\n\r\n").status, 404);
}

TEST_F(HttpServerTest, SlowHeadsAndBodiesAre408) {
  AddEcho();
  HttpServerOptions options;
  options.conduct.limits.header_deadline = options.conduct.limits.body_deadline = milliseconds(50);
  Start(std::move(options));
  auto slow_head = Connect();
  EXPECT_EQ(slow_head.Ask("GET /hello HTTP/1.1\r\nHost").status, 408);
  EXPECT_TRUE(slow_head.IsClosed());
  auto slow_body = Connect();
  const auto answer =
      slow_body.Ask("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nX-Request-Id: slow\r\n\r\nab");
  EXPECT_EQ(answer.status, 408);
  EXPECT_EQ(answer.Header("X-Request-Id"), "slow");
}

TEST_F(HttpServerTest, IdleAndSilentConnectionsAreClosed) {
  AddEcho();
  HttpServerOptions options;
  options.conduct.limits.idle_timeout = options.conduct.limits.header_deadline = milliseconds(50);
  Start(std::move(options));
  auto silent = Connect();
  EXPECT_TRUE(silent.IsClosed());
  auto idle = Connect();
  EXPECT_EQ(idle.Ask(kHello).status, 200);
  EXPECT_TRUE(idle.IsClosed());
}

TEST_F(HttpServerTest, AClientThatDoesNotReadIsCutAndOthersAreServed) {
  AddRoute(Method::kGet, "/large", [](const Request&, Response& response) { response.body.assign(32 << 20, 'x'); });
  AddEcho();
  HttpServerOptions options;
  options.conduct.limits.write_deadline = milliseconds(100);
  Start(std::move(options));
  RawClient greedy(server_->port(), 4096);
  greedy.Send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
  auto other = Connect();
  EXPECT_EQ(other.Ask(kHello).status, 200);
  std::this_thread::sleep_for(milliseconds(300));
  EXPECT_EQ(server_->connections(), 1);
}

TEST_F(HttpServerTest, ConnectionsPastTheLimitGet503) {
  AddEcho();
  HttpServerOptions options;
  options.conduct.limits.connections = 1;
  Start(std::move(options));
  auto first = Connect();
  EXPECT_EQ(first.Ask(kHello).status, 200);
  EXPECT_EQ(Connect().Read().status, 503);
  EXPECT_EQ(first.Ask(kHello).status, 200);
  EXPECT_THAT(MetricsText(), HasSubstr("slipway_http_refusals_total{reason=\"http.too_many_connections\"} 1\n"));
}

TEST_F(HttpServerTest, RequestsInFlightPastTheLimitGet429) {
  AddEcho();
  HttpServerOptions options;
  options.conduct.limits.requests_in_flight = 1;
  Start(std::move(options));
  auto waiting = Connect();
  waiting.Send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  ASSERT_EQ(waiting.Read().status, 100);
  const auto refused = Connect().Ask("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\na");
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.Header("Retry-After"), "1");
  EXPECT_EQ(waiting.Ask("ab").body, "ab");
}

TEST_F(HttpServerTest, Http10ClosesUnlessAskedToKeep) {
  AddEcho();
  Start();
  auto plain = Connect();
  EXPECT_EQ(plain.Ask("GET /hello HTTP/1.0\r\n\r\n").Header("Connection"), "close");
  EXPECT_TRUE(plain.IsClosed());
  auto kept = Connect();
  EXPECT_EQ(kept.Ask("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").Header("Connection"), "keep-alive");
  EXPECT_EQ(kept.Ask(kHello).status, 200);
}

TEST_F(HttpServerTest, CloseIsHonouredAndWhatFollowsIsNotAnswered) {
  AddEcho();
  Start();
  auto client = Connect();
  client.Send("GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" + std::string(kHello));
  EXPECT_EQ(client.Read().Header("Connection"), "close");
  EXPECT_TRUE(client.IsClosed());
}

TEST_F(HttpServerTest, StopFinishesWhatHasBegunAndRefusesWhatComesLater) {
  AddEcho();
  Start();
  auto begun = Connect();
  begun.Send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  ASSERT_EQ(begun.Read().status, 100);
  auto idle = Connect();
  ASSERT_EQ(idle.Ask(kHello).status, 200);
  std::jthread stopper([&] { server_->Stop(); });
  EXPECT_TRUE(idle.IsClosed());
  EXPECT_FALSE(Connect().connected());
  const auto answer = begun.Ask("abc");
  EXPECT_EQ(answer.body, "abc");
  EXPECT_EQ(answer.Header("Connection"), "close");
  stopper.join();
  EXPECT_EQ(server_->connections(), 0);
}

TEST_F(HttpServerTest, StopCutsWhatDoesNotFinishInTime) {
  AddEcho();
  HttpServerOptions options;
  options.conduct.drain_timeout = milliseconds(50);
  Start(std::move(options));
  auto never = Connect();
  never.Send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  ASSERT_EQ(never.Read().status, 100);
  server_->Stop();
  EXPECT_TRUE(never.IsClosed());
  server_->Stop();
}

TEST_F(HttpServerTest, ARequestBeingHandledWhenStopComesIsAnswered) {
  std::latch handling(1);
  AddRoute(Method::kGet, "/slow", [&](const Request&, Response& response) {
    handling.count_down();
    std::this_thread::sleep_for(milliseconds(50));
    response.body = "done";
  });
  Start();
  auto client = Connect();
  client.Send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
  handling.wait();
  server_->Stop();
  EXPECT_EQ(client.Read().body, "done");
}

TEST_F(HttpServerTest, APortInUseIsAnError) {
  AddEcho();
  Start();
  HttpServerOptions options;
  options.listeners.push_back({.address = "127.0.0.1:" + std::to_string(server_->port())});
  const auto second = HttpServer::Start(std::move(options));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().reason, "net.address_in_use");
}

TEST_F(HttpServerTest, ListenersHaveTheirOwnRoutes) {
  AddEcho();
  HttpServerOptions options;
  RouteTable admin;
  ASSERT_TRUE(admin.Add({.method = Method::kGet,
                         .pattern = "/api",
                         .permission = "operate",
                         .handler = [](const Request&, Response& response) { response.body = "admin"; }}));
  options.listeners.push_back({.address = "127.0.0.1:0", .routes = std::move(admin)});
  Start(std::move(options));
  EXPECT_EQ(RawClient(server_->port(0)).Ask("GET /api HTTP/1.1\r\nHost: x\r\n\r\n").body, "admin");
  EXPECT_EQ(RawClient(server_->port(0)).Ask(kHello).status, 404);
  EXPECT_EQ(RawClient(server_->port(1)).Ask(kHello).status, 200);
}

TEST_F(HttpServerTest, RequestsAreCountedByRouteAndStatus) {
  AddEcho();
  std::atomic<int> seen = 0;
  HttpServerOptions options;
  options.on_answer = [&](const Request&, const Response&, std::chrono::nanoseconds) { ++seen; };
  Start(std::move(options));
  auto client = Connect();
  client.Ask(kHello);
  client.Ask(kHello);
  client.Ask("GET /none HTTP/1.1\r\nHost: x\r\n\r\n");
  server_->Stop();
  EXPECT_EQ(seen, 3);
  EXPECT_THAT(
      MetricsText(),
      HasSubstr("slipway_http_requests_total{door=\"native\",method=\"GET\",route=\"/hello\",status=\"2xx\"} 2\n"));
  EXPECT_THAT(MetricsText(),
              HasSubstr("slipway_http_requests_total{door=\"none\",method=\"any\",route=\"none\",status=\"4xx\"} 1\n"));
  EXPECT_THAT(MetricsText(), HasSubstr("slipway_http_connections_open 0\n"));
}

TEST_F(HttpServerTest, ManyClientsOnSeveralThreadsGetTheirOwnAnswers) {
  AddEcho();
  HttpServerOptions options;
  options.threads = 3;
  Start(std::move(options));
  std::atomic<int> right = 0;
  {
    std::vector<std::jthread> clients;
    for (int c = 0; c < 8; ++c) {
      clients.emplace_back([&, c] {
        auto client = Connect();
        for (int i = 0; i < 200; ++i) {
          const std::string body =
              std::to_string(c) + ":" + std::to_string(i) + std::string(static_cast<size_t>(i * 37), '.');
          right += client.Ask(Post("/echo", body)).body == body ? 1 : 0;
        }
      });
    }
  }
  EXPECT_EQ(right, 1600);
}

TEST_F(HttpServerTest, ClientsThatVanishLeaveNothingBehind) {
  AddEcho();
  Start();
  for (size_t i = 0; i < 50; ++i) {
    auto client = Connect();
    client.Send(Post("/echo", "abc").substr(0, 10 + i));
    client.Close();
  }
  EXPECT_EQ(Connect().Ask(kHello).status, 200);
  server_->Stop();
  EXPECT_EQ(server_->connections(), 0);
}

}  // namespace
}  // namespace slipway::net
