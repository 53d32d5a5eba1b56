#include "serving/cache/prediction_cache.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "serving/cache/cache_worth.h"

namespace slipway::serving {
namespace {

using std::chrono::seconds;

CachedAnswer Answer(std::string body) {
  CachedAnswer answer;
  answer.body = std::move(body);
  answer.content_type = "application/json";
  answer.rows = 1;
  return answer;
}

class PredictionCacheTest : public testing::Test {
 protected:
  static PredictionCacheOptions Of(int64_t bytes, int shards = 1) { return {.memory = {bytes}, .shards = shards}; }
  static std::string Found(PredictionCache& cache, std::string_view bytes, uint64_t model = 1, uint64_t variant = 1) {
    CachedAnswer answer;
    return cache.Find(cache.KeyOf(model, variant, bytes), answer) ? answer.body : "none";
  }
  static void Put(PredictionCache& cache, std::string_view bytes, std::string body, uint64_t model = 1,
                  uint64_t variant = 1) {
    cache.Put(cache.KeyOf(model, variant, bytes), Answer(std::move(body)));
  }
};

TEST_F(PredictionCacheTest, GivesBackWhatWasPutUnderTheSameKey) {
  PredictionCache cache(Of(1 << 20));
  Put(cache, "a", "1");
  EXPECT_EQ(Found(cache, "a"), "1");
  EXPECT_EQ(Found(cache, "b"), "none");
  EXPECT_EQ(Found(cache, "a", 2), "none");
  EXPECT_EQ(Found(cache, "a", 1, 2), "none");
  Put(cache, "a", "2");
  EXPECT_EQ(Found(cache, "a"), "2");
  EXPECT_EQ(cache.Read().entries, 1);
}

TEST_F(PredictionCacheTest, KeepsAllThatAnAnswerIs) {
  PredictionCache cache(Of(1 << 20));
  CachedAnswer put = Answer("body");
  put.hole = 2;
  put.headers = "A: b\r\n";
  put.rows = 7;
  cache.Put(cache.KeyOf(1, 1, ""), put);
  CachedAnswer found;
  ASSERT_TRUE(cache.Find(cache.KeyOf(1, 1, ""), found));
  EXPECT_EQ(found.body, "body");
  EXPECT_EQ(found.hole, 2);
  EXPECT_EQ(found.headers, "A: b\r\n");
  EXPECT_EQ(found.content_type, "application/json");
  EXPECT_EQ(found.rows, 7);
}

TEST_F(PredictionCacheTest, StaysWithinItsMemory) {
  constexpr int64_t kMost = 64 << 10;
  PredictionCache cache(Of(kMost));
  int64_t most = 0;
  for (int i = 0; i < 10'000; ++i) {
    Put(cache, std::to_string(i), std::string(static_cast<size_t>(i % 300), 'x'));
    most = std::max(most, cache.Read().bytes);
  }
  EXPECT_LE(most, kMost);
  EXPECT_GT(most, kMost / 2);
  EXPECT_GT(cache.Read().evictions, 9000);
}

TEST_F(PredictionCacheTest, DoesNotKeepWhatWouldPushEverythingOut) {
  PredictionCache cache(Of(64 << 10));
  Put(cache, "large", std::string(32 << 10, 'x'));
  EXPECT_EQ(Found(cache, "large"), "none");
}

TEST_F(PredictionCacheTest, AScanDoesNotPushOutWhatIsAskedForAgain) {
  PredictionCache cache(Of(64 << 10));
  for (int i = 0; i < 50; ++i) Put(cache, "hot" + std::to_string(i), "x");
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 50; ++i) Found(cache, "hot" + std::to_string(i));
  }
  for (int i = 0; i < 10'000; ++i) Put(cache, "scan" + std::to_string(i), "x");
  int kept = 0;
  for (int i = 0; i < 50; ++i) kept += Found(cache, "hot" + std::to_string(i)) == "x";
  EXPECT_EQ(kept, 50);
}

TEST_F(PredictionCacheTest, WhatComesBackSoonAfterItLeftIsKeptLonger) {
  PredictionCache cache(Of(64 << 10));
  for (int i = 0; i < 1000; ++i) Put(cache, std::to_string(i), "x");
  ASSERT_EQ(Found(cache, "1"), "none");
  Put(cache, "1", "x");
  for (int i = 2000; i < 2400; ++i) Put(cache, std::to_string(i), "x");
  EXPECT_EQ(Found(cache, "1"), "x");
}

TEST_F(PredictionCacheTest, AnswersEndWithTheirLifetime) {
  base::ManualClock clock;
  PredictionCache cache({.memory = {1 << 20}, .lifetime = seconds(10), .shards = 1, .clock = &clock});
  Put(cache, "a", "1");
  clock.Advance(seconds(9));
  EXPECT_EQ(Found(cache, "a"), "1");
  clock.Advance(seconds(1));
  EXPECT_EQ(Found(cache, "a"), "none");
  EXPECT_EQ(cache.Read().entries, 0);
}

TEST_F(PredictionCacheTest, AnswersThatHaveEndedAreFoundByThoseWhoTakeOldOnes) {
  base::ManualClock clock;
  PredictionCache cache({.memory = {1 << 20}, .lifetime = seconds(10), .shards = 1, .clock = &clock});
  CachedAnswer answer{.body = "1"};
  const CacheKey key = cache.KeyOf(1, 1, "a");
  cache.Put(key, answer, {.old = seconds(60)});
  clock.Advance(seconds(30));
  EXPECT_EQ(Found(cache, "a"), "none");
  EXPECT_EQ(cache.FindOld(key, answer, seconds(29)), std::nullopt);
  answer.body.clear();
  EXPECT_EQ(cache.FindOld(key, answer, seconds(30)), seconds(30));
  EXPECT_EQ(answer.body, "1");
  clock.Advance(seconds(30));
  EXPECT_EQ(Found(cache, "a"), "none");
  EXPECT_EQ(cache.Read().entries, 0);
}

TEST_F(PredictionCacheTest, ForgetsAVersionAlone) {
  PredictionCache cache(Of(1 << 20, 4));
  for (int i = 0; i < 100; ++i) Put(cache, std::to_string(i), "x", static_cast<uint64_t>(i % 2));
  cache.Forget(1);
  EXPECT_EQ(cache.Read().entries, 50);
  EXPECT_EQ(Found(cache, "1", 1), "none");
  EXPECT_EQ(Found(cache, "2", 0), "x");
  cache.Forget(0);
  EXPECT_EQ(cache.Read().bytes, 0);
}

TEST_F(PredictionCacheTest, ThreadsNeverSeeAnotherKeysAnswer) {
  PredictionCache cache(Of(256 << 10, 4));
  std::atomic<int> wrong = 0, found = 0;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      CachedAnswer answer;
      for (int i = 0; i < 20'000; ++i) {
        const std::string bytes = std::to_string((i * (t + 1)) % 3000);
        const CacheKey key = cache.KeyOf(1, 1, bytes);
        if (cache.Find(key, answer)) {
          ++found;
          wrong += answer.body != "answer " + bytes;
        } else {
          cache.Put(key, Answer("answer " + bytes));
        }
        if (i % 5000 == 0 && t == 0) cache.Forget(1);
      }
    });
  }
  threads.clear();
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(found, 1000);
}

