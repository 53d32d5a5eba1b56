// Answers that come after their handler has returned.

#include "net/late_answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "net/server_fixture.h"

namespace slipway::net {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

/// Answers wait here until a test finishes them.
class Shelf {
 public:
  void Put(LateAnswer answer) {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(answer));
    came_.notify_all();
  }
  LateAnswer Take() {
    std::unique_lock lock(mutex_);
    came_.wait(lock, [&] { return !waiting_.empty(); });
    LateAnswer first = std::move(waiting_.front());
    waiting_.pop_front();
    return first;
  }

 private:
  std::mutex mutex_;  // guards what follows
  std::condition_variable came_;
  std::deque<LateAnswer> waiting_;
};

LateAnswer::Fill Saying(std::string text) {
  return [text = std::move(text)](const Request& request, Response& response) {
    response.body = text + ":" + std::string(request.path) + ":" + std::string(request.body);
  };
}

class LateAnswerTest : public ServerFixture {
 protected:
  void SetUp() override {
    AddRoute(Method::kPost, "/late", [this](const Request&, Response& response) {
      response.body = "not this";
      response.later = [this](LateAnswer answer) { shelf_.Put(std::move(answer)); };
    });
    AddEcho();
  }
  Shelf shelf_;
};

TEST_F(LateAnswerTest, ComeWithTheRequestAsItWas) {
  Start();
  auto client = Connect();
  client.Send(Post("/late", "body", "X-Request-Id: mine\r\n"));
  std::jthread other([&] { shelf_.Take().Finish(Saying("done")); });
  const auto answer = client.Read();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "done:/late:body");
  EXPECT_EQ(answer.Header("X-Request-Id"), "mine");
  EXPECT_EQ(client.Ask(Post("/echo", "again")).body, "again");
}

TEST_F(LateAnswerTest, TheLastOfAConnectionIsNotLostToAResetWhenAnotherRequestWaitsBehindIt) {
  HttpServerOptions options;
  options.conduct.limits.requests_per_connection = 1;
  Start(std::move(options));
  auto client = Connect();
  client.Send(Post("/late", "last"));
  const LateAnswer answer = shelf_.Take();
  client.Send(Post("/late", "one too many"));
  answer.Finish(Saying("done"));
  EXPECT_EQ(client.Read().body, "done:/late:last");
  char byte = 0;
  EXPECT_EQ(::recv(client.descriptor(), &byte, 1, 0), 0) << "closed in good order, not reset";
}

TEST_F(LateAnswerTest, KeepTheOrderOfPipelinedRequests) {
  Start();
  auto client = Connect();
  client.Send(Post("/late", "1") + Post("/echo", "2") + Post("/late", "3") + std::string(kHello));
  shelf_.Take().Finish(Saying("a"));
  EXPECT_EQ(client.Read().body, "a:/late:1");
  EXPECT_EQ(client.Read().body, "2");
  shelf_.Take().Finish(Saying("b"));
  EXPECT_EQ(client.Read().body, "b:/late:3");
  EXPECT_EQ(client.Read().body, "\"hello\"");
}

TEST_F(LateAnswerTest, DoNotHoldUpOtherConnections) {
  Start();
  auto waiting = Connect();
  waiting.Send(Post("/late", "x"));
  const auto answer = shelf_.Take();
  EXPECT_EQ(Connect().Ask(kHello).body, "\"hello\"");
  answer.Finish(Saying("y"));
  EXPECT_EQ(waiting.Read().body, "y:/late:x");
}

TEST_F(LateAnswerTest, AreWrittenOnceTheFirstTime) {
  Start();
  auto client = Connect();
  client.Send(Post("/late", ""));
  const auto answer = shelf_.Take();
  answer.Finish(Saying("first"));
  answer.Finish(Saying("second"));
  EXPECT_EQ(client.Read().body, "first:/late:");
  EXPECT_EQ(client.Ask(kHello).body, "\"hello\"");
}

TEST_F(LateAnswerTest, MayBePutOffOnceMore) {
  Start();
  auto client = Connect();
  client.Send(Post("/late", "x"));
  shelf_.Take().Finish([this](const Request&, Response& response) {
    response.later = [this](LateAnswer answer) { shelf_.Put(std::move(answer)); };
  });
  shelf_.Take().Finish(Saying("in the end"));
  EXPECT_EQ(client.Read().body, "in the end:/late:x");
}

