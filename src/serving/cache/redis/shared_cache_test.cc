#include "serving/cache/redis/shared_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "base/files.h"
#include "base/hash.h"

namespace slipway::serving {
namespace {

using base::SteadyTime;
using std::chrono::milliseconds;
using testing::HasSubstr;
using Kind = RedisReply::Kind;

/// What all links lead to.
struct FakeRedis {
  std::mutex mutex;  ///< guards values
  std::map<std::string, std::string, std::less<>> values;
  std::atomic<bool> reachable = true, silent = false, full = false, stale = false, loading = false;
  std::atomic<int> asked = 0, connected = 0;

  void Set(std::string_view request, std::string value) {
    const std::lock_guard lock(mutex);
    values["test:" + base::Xxh3Digits(request)] = std::move(value);
  }
  std::string Get(std::string_view request) {
    const std::lock_guard lock(mutex);
    return values["test:" + base::Xxh3Digits(request)];
  }
  RedisReply Do(const RedisCommand& command) {
    const std::lock_guard lock(mutex);
    if (loading) return {.kind = Kind::kError, .text = "LOADING Redis is loading the dataset in memory"};
    if (command[0] == "PING") return {.kind = Kind::kText, .text = "PONG"};
    if (command[0] == "PTTL") return {.kind = Kind::kInteger, .text = {}, .integer = 60'000};
    if (command[0] == "SET") {
      if (full) return {.kind = Kind::kError, .text = "OOM command not allowed when used memory > 'maxmemory'."};
      values[std::string(command[1])] = command[2];
      return {.kind = Kind::kText, .text = "OK"};
    }
    const auto found = values.find(command[1]);
    if (found == values.end()) return {};
    if (found->second == "a list") return {.kind = Kind::kError, .text = "WRONGTYPE Operation against a key"};
    return {.kind = Kind::kText, .text = found->second};
  }
};

class FakeLink final : public RedisLink {
 public:
  explicit FakeLink(FakeRedis& redis) : redis_(redis) { ++redis_.connected; }
  base::Result<std::vector<RedisReply>> Ask(const std::vector<RedisCommand>& commands, SteadyTime deadline) override {
    ++redis_.asked;
    if (redis_.silent) {
      std::this_thread::sleep_until(deadline);
      return base::Fail(base::Code::kUnavailable, "redis.timeout", "it did not answer in time");
    }
    if (!redis_.reachable) return base::Fail(base::Code::kUnavailable, "redis.broken", "it closed the connection");
    std::vector<RedisReply> replies;
    for (const auto& command : commands) replies.push_back(redis_.Do(command));
    return replies;
  }
  bool Stale() const override { return redis_.stale; }

 private:
  FakeRedis& redis_;
};

class SharedCacheTest : public testing::Test {
 protected:
  void Start(std::chrono::nanoseconds timeout = std::chrono::seconds(5)) {
    SharedCacheOptions options;
    options.timeout = timeout;
    options.prefix = "test:";
    cache_ = std::make_unique<SharedCache>(
        options, "fake:1/0",
        [this](SteadyTime) -> base::Result<std::unique_ptr<RedisLink>> {
          if (!redis_.reachable) return base::Fail(base::Code::kUnavailable, "redis.broken", "connecting failed");
          return std::make_unique<FakeLink>(redis_);
        },
        metrics_, *log_);
    if (redis_.reachable) Await("slipway_cache_redis_up 1");
  }
  std::string Metrics() const {
    std::string text;
    metrics_.WriteText(text);
    return text;
  }
  void Await(const std::string& line) const {
    while (Metrics().find(line + "\n") == std::string::npos) std::this_thread::yield();
  }
  std::string Find(std::string_view request) {
    CachedAnswer answer;
    std::chrono::nanoseconds left{};
    return cache_->Find(request, SteadyTime::max(), answer, left) ? answer.body : "none";
  }
  void Put(std::string_view request, std::string body) {
    CachedAnswer answer;
    answer.body = std::move(body);
    answer.content_type = "application/json";
    cache_->Put(request, answer);
  }
  std::string LogText() {
    log_->Flush();
    return base::ReadFile(folder_.path() / "log").value();
  }

