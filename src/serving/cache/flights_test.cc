// Calls that wait for the answer that another call is making.

#include "serving/cache/flights.h"

#include <gmock/gmock.h>

#include "serving/compute/heavy_models_fixture.h"

namespace slipway::serving {
namespace {

using testing::HasSubstr;

class FlightsTest : public HeavyModelsFixture {
 protected:
  void SetUp() override {
    bundles_.run_hook = [this]() -> base::Result<void> {
      if (!unhindered_) gate_.Pass();
      if (!broken_.exchange(false)) return {};
      return base::Fail(base::Code::kInternal, "test.broken", "the model broke");
    };
  }
  void StartShared(const std::string& limits = "") { StartHeavy(limits, {}, {1 << 20}); }
  void AwaitSharing(int calls) {
    const std::string line = "slipway_cache_waiting " + std::to_string(calls) + "\n";
    while (Get("/metrics").body.find(line) == std::string::npos) std::this_thread::yield();
  }
  /// `count` calls, all of which wait for the answer of one that came before.
  std::vector<net::RawClient> Share(int count) {
    std::vector<net::RawClient> clients;
    for (int i = 0; i < count; ++i) clients.push_back(Send("X-Request-Id: call-" + std::to_string(i) + "\r\n"));
    AwaitSharing(count);
    return clients;
  }

