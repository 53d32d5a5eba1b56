// Answers in pieces.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <thread>

#include "net/server_fixture.h"

namespace slipway::net {
namespace {

using std::chrono::milliseconds;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

/// What the streamed answers of a test did.
struct Diary {
  std::atomic<int> opened{0}, done{0}, last_status{0};
};

/// Answers with the body in brackets. A piece that holds "!" is an error, one that holds "?" an exception.
class Brackets final : public StreamedAnswer {
 public:
  explicit Brackets(Diary& diary) : diary_(diary) { ++diary_.opened; }

  bool Start(const Request& request, Response& response) override {
    response.content_type = "text/plain";
    if (request.query != "no") return true;
    response.status = 404;
    return false;
  }
  bool OnBody(std::string_view piece, const Request&, Response& response) override {
    if (piece.find('?') != std::string_view::npos) throw std::runtime_error("secret");
    if (piece.find('!') != std::string_view::npos) {
      if (!response.begun) response.status = 422;
      response.body = "failed";
      return false;
    }
    if (!std::exchange(open_, true)) response.body += '[';
    response.body += piece;
    return true;
  }
  bool OnEnd(const Request&, Response& response) override {
    response.body += ']';
    return true;
  }
  void OnFault(const HttpFault& fault, const Request&, Response& response) override {
    response.body += "fault ";
    response.body += fault.code;
  }
  void OnDone(const Request&, const Response& response) override {
    ++diary_.done;
    diary_.last_status = response.status;
  }

 private:
  Diary& diary_;
  bool open_ = false;
};

class StreamTest : public ServerFixture {
 protected:
  void StartStreams(HttpLimits limits = {}) {
    ASSERT_TRUE(routes_.Add({.method = Method::kPost,
                             .pattern = "/stream",
                             .permission = "public",
                             .handler = [](const Request& q, Response& r) { r.body = "<" + std::string(q.body) + ">"; },
                             .stream = [this](const Request&) { return std::make_unique<Brackets>(diary_); }}));
    AddEcho();
    HttpServerOptions options;
    options.conduct.limits = limits;
    Start(std::move(options));
  }
  void WaitForDone(int count) const {
    for (int i = 0; i < 500 && diary_.done < count; ++i) std::this_thread::sleep_for(milliseconds(10));
    ASSERT_EQ(diary_.done, count);
  }
  Diary diary_;
};

/// Takes its time with every piece, the first of which waits until others have asked as well.
class Plodding final : public StreamedAnswer {
 public:
  Plodding(std::latch& asked, std::atomic<size_t>& seen) : asked_(asked), seen_(seen) {}
  bool Start(const Request&, Response&) override { return true; }
  bool OnBody(std::string_view piece, const Request&, Response&) override {
    asked_.wait();
    const auto until = std::chrono::steady_clock::now() + milliseconds(1);
    while (std::chrono::steady_clock::now() < until) {
    }
    seen_ += piece.size();
    return true;
  }
  bool OnEnd(const Request&, Response& response) override {
    response.body = std::to_string(seen_);
    return true;
  }
  void OnFault(const HttpFault&, const Request&, Response&) override {}
  void OnDone(const Request&, const Response&) override {}

 private:
  std::latch& asked_;
  std::atomic<size_t>& seen_;
};

/// Says every piece again, and takes its time.
class PloddingEcho final : public StreamedAnswer {
 public:
  explicit PloddingEcho(std::atomic<int>& done) : done_(done) {}
  bool Start(const Request&, Response&) override { return true; }
  bool OnBody(std::string_view piece, const Request&, Response& response) override {
    std::this_thread::sleep_for(milliseconds(1));
    response.body = piece;
    return true;
  }
  bool OnEnd(const Request&, Response&) override { return true; }
  void OnFault(const HttpFault&, const Request&, Response&) override {}
  void OnDone(const Request&, const Response&) override { ++done_; }

