// The memory that all requests in flight may hold together (HttpLimits::memory_in_flight).

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "net/server_fixture.h"

namespace slipway::net {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

constexpr int64_t kMiB = 1 << 20;

std::string HeadOf(int64_t length, std::string_view path = "/echo") {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
}

/// Keeps what it is given, as one record that never ends.
class EndlessRecord final : public StreamedAnswer {
 public:
  bool Start(const Request&, Response&) override { return true; }
  bool OnBody(std::string_view piece, const Request&, Response&) override {
    kept_ += piece;
    return true;
  }
  bool OnEnd(const Request&, Response& response) override {
    response.body = std::to_string(kept_.size());
    return true;
  }
  int64_t HeldBytes() const override { return std::ssize(kept_); }
  void OnFault(const HttpFault&, const Request&, Response&) override {}
  void OnDone(const Request&, const Response&) override {}

 private:
  std::string kept_;
};

class MemoryTest : public ServerFixture {
 protected:
  void StartWith(int64_t memory, int threads = 2) {
    AddEcho();
    AddRoute(Method::kGet, "/large", [](const Request&, Response& r) { r.body.assign(16 * kMiB, 'x'); });
    ASSERT_TRUE(routes_.Add({.method = Method::kPost,
                             .pattern = "/stream",
                             .permission = "public",
                             .handler = [](const Request&, Response&) {},
                             .stream = [](const Request&) { return std::make_unique<EndlessRecord>(); }}));
    HttpServerOptions options;
    options.threads = threads;
    options.conduct.limits.memory_in_flight = memory;
    Start(std::move(options));
  }
  int64_t Metric(const std::string& name) const {
    const std::string text = MetricsText();
    const size_t at = text.find("\n" + name + " ");
    return at == std::string::npos ? 0 : std::strtoll(text.c_str() + at + name.size() + 2, nullptr, 10);
  }
  int64_t Held() const { return Metric("slipway_http_memory_in_flight_bytes"); }
  int64_t Refusals() const { return Metric(R"(slipway_http_refusals_total{reason="http.memory_in_flight"})"); }
  void AwaitHeld(int64_t least, int64_t most) const {
    for (int i = 0; i < 5000 && (Held() < least || Held() > most); ++i) std::this_thread::sleep_for(milliseconds(1));
    EXPECT_GE(Held(), least);
    EXPECT_LE(Held(), most);
  }
};

TEST_F(MemoryTest, LargeNewcomersGet503WhileSmallOnesGoThrough) {
  StartWith(4 * kMiB);
  auto first = Connect();
  first.Send(HeadOf(3 * kMiB) + std::string(3 * kMiB - 1, 'a'));
  AwaitHeld(3 * kMiB - 1, 4 * kMiB);
  auto second = Connect();
  const auto refused = second.Ask(HeadOf(2 * kMiB));
  EXPECT_EQ(refused.status, 503) << "before a byte of it was sent";
  EXPECT_EQ(refused.Header("Retry-After"), "1");
  EXPECT_THAT(refused.body, HasSubstr("http.memory_in_flight"));
  EXPECT_TRUE(second.IsClosed());
  EXPECT_EQ(Connect().Ask(Post("/echo", std::string(60'000, 'b'))).status, 200);
  first.Send("a");
  EXPECT_EQ(first.Read().status, 200);
  AwaitHeld(0, 64 << 10);
  auto again = Connect();
  again.Send(HeadOf(2 * kMiB) + std::string(2 * kMiB, 'c'));
  EXPECT_EQ(again.Read().status, 200);
  EXPECT_EQ(Refusals(), 1);
}

TEST_F(MemoryTest, BodiesThatGrowBesideEachOtherStayWithinTheBudget) {
  StartWith(4 * kMiB, 1);  // two threads might both refuse their last one
  std::vector<RawClient> clients;
  for (int i = 0; i < 8; ++i) {
    clients.push_back(Connect());
    clients.back().Send(HeadOf(3 * kMiB));
  }
  for (int part = 0; part < 10; ++part) {
    for (auto& client : clients) client.Send(std::string(kMiB / 4, 'a'));
    EXPECT_LE(Held(), 4 * kMiB + 8 * HttpLimits::kSmallBytes);
  }
  AwaitHeld(1, 4 * kMiB);
  clients.clear();
  AwaitHeld(0, 0);
}

TEST_F(MemoryTest, AChunkedBodyIsRefusedWhereItOutgrowsTheBudget) {
  StartWith(4 * kMiB);
  auto first = Connect();
  first.Send(HeadOf(3 * kMiB) + std::string(3 * kMiB - 1, 'a'));
  AwaitHeld(3 * kMiB - 1, 4 * kMiB);
  auto second = Connect();
  second.Send("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n200000\r\n" +
              std::string(kMiB * 3 / 2, 'b'));
  EXPECT_EQ(second.Read().status, 503);
}

TEST_F(MemoryTest, ABodyLargerThanTheBudgetCanNeverPassAndIs413) {
  StartWith(kMiB);
  EXPECT_EQ(Connect().Ask(HeadOf(kMiB + 1)).status, 413);
}

TEST_F(MemoryTest, AnswersThatNobodyReadsAreCutRatherThanKept) {
  StartWith(20 * kMiB);
  auto silent = Connect();
  silent.Send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
  AwaitHeld(8 * kMiB, 20 * kMiB);
  auto another = Connect();
  another.Send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
  for (int i = 0; i < 5000 && Refusals() == 0; ++i) std::this_thread::sleep_for(milliseconds(1));
  EXPECT_LE(Held(), 20 * kMiB);
  EXPECT_EQ(Connect().Ask(kHello).status, 200);
  EXPECT_EQ(Refusals(), 1);
}

TEST_F(MemoryTest, AStreamThatKeepsAnEndlessRecordIsRefused) {
  StartWith(4 * kMiB);
  auto client = Connect();
  client.Send(HeadOf(100 * kMiB, "/stream") + std::string(6 * kMiB, 'x'));
  EXPECT_EQ(client.Read().status, 503);
  AwaitHeld(0, 0);
}

TEST_F(MemoryTest, ConnectionsAtRestHoldNothing) {
  StartWith(4 * kMiB);
  auto client = Connect();
  for (int i = 0; i < 3; ++i) {
    client.Send(Post("/echo", std::string(kMiB, 'a')));
    EXPECT_EQ(client.Read().status, 200);
  }
  AwaitHeld(0, 0);
}

}  // namespace
}  // namespace slipway::net