TEST_F(LateAnswerTest, FailTheRequestWhenTheyNeverCome) {
  Start();
  auto client = Connect();
  client.Send(Post("/late", ""));
  {
    const auto dropped = shelf_.Take();
  }
  const auto answer = client.Read();
  EXPECT_EQ(answer.status, 500);
  EXPECT_THAT(answer.body, HasSubstr("http.internal"));
  EXPECT_EQ(client.Ask(kHello).status, 200);
}

TEST_F(LateAnswerTest, TurnExceptionsIntoInternalErrors) {
  Start();
  auto client = Connect();
  client.Send(Post("/late", ""));
  shelf_.Take().Finish([](const Request&, Response&) { throw std::runtime_error("secret"); });
  const auto answer = client.Read();
  EXPECT_EQ(answer.status, 500);
  EXPECT_THAT(answer.body, testing::Not(HasSubstr("secret")));
}

TEST_F(LateAnswerTest, ARequestCanBeReadAfterItsClientAndTheServerHaveGone) {
  Start();
  auto client = std::make_unique<RawClient>(server_->port());
  client->Send(Post("/late", "its body", "X-Request-Id: mine\r\nTraceparent: x\r\n"));
  const LateAnswer answer = shelf_.Take();
  client.reset();
  server_.reset();
  EXPECT_EQ(answer.request().body, "its body");
  EXPECT_EQ(answer.request().id, "mine");
  EXPECT_EQ(answer.request().Header("traceparent"), "x");
  EXPECT_TRUE(answer.request().remote_address.starts_with("127.0.0.1:"));
}

TEST_F(LateAnswerTest, AreAbandonedWhenTheClientGoes) {
  std::atomic<int> counted = 0;
  HttpServerOptions options;
  options.on_answer = [&](const Request&, const Response& response, auto) {
    if (response.status != 200) counted = response.status;
  };
  Start(std::move(options));
  auto client = std::make_unique<RawClient>(server_->port());
  client->Send(Post("/late", ""));
  const auto answer = shelf_.Take();
  EXPECT_FALSE(answer.abandoned().stop_requested());
  client.reset();
  while (!answer.abandoned().stop_requested()) std::this_thread::sleep_for(milliseconds(1));
  answer.Finish(Saying("nobody"));
  EXPECT_EQ(Connect().Ask(kHello).status, 200);
  EXPECT_EQ(counted, 499);
}

TEST_F(LateAnswerTest, AreWaitedForWhenTheServerStops) {
  Start();
  auto client = Connect();
  client.Send(Post("/late", "x"));
  const auto answer = shelf_.Take();
  std::jthread stopping([&] { server_->Stop(); });
  std::this_thread::sleep_for(milliseconds(20));
  answer.Finish(Saying("still"));
  const auto last = client.Read();
  EXPECT_EQ(last.body, "still:/late:x");
  EXPECT_EQ(last.Header("Connection"), "close");
}

TEST_F(LateAnswerTest, MayComeWhenTheServerIsGone) {
  HttpServerOptions options;
  options.conduct.drain_timeout = milliseconds(1);
  Start(std::move(options));
  auto client = Connect();
  client.Send(Post("/late", "x"));
  const auto answer = shelf_.Take();
  server_.reset();
  EXPECT_TRUE(answer.abandoned().stop_requested());
  answer.Finish(Saying("too late"));
}

TEST_F(LateAnswerTest, SurviveManyThreadsAndClients) {
  HttpServerOptions options;
  options.threads = 2;
  Start(std::move(options));
  std::atomic<bool> done = false;
  std::jthread finishing([&] {
    while (!done) shelf_.Take().Finish(Saying("z"));
  });
  std::vector<std::jthread> clients;
  std::atomic<int> right = 0;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&, i] {
      auto client = Connect();
      const std::string body = std::to_string(i);
      for (int n = 0; n < 200; ++n) right += client.Ask(Post("/late", body)).body == "z:/late:" + body;
    });
  }
  clients.clear();
  done = true;
  auto last = Connect();
  last.Send(Post("/late", ""));
  last.Read();
  EXPECT_EQ(right, 800);
}

}  // namespace
}  // namespace slipway::net