  std::atomic<bool> broken_ = false;  ///< the next run fails
  std::atomic<bool> unhindered_ = false;
};

TEST_F(FlightsTest, TheSameBytesAreScoredOnceForAllWhoAsk) {
  StartShared();
  auto first = Send();
  gate_.Await(runs_ + 1);
  auto others = Share(3);
  gate_.Open();
  EXPECT_EQ(first.Read().Header("Slipway-Cache"), "");
  for (int i = 0; i < 3; ++i) {
    const auto answer = others[static_cast<size_t>(i)].Read();
    EXPECT_EQ(answer.Header("Slipway-Cache"), "shared");
    EXPECT_THAT(answer.body, HasSubstr("\"request_id\":\"call-" + std::to_string(i) + R"(","prediction":{"sum":3.0)"));
  }
  EXPECT_EQ(Runs(), 1);
  EXPECT_THAT(Get("/metrics").body, HasSubstr("outcome=\"shared\"} 3\n"));
}

TEST_F(FlightsTest, OtherBytesWaitForNobody) {
  StartShared();
  auto first = Send();
  gate_.Await(runs_ + 1);
  auto other = Send("", "/predict/sum", R"({"a":2,"b":2,"kind":"x"})");
  AwaitWaiting(1);  // for the model
  gate_.Open();
  EXPECT_EQ(first.Read().status, 200);
  EXPECT_THAT(other.Read().body, HasSubstr("\"sum\":4.0"));
  EXPECT_EQ(Runs(), 2);
}

TEST_F(FlightsTest, WhenTheFirstOnesClientGoesTheNextMakesTheAnswer) {
  StartShared();
  auto busy = Send("", "/predict/sum", R"({"a":5,"b":2,"kind":"x"})");
  gate_.Await(runs_ + 1);
  std::vector<net::RawClient> others;
  {
    const auto first = Send();
    AwaitWaiting(1);
    others = Share(3);
  }
  AwaitSharing(2);  // one of the three leads now
  gate_.Open();
  EXPECT_EQ(busy.Read().status, 200);
  for (auto& client : others) EXPECT_EQ(client.Read().status, 200);
  EXPECT_EQ(Runs(), 2);
}

TEST_F(FlightsTest, WhenTheFirstOneFailsEachOtherIsAnsweredByItself) {
  StartShared();
  broken_ = true;
  auto first = Send();
  gate_.Await(runs_ + 1);
  auto others = Share(3);
  gate_.Open();
  EXPECT_EQ(first.Read().status, 500);
  for (auto& client : others) EXPECT_EQ(client.Read().status, 200);
}

TEST_F(FlightsTest, WhatIsRejectedKeepsNobodyWaitingInARow) {
  StartShared();
  auto busy = Send();
  gate_.Await(runs_ + 1);
  std::vector<net::RawClient> clients;
  for (int i = 0; i < 4; ++i) clients.push_back(Send("", "/predict/sum", R"({"a":-1,"b":2,"kind":"x"})"));
  for (auto& client : clients) EXPECT_EQ(client.Read().status, 422);
  gate_.Open();
  EXPECT_EQ(busy.Read().status, 200);
}

TEST_F(FlightsTest, ACallWhoseClientGoesIsLetGoOf) {
  StartShared("limits: {concurrency: 2}\n");
  auto first = Send();
  gate_.Await(runs_ + 1);
  {
    const auto others = Share(1);
  }
  gate_.Open();
  EXPECT_EQ(first.Read().status, 200);
  AwaitSharing(0);
  gate_.Close();
  auto again = Send("Cache-Control: no-cache\r\n"), beside = Send("Cache-Control: no-cache\r\n");
  gate_.Open();  // both have their places
  EXPECT_EQ(again.Read().status, 200);
  EXPECT_EQ(beside.Read().status, 200);
}

TEST_F(FlightsTest, AnUrgentCallDoesNotWaitForOneThatIsNot) {
  StartShared();
  auto first = Send("Priority: u=7\r\n");
  gate_.Await(runs_ + 1);
  auto urgent = Send("Priority: u=0\r\n");
  AwaitWaiting(1);  // for the model itself
  gate_.Open();
  EXPECT_EQ(urgent.Read().status, 200);
  EXPECT_EQ(first.Read().status, 200);
  EXPECT_EQ(Runs(), 2);
}

TEST_F(FlightsTest, WhoAsksForANewAnswerGetsOneOfItsOwn) {
  StartShared();
  auto first = Send();
  gate_.Await(runs_ + 1);
  auto anew = Send("Cache-Control: no-cache\r\n");
  AwaitWaiting(1);
  gate_.Open();
  EXPECT_EQ(first.Read().status, 200);
  EXPECT_EQ(anew.Read().Header("Slipway-Cache"), "");
  EXPECT_EQ(Runs(), 2);
}

TEST_F(FlightsTest, AWaitCountsOnceAgainstTheRate) {
  StartShared("limits: {rate: 6}\n");
  auto first = Send();
  gate_.Await(runs_ + 1);
  auto others = Share(3);
  gate_.Open();
  EXPECT_EQ(first.Read().status, 200);
  for (auto& client : others) EXPECT_EQ(client.Read().status, 200);
}

TEST_F(FlightsTest, AVersionThatCameMeanwhileMakesItsOwnAnswer) {
  StartShared();
  auto first = Send();
  gate_.Await(runs_ + 1);
  auto waiting = Share(1);
  unhindered_ = true;  // what is run while it is loaded
  LoadFrom(bundles_.Write("sum", "2.0.0"));
  unhindered_ = false;
  gate_.Open();
  EXPECT_EQ(first.Read().Header("Slipway-Version"), "1.0.0");
  const auto after = waiting[0].Read();
  EXPECT_EQ(after.Header("Slipway-Version"), "2.0.0");
  EXPECT_EQ(after.Header("Slipway-Cache"), "");
}

TEST(Flights, AreBounded) {
  Flights flights(1);
  PredictionCache cache({.memory = {1 << 20}});
  const auto first = flights.Board(cache.KeyOf(1, 1, "a"), 3);
  EXPECT_NE(first.lead, nullptr);
  EXPECT_EQ(flights.Board(cache.KeyOf(1, 1, "b"), 3).flight, nullptr);
  EXPECT_EQ(flights.Board(cache.KeyOf(1, 1, "a"), 3).flight, first.flight);
  first.lead->Land(Flights::Landed::kDone);
  EXPECT_NE(flights.Board(cache.KeyOf(1, 1, "b"), 3).lead, nullptr);
}

TEST(Flights, KeysAreComparedByteByByte) {
  Flights flights;
  CacheKey one{.model = 1, .variant = 1, .bytes = "a", .hash = 7}, other = one, version = one;
  other.bytes = "b";
  version.model = 2;
  const auto first = flights.Board(one, 3);
  EXPECT_NE(flights.Board(other, 3).lead, nullptr);
  EXPECT_NE(flights.Board(version, 3).lead, nullptr);
}

}  // namespace
}  // namespace slipway::serving
