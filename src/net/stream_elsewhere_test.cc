// Answers in pieces whose work other threads do.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <list>
#include <thread>

#include "base/gate_test.h"
#include "net/late_answer.h"
#include "net/server_fixture.h"

namespace slipway::net {
namespace {

using std::chrono::milliseconds;
using testing::EndsWith;
using testing::HasSubstr;

/// What the streams of a test share: threads, a gate that their work passes, and what became of them.
struct Workshop {
  ~Workshop() {
    gate.Open();
    threads.clear();
  }
  base::Gate gate;
  std::list<std::jthread> threads;
  std::atomic<int> done{0}, last_status{0}, abandoned{0};
};

/// Says its body again, piece by piece, each by a thread of its own. A piece with "!" is an error, one with "?" is
/// lost.
class EchoElsewhere final : public StreamedAnswer {
 public:
  explicit EchoElsewhere(Workshop& shop) : shop_(shop) {}

  bool Start(const Request&, Response& response) override {
    response.content_type = "text/plain";
    return true;
  }
  bool OnBody(std::string_view piece, const Request&, Response& response) override {
    Leave(std::string(piece), response);
    return true;
  }
  bool OnEnd(const Request&, Response& response) override {
    Leave(".", response);
    return true;
  }
  bool OnWorked(const Request& request, Response& response) override {
    EXPECT_EQ(request.path, "/echo-elsewhere");
    const bool fine = made_->find('!') == std::string::npos;
    if (!fine && !response.begun) response.status = 422;
    response.body += *made_;
    return fine;
  }
  void OnFault(const HttpFault&, const Request&, Response&) override {}
  void OnDone(const Request&, const Response& response) override {
    shop_.last_status = response.status;
    ++shop_.done;
  }

 private:
  void Leave(std::string piece, Response& response) {
    response.later = [&shop = shop_, made = made_, piece = std::move(piece)](const LateAnswer& answer) {
      shop.threads.emplace_back([&shop, made, piece, answer] {
        shop.gate.Pass(std::ssize(piece));
        if (answer.abandoned().stop_requested()) ++shop.abandoned;
        if (piece.find('?') != std::string::npos) return;
        *made = piece;
        answer.Finish([](const Request&, Response&) {});
      });
    };
  }
  Workshop& shop_;
  const std::shared_ptr<std::string> made_ = std::make_shared<std::string>();
};

class StreamElsewhereTest : public ServerFixture {
 protected:
  void SetUp() override {
    ASSERT_TRUE(routes_.Add({.method = Method::kPost,
                             .pattern = "/echo-elsewhere",
                             .permission = "public",
                             .handler = [](const Request&, Response& response) { response.body = "whole"; },
                             .stream = [this](const Request&) { return std::make_unique<EchoElsewhere>(shop_); }}));
    AddEcho();
    HttpServerOptions options;
    options.conduct.limits.body_rate_window = milliseconds(200);
    options.conduct.limits.body_deadline = milliseconds(400);
    Start(std::move(options));
  }
  void TearDown() override { shop_.gate.Open(); }
  void WaitForDone(int count) const {
    for (int i = 0; i < 500 && shop_.done < count; ++i) std::this_thread::sleep_for(milliseconds(10));
    ASSERT_EQ(shop_.done, count);
  }
  static std::string Chunk(std::string_view text) {
    char size[16];
    std::snprintf(size, sizeof size, "%zx\r\n", text.size());
    return size + std::string(text) + "\r\n";
  }