TEST(CacheWorth, SwitchesItselfOffWhenHitsSaveLessThanLookupsCost) {
  CacheWorth worth;
  EXPECT_TRUE(worth.Admits(~uint64_t{0}));
  for (int i = 0; i < CacheWorth::kWindow; ++i) worth.CountMiss(50, 1000, 100);
  EXPECT_FALSE(worth.on());
  EXPECT_FALSE(worth.Admits(~uint64_t{0}));
  EXPECT_TRUE(worth.Admits(0));
}

TEST(CacheWorth, ComesBackWhenTheSampleTellsThatItWouldPay) {
  CacheWorth worth;
  for (int i = 0; i < CacheWorth::kWindow; ++i) worth.CountMiss(50, 1000, 100);
  for (int i = 0; i < CacheWorth::kWindow; ++i) i % 2 == 0 ? worth.CountHit(60) : worth.CountMiss(50, 1000, 100);
  EXPECT_TRUE(worth.on());
}

TEST(CacheWorth, StaysOnWhenEverythingHits) {
  CacheWorth worth;
  for (int i = 0; i < CacheWorth::kWindow; ++i) worth.CountMiss(50, 10'000, 100);
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < CacheWorth::kWindow; ++i) worth.CountHit(60);
  }
  EXPECT_TRUE(worth.on());
}

}  // namespace
}  // namespace slipway::serving