 private:
  std::atomic<int>& done_;
};

constexpr std::string_view kChunkedHead = "POST /stream HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";

std::string Head(size_t length, std::string_view headers = "") {
  return "POST /stream HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(length) + "\r\n" +
         std::string(headers) + "\r\n";
}

TEST_F(StreamTest, ABodyThatIsAtHandIsHandledWhole) {
  StartStreams();
  const auto answer = Connect().Ask(Post("/stream", "abc"));
  EXPECT_EQ(answer.body, "<abc>");
  EXPECT_EQ(answer.Header("Content-Length"), "5");
  EXPECT_EQ(diary_.opened, 0);
}

TEST_F(StreamTest, AStreamThatEndsInItsFirstTurnHasALength) {
  StartStreams();
  auto client = Connect();
  const auto answer = client.Ask(std::string(kChunkedHead) + "3\r\nabc\r\n0\r\n\r\n");
  EXPECT_EQ(answer.body, "[abc]");
  EXPECT_EQ(answer.Header("Content-Length"), "5");
  EXPECT_EQ(answer.Header("Content-Type"), "text/plain");
  EXPECT_EQ(client.Ask(kHello).status, 200);
  EXPECT_EQ(diary_.done, 1);
}

TEST_F(StreamTest, NeighboursAreAnsweredBetweenThePiecesOfOne) {
  std::latch asked(1);
  std::atomic<size_t> seen{0}, seen_by_neighbour{0};
  ASSERT_TRUE(routes_.Add({.method = Method::kPost,
                           .pattern = "/plod",
                           .permission = "public",
                           .handler = [](const Request&, Response&) {},
                           .stream = [&](const Request&) { return std::make_unique<Plodding>(asked, seen); }}));
  AddRoute(Method::kGet, "/seen", [&](const Request&, Response&) { seen_by_neighbour = seen.load(); });
  Start();
  auto plodder = Connect(), neighbour = Connect();
  constexpr size_t kBytes = 60'000;
  plodder.Send("POST /plod HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nea60\r\n" +
               std::string(kBytes, 'x') + "\r\n0\r\n\r\n");
  neighbour.Send("GET /seen HTTP/1.1\r\nHost: x\r\n\r\n");
  asked.count_down();
  EXPECT_EQ(neighbour.Read().status, 200);
  EXPECT_EQ(plodder.Read().body, "60000");
  EXPECT_LT(seen_by_neighbour, kBytes / 2);
}

TEST_F(StreamTest, PiecesAreAnsweredBeforeTheBodyEnds) {
  StartStreams();
  auto client = Connect();
  client.Send(Head(6) + "ab");
  auto answer = client.ReadHead();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.Header("Transfer-Encoding"), "chunked");
  EXPECT_EQ(answer.Header("Content-Length"), "");
  ASSERT_TRUE(client.ReadChunk(answer));
  EXPECT_EQ(answer.body, "[ab");
  client.Send("cd");
  ASSERT_TRUE(client.ReadChunk(answer));
  EXPECT_EQ(answer.body, "[abcd");
  client.Send("ef" + std::string(kHello));
  while (client.ReadChunk(answer)) {
  }
  EXPECT_EQ(answer.body, "[abcdef]");
  EXPECT_TRUE(answer.whole);
  EXPECT_EQ(client.Read().body, "\"hello\"") << "pipelined behind the stream";
}

TEST_F(StreamTest, LargeBodiesPassUnchanged) {
  StartStreams();
  auto client = Connect();
  std::string body(8 << 20, 'x');
  for (size_t i = 0; i < body.size(); i += 97) body[i] = static_cast<char>('a' + i % 26);
  std::jthread sender([&] { client.Send(Head(body.size()) + body); });
  const auto answer = client.Read();
  EXPECT_TRUE(answer.whole);
  EXPECT_TRUE(answer.body == "[" + body + "]");
}

TEST_F(StreamTest, BytesMayComeOneByOneInChunks) {
  StartStreams();
  auto client = Connect();
  const std::string request =
      std::string(kChunkedHead) + "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: v\r\n\r\n" + std::string(kHello);
  for (const char c : request) client.Send({&c, 1});
  EXPECT_EQ(client.Read().body, "[abcde]");
  EXPECT_EQ(client.Read().body, "\"hello\"");
}

TEST_F(StreamTest, AnEmptyChunkedBodyIsAnAnswerToo) {
  StartStreams();
  auto client = Connect();
  EXPECT_EQ(client.Ask(std::string(kChunkedHead) + "0\r\n\r\n").body, "]");
  EXPECT_EQ(client.Ask(kHello).status, 200);
}

TEST_F(StreamTest, ManyStreamsInOnePacketAreAnsweredInOrder) {
  StartStreams();
  auto client = Connect();
  std::string requests;
  for (int i = 0; i < 200; ++i)
    requests += std::string(kChunkedHead) + "1\r\n" + std::to_string(i % 10) + "\r\n0\r\n\r\n";
  client.Send(requests);
  std::string answers;
  for (int i = 0; i < 200; ++i) answers += client.Read().body;
  EXPECT_THAT(answers, StartsWith("[0][1][2][3]"));
  EXPECT_EQ(answers.size(), 600u);
}

TEST_F(StreamTest, AnErrorBeforeTheFirstPieceIsAnOrdinaryAnswer) {
  StartStreams();
  auto client = Connect();
  const auto answer = client.Ask(Head(1000) + "!");
  EXPECT_EQ(answer.status, 422);
  EXPECT_EQ(answer.Header("Content-Length"), "6");
  EXPECT_EQ(answer.Header("Connection"), "close") << "the rest of the body is not wanted";
  EXPECT_TRUE(client.IsClosed());
}

TEST_F(StreamTest, AnErrorAfterTheHeadBreaksTheAnswerOff) {
  StartStreams();
  auto client = Connect();
  client.Send(Head(1000) + "ab");
  auto answer = client.ReadHead();
  ASSERT_TRUE(client.ReadChunk(answer));
  client.Send("!");
  EXPECT_TRUE(client.ReadChunk(answer));
  EXPECT_EQ(answer.body, "[abfailed");
  EXPECT_FALSE(client.ReadChunk(answer));
  EXPECT_FALSE(answer.whole) << "no last chunk: nobody takes this for a whole answer";
  EXPECT_EQ(diary_.done, 1);
}

TEST_F(StreamTest, ABrokenChunkAfterTheHeadIsSaidInTheText) {
  StartStreams();
  auto client = Connect();
  client.Send(std::string(kChunkedHead) + "2\r\nab\r\n");
  auto answer = client.ReadHead();
  ASSERT_TRUE(client.ReadChunk(answer));
  client.Send("0x2\r\nab\r\n0\r\n\r\n" + std::string(kHello));
  EXPECT_TRUE(client.ReadChunk(answer));
  EXPECT_THAT(answer.body, EndsWith("fault http.chunk_size"));
  EXPECT_FALSE(client.ReadChunk(answer));
  EXPECT_FALSE(answer.whole);
  EXPECT_TRUE(client.IsClosed());
}

TEST_F(StreamTest, ABrokenChunkBeforeTheHeadIs400) {
  StartStreams();
  EXPECT_EQ(Connect().Ask(std::string(kChunkedHead) + "2\r\nab\r\nzz\r\n").status, 400);
}

TEST_F(StreamTest, AnExceptionIs500OrTheEnd) {
  StartStreams();
  const auto early = Connect().Ask(Head(1000) + "?");
  EXPECT_EQ(early.status, 500);
  EXPECT_THAT(early.body, testing::Not(HasSubstr("secret")));
  auto client = Connect();
  client.Send(Head(1000) + "ab");
  auto late = client.ReadHead();
  ASSERT_TRUE(client.ReadChunk(late));
  client.Send("?");
  EXPECT_TRUE(client.ReadChunk(late));
  EXPECT_THAT(late.body, EndsWith("fault http.internal"));
  EXPECT_FALSE(client.ReadChunk(late));
  EXPECT_FALSE(late.whole);
}

TEST_F(StreamTest, ARefusalAtTheStartComesBeforeTheBody) {
  StartStreams();
  auto client = Connect();
  const auto answer =
      client.Ask("POST /stream?no HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(answer.status, 404);
  EXPECT_TRUE(client.IsClosed());
}

TEST_F(StreamTest, AnExpectedContinueIsSent) {
  StartStreams();
  auto client = Connect();
  EXPECT_EQ(client.Ask(Head(2, "Expect: 100-continue\r\n")).status, 100);
  EXPECT_EQ(client.Ask("ab").body, "[ab]");
}

TEST_F(StreamTest, ReadingStopsWhileThePeerDoesNotTakeTheAnswer) {
  HttpLimits limits;
  limits.unsent_bytes = limits.body_bytes = 64 << 10;
  StartStreams(limits);
  RawClient client(server_->port(), 4096);
  const std::string body(48 << 20, 'x');
  client.Send(Head(body.size()));
  const size_t taken = client.SendUntilStuck(body, 500);
  EXPECT_LT(taken, size_t{24} << 20) << "the kernel's buffers, and little more";
  auto other = Connect();
  EXPECT_EQ(other.Ask(kHello).status, 200);
  std::jthread sender([&] { client.Send(std::string_view(body).substr(taken)); });
  const auto answer = client.Read();
  EXPECT_TRUE(answer.whole);
  EXPECT_EQ(answer.body.size(), body.size() + 2);
}

TEST_F(StreamTest, AClientThatSendsEverythingBeforeItReadsIsNotHeldUp) {
  HttpLimits limits;
  limits.unsent_bytes = 64 << 10;
  StartStreams(limits);
  RawClient client(server_->port(), 4096);
  const std::string body(24 << 20, 'x');
  client.Send(Head(body.size()));
  EXPECT_EQ(client.SendUntilStuck(body, 5000), body.size());
  const auto answer = client.Read();
  EXPECT_TRUE(answer.whole);
  EXPECT_EQ(answer.body.size(), body.size() + 2);
}

TEST_F(StreamTest, APeerThatTakesNothingIsCut) {
  HttpLimits limits;
  limits.unsent_bytes = limits.body_bytes = 64 << 10;
  limits.write_deadline = milliseconds(100);
  StartStreams(limits);
  RawClient client(server_->port(), 4096);
  const std::string body(32 << 20, 'x');
  client.Send(Head(body.size()));
  client.SendUntilStuck(body, 50);
  WaitForDone(1);
  EXPECT_EQ(diary_.last_status, 499);
}

TEST_F(StreamTest, APeerThatVanishesIsCountedAs499) {
  StartStreams();
  auto client = Connect();
  client.Send(Head(1000) + "ab");
  client.ReadHead();
  client.Close();
  WaitForDone(1);
  EXPECT_EQ(diary_.last_status, 499);
  server_->Stop();
  EXPECT_THAT(MetricsText(), HasSubstr("route=\"/stream\",status=\"4xx\"} 1\n"));
}

TEST_F(StreamTest, APeerThatResetsBetweenTheTurnsOfALongStreamIsForgotten) {
  std::atomic<int> done{0};
  ASSERT_TRUE(routes_.Add({.method = Method::kPost,
                           .pattern = "/plod",
                           .permission = "public",
                           .handler = [](const Request&, Response&) {},
                           .stream = [&](const Request&) { return std::make_unique<PloddingEcho>(done); }}));
  AddEcho();
  Start();
  constexpr int kPeers = 8;
  for (int i = 0; i < kPeers; ++i) {
    auto client = Connect();
    client.Send("POST /plod HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nea60\r\n" +
                std::string(60'000, 'x') + "\r\n");
    EXPECT_EQ(client.ReadHead().status, 200);
    client.Reset();
  }
  for (int i = 0; i < 500 && done < kPeers; ++i) std::this_thread::sleep_for(milliseconds(10));
  EXPECT_EQ(done, kPeers);
  EXPECT_EQ(Connect().Ask(kHello).status, 200);
}

TEST_F(StreamTest, AClientThatShutsWritingBehindTheBodyIsAnswered) {
  StartStreams();
  auto client = Connect();
  client.Send(Head(100'000));
  client.Send(std::string(100'000, 'x'));
  client.ShutWriting();
  EXPECT_EQ(client.Read().body.size(), 100'002u);
}

TEST_F(StreamTest, Http10IsHandledWhole) {
  StartStreams();
  auto client = Connect();
  client.Send("POST /stream HTTP/1.0\r\nContent-Length: 4\r\n\r\nab");
  std::this_thread::sleep_for(milliseconds(20));
  EXPECT_EQ(client.Ask("cd").body, "<abcd>");
}

TEST_F(StreamTest, StopLetsAStreamFinish) {
  StartStreams();
  auto client = Connect();
  client.Send(Head(4) + "ab");
  auto answer = client.ReadHead();
  std::jthread stopper([&] { server_->Stop(); });
  std::this_thread::sleep_for(milliseconds(50));
  client.Send("cd");
  while (client.ReadChunk(answer)) {
  }
  EXPECT_EQ(answer.body, "[abcd]");
  EXPECT_TRUE(answer.whole);
  EXPECT_TRUE(client.IsClosed());
}

TEST_F(StreamTest, BodiesPastTheLimitAre413) {
  HttpLimits limits;
  limits.streamed_bytes = 10;
  limits.body_bytes = 2;
  StartStreams(limits);
  EXPECT_EQ(Connect().Ask(Head(11, "Expect: 100-continue\r\n")).status, 413);
  EXPECT_EQ(Connect().Ask(std::string(kChunkedHead) + "b\r\n0123456789a\r\n0\r\n\r\n").status, 413);
  EXPECT_EQ(Connect().Ask(Post("/stream", "0123456789")).body, "[0123456789]")
      << "larger than what is handled whole, but not too large to be answered in pieces";
}

TEST_F(StreamTest, StreamsInFlightPastTheLimitGet429) {
  HttpLimits limits;
  limits.requests_in_flight = 1;
  StartStreams(limits);
  auto first = Connect();
  first.Send(Head(4) + "ab");
  first.ReadHead();
  EXPECT_EQ(Connect().Ask(Head(4) + "ab").status, 429);
  first.Send("cd");
  auto answer = RawAnswer();
  while (first.ReadChunk(answer)) {
  }
  EXPECT_EQ(answer.body, "[abcd]");
}

TEST_F(StreamTest, ABodyThatComesTooSlowlyIs408) {
  HttpLimits limits;
  limits.body_rate = 1000;
  limits.body_rate_window = milliseconds(100);
  StartStreams(limits);
  auto late = Connect();
  late.Send(Head(1000) + "ab");
  auto answer = late.ReadHead();
  while (late.ReadChunk(answer)) {
  }
  EXPECT_EQ(answer.body, "[abfault http.body_too_slow");
  EXPECT_FALSE(answer.whole);
  EXPECT_EQ(Connect().Ask(Head(1000)).status, 408);
  EXPECT_EQ(Connect().Ask("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nab").status, 408)
      << "whole ones too";
}

}  // namespace
}  // namespace slipway::net