  static constexpr std::string_view kHead =
      "POST /echo-elsewhere HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  Workshop shop_;
};

TEST_F(StreamElsewhereTest, ALargeBodyComesBackWholeAndInOrder) {
  std::string body;
  for (int i = 0; i < 60'000; ++i) body += std::to_string(i) + ",";
  auto client = Connect();
  client.Send(std::string(kHead) + Chunk(body) + "0\r\n\r\n" + std::string(kHello));
  const auto answer = client.Read();
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(answer.body == body + ".") << answer.body.size() << " bytes for " << body.size();
  EXPECT_EQ(client.Read().body, "\"hello\"") << "pipelined behind the stream";
  EXPECT_EQ(shop_.last_status, 200);
}

TEST_F(StreamElsewhereTest, PiecesThatComeLaterFindTheirWay) {
  auto client = Connect();
  client.Send(std::string(kHead) + Chunk("ab"));
  auto answer = client.ReadHead();
  ASSERT_TRUE(client.ReadChunk(answer));
  EXPECT_EQ(answer.body, "ab");
  client.Send(Chunk("cd"));
  ASSERT_TRUE(client.ReadChunk(answer));
  EXPECT_EQ(answer.body, "abcd");
  client.Send("0\r\n\r\n");
  while (client.ReadChunk(answer)) {
  }
  EXPECT_EQ(answer.body, "abcd.");
}

TEST_F(StreamElsewhereTest, OthersAreAnsweredMeanwhileAndTheClientIsNotCalledSlow) {
  shop_.gate.Close();
  auto client = Connect();
  client.Send(std::string(kHead) + Chunk("ab"));
  shop_.gate.Await(1);
  EXPECT_EQ(Connect().Ask(kHello).status, 200);
  client.Send(Chunk("cd") + "0\r\n\r\n");
  std::this_thread::sleep_for(milliseconds(600));  // past the deadline and the window of bodies
  EXPECT_EQ(shop_.gate.came(), 1) << "one piece at a time";
  shop_.gate.Open();
  EXPECT_EQ(client.Read().body, "abcd.");
}

TEST_F(StreamElsewhereTest, AnErrorBeforeTheFirstPieceIsAnOrdinaryAnswer) {
  auto client = Connect();
  client.Send(std::string(kHead) + Chunk("a!"));
  EXPECT_EQ(client.Read().status, 422);
}

TEST_F(StreamElsewhereTest, AnErrorAfterTheHeadBreaksTheAnswerOff) {
  auto client = Connect();
  client.Send(std::string(kHead) + Chunk("ab"));
  auto answer = client.ReadHead();
  ASSERT_TRUE(client.ReadChunk(answer));
  client.Send(Chunk("!"));
  while (client.ReadChunk(answer)) {
  }
  EXPECT_FALSE(answer.whole);
  WaitForDone(1);
}

TEST_F(StreamElsewhereTest, WorkThatIsLostIsAnError) {
  EXPECT_EQ(Connect().Ask(std::string(kHead) + Chunk("?") + "0\r\n\r\n").status, 500);
  WaitForDone(1);
  EXPECT_EQ(shop_.last_status, 500);
}

TEST_F(StreamElsewhereTest, APeerThatResetsMeanwhileIsForgotten) {
  shop_.gate.Close();
  auto client = Connect();
  client.Send(std::string(kHead) + Chunk("ab"));
  shop_.gate.Await(1);
  client.Reset();
  WaitForDone(1);
  EXPECT_EQ(shop_.last_status, 499);
  shop_.gate.Open();
  for (int i = 0; i < 500 && shop_.abandoned == 0; ++i) std::this_thread::sleep_for(milliseconds(10));
  EXPECT_EQ(shop_.abandoned, 1);
  EXPECT_EQ(Connect().Ask(kHello).status, 200);
}

TEST_F(StreamElsewhereTest, WorkOutlivesAServerThatStops) {
  shop_.gate.Close();
  auto client = Connect();
  client.Send(std::string(kHead) + Chunk("ab"));
  shop_.gate.Await(1);
  std::jthread opener([this] {
    std::this_thread::sleep_for(milliseconds(100));
    shop_.gate.Open();
  });
  client.Send("0\r\n\r\n");
  server_->Stop();
  EXPECT_EQ(client.Read().body, "ab.") << "what was accepted is finished";
}

}  // namespace
}  // namespace slipway::net