  base::TemporaryFolder folder_ = base::TemporaryFolder::Create().value();
  std::unique_ptr<telemetry::Log> log_ = telemetry::Log::Open({.path = (folder_.path() / "log").string()}).value();
  telemetry::MetricRegistry metrics_;
  FakeRedis redis_;
  std::unique_ptr<SharedCache> cache_;
};

TEST_F(SharedCacheTest, GivesWhatWasPutUnderTheSameRequest) {
  Start();
  EXPECT_EQ(Find("a"), "none");
  Put("a", "1");
  Await(R"(slipway_cache_redis_writes_total{outcome="written"} 1)");
  EXPECT_EQ(Find("a"), "1");
  EXPECT_EQ(Find("b"), "none");
  EXPECT_THAT(Metrics(), HasSubstr("slipway_cache_redis_requests_total{outcome=\"hit\"} 1\n"));
  EXPECT_THAT(Metrics(), HasSubstr("slipway_cache_redis_requests_total{outcome=\"miss\"} 2\n"));
  EXPECT_THAT(redis_.Get("a"), HasSubstr("application/json"));
}

TEST_F(SharedCacheTest, AValueOfSomebodyElsesIsAMiss) {
  Start();
  redis_.Set("a", "something else");
  redis_.Set("b", "a list");
  EXPECT_EQ(Find("a"), "none");
  EXPECT_EQ(Find("b"), "none");
  EXPECT_THAT(Metrics(), HasSubstr("slipway_cache_redis_requests_total{outcome=\"wrong\"} 2\n"));
  EXPECT_THAT(Metrics(), HasSubstr("slipway_cache_redis_up 1\n"));
}

TEST_F(SharedCacheTest, AHashSharedByTwoRequestsGivesNeitherTheOthersAnswer) {
  Start();
  Put("a", "1");
  Await(R"(slipway_cache_redis_writes_total{outcome="written"} 1)");
  redis_.Set("b", redis_.Get("a"));
  EXPECT_EQ(Find("b"), "none");
}

TEST_F(SharedCacheTest, OneThatDoesNotAnswerCostsItsBudgetAFewTimesAndThenNothing) {
  Start(milliseconds(2));
  redis_.silent = true;
  for (int i = 0; i < Circuit::kSlowMost; ++i) EXPECT_EQ(Find("a"), "none");
  EXPECT_THAT(Metrics(), HasSubstr("slipway_cache_redis_up 0\n"));
  EXPECT_EQ(Find("a"), "none");
  EXPECT_THAT(Metrics(), HasSubstr("slipway_cache_redis_requests_total{outcome=\"timeout\"} 3\n"));
  EXPECT_THAT(Metrics(), HasSubstr("slipway_cache_redis_requests_total{outcome=\"skipped\"} 1\n"));
}

TEST_F(SharedCacheTest, ComesBackByItselfAndSaysSoOnce) {
  Start();
  redis_.reachable = false;
  EXPECT_EQ(Find("a"), "none");
  Await("slipway_cache_redis_errors_total 3");  // the lookup, and two attempts
  EXPECT_THAT(Metrics(), HasSubstr("slipway_cache_redis_up 0\n"));
  redis_.reachable = true;
  Await("slipway_cache_redis_up 1");
  Put("a", "1");
  Await(R"(slipway_cache_redis_writes_total{outcome="written"} 1)");
  EXPECT_EQ(Find("a"), "1");
  const std::string log = LogText();
  EXPECT_EQ(log.find("cache.redis.down"), log.rfind("cache.redis.down"));
  EXPECT_THAT(log, HasSubstr("closed the connection"));
}

TEST_F(SharedCacheTest, OneThatWasNeverThereStopsNobody) {
  redis_.reachable = false;
  Start();
  EXPECT_EQ(Find("a"), "none");
  Put("a", "1");
  EXPECT_THAT(Metrics(), HasSubstr("slipway_cache_redis_writes_total{outcome=\"dropped\"} 1\n"));
  Await("slipway_cache_redis_errors_total 2");
  EXPECT_THAT(LogText(), HasSubstr("cache.redis.down"));
}

TEST_F(SharedCacheTest, AConnectionThatWasClosedWhileIdleIsReplaced) {
  Start();
  redis_.stale = true;
  const int before = redis_.connected;
  std::jthread later([&] {
    while (redis_.connected == before) std::this_thread::yield();
    redis_.stale = false;
  });
  EXPECT_EQ(Find("a"), "none");
  EXPECT_THAT(Metrics(), HasSubstr("slipway_cache_redis_requests_total{outcome=\"miss\"} 1\n"));
  EXPECT_THAT(Metrics(), HasSubstr("slipway_cache_redis_errors_total 0\n"));
}

TEST_F(SharedCacheTest, OneThatTakesNoWritesIsStillRead) {
  Start();
  redis_.full = true;
  Put("a", "1");
  Put("b", "1");
  Await(R"(slipway_cache_redis_writes_total{outcome="refused"} 2)");
  EXPECT_EQ(Find("a"), "none");
  EXPECT_THAT(Metrics(), HasSubstr("slipway_cache_redis_up 1\n"));
  const std::string log = LogText();
  EXPECT_THAT(log, HasSubstr("OOM"));
  EXPECT_EQ(log.find("cache.redis.refuses"), log.rfind("cache.redis.refuses"));
}

TEST_F(SharedCacheTest, OneThatIsStillLoadingIsLeftAlone) {
  Start();
  redis_.loading = true;
  EXPECT_EQ(Find("a"), "none");
  EXPECT_THAT(Metrics(), HasSubstr("slipway_cache_redis_up 0\n"));
  redis_.loading = false;
}

TEST_F(SharedCacheTest, WhatWouldNeedTooMuchMemoryIsDroppedAndCounted) {
  Start();
  Put("a", std::string(SharedCache::kLargest + 1, 'x'));
  EXPECT_THAT(Metrics(), HasSubstr("slipway_cache_redis_writes_total{outcome=\"dropped\"} 1\n"));
}

TEST_F(SharedCacheTest, ALookupEndsByTheCallsOwnDeadline) {
  Start(std::chrono::seconds(60));
  redis_.silent = true;
  const auto begun = base::Clock::System().Now();
  CachedAnswer answer;
  std::chrono::nanoseconds left{};
  EXPECT_FALSE(cache_->Find("a", begun + milliseconds(5), answer, left));
  EXPECT_LT(base::Clock::System().Now() - begun, std::chrono::seconds(10));
}

TEST_F(SharedCacheTest, ManyThreadsNeverSeeAnothersAnswer) {
  Start();
  for (int i = 0; i < 50; i += 2) Put(std::to_string(i), "answer " + std::to_string(i));
  Await(R"(slipway_cache_redis_writes_total{outcome="written"} 25)");
  std::atomic<int> wrong = 0, found = 0;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 500; ++i) {
        const std::string request = std::to_string((i * (t + 1)) % 50), answer = Find(request);
        if (answer == "none") Put(request, "answer " + request);
        found += answer != "none";
        wrong += answer != "none" && answer != "answer " + request;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(found, 1000);
  EXPECT_LE(redis_.connected, SharedCache::kLinks + 1);
}

}  // namespace
}  // namespace slipway::serving
