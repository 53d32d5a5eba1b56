// Calls of models that are too heavy for io threads.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serving/compute/heavy_models_fixture.h"

namespace slipway::serving {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::StartsWith;

using HeavyModelsTest = HeavyModelsFixture;

TEST_F(HeavyModelsTest, OthersAreAnsweredWhileTheyRun) {
  StartHeavy();
  auto client = Send();
  gate_.Await(runs_ + 1);
  EXPECT_EQ(Get("/livez").status, 200);
  gate_.Open();
  const auto answer = client.Read();
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body, HasSubstr("\"prediction\":{\"sum\":3.0,\"large\":false}"));
  EXPECT_EQ(answer.Header("Slipway-Version"), "1.0.0");
}

TEST_F(HeavyModelsTest, TwoWhoStopTheServiceBothWaitForItsCalls) {
  StartHeavy();
  auto client = Send();
  gate_.Await(runs_ + 1);
  {
    std::jthread first([&] { service_->Stop(); }), second([&] { service_->Stop(); });
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    gate_.Open();
  }
  EXPECT_EQ(client.Read().status, 200);
}

TEST_F(HeavyModelsTest, CallsThatWaitRunTogether) {
  StartHeavy();
  auto first = Send();
  gate_.Await(runs_ + 1);
  std::vector<net::RawClient> clients;
  for (int i = 0; i < 5; ++i) clients.push_back(Send());
  AwaitBeforeModel(5);
  gate_.Open();
  EXPECT_EQ(first.Read().status, 200);
  for (auto& client : clients) EXPECT_THAT(client.Read().body, HasSubstr("\"sum\":3.0"));
  EXPECT_EQ(Runs(), 2);
  EXPECT_THAT(Get("/metrics").body, HasSubstr(R"(slipway_batch_calls_together_total{model="sum",version="1.0.0"} 5)"));
}

TEST_F(HeavyModelsTest, AnotherRowsFaultIsNotTheirs) {
  StartHeavy();
  auto first = Send();
  gate_.Await(runs_ + 1);
  auto good = Send(), bad = Send("", "/predict/sum", R"({"a":-1,"b":2,"kind":"x"})");
  EXPECT_EQ(bad.Read().status, 422);  // it never comes to the model
  gate_.Open();
  EXPECT_EQ(good.Read().status, 200);
  EXPECT_EQ(first.Read().status, 200);
}

TEST_F(HeavyModelsTest, ACallWhoseClientHasGoneNeverRuns) {
  StartHeavy();
  auto first = Send();
  gate_.Await(runs_ + 1);
  {
    const auto gone = Send();
    AwaitWaiting(1);
  }
  while (Workload().Find("waiting")->integer() > 0) std::this_thread::yield();
  gate_.Open();
  EXPECT_EQ(first.Read().status, 200);
  EXPECT_EQ(Runs(), 1);
}

TEST_F(HeavyModelsTest, ATimeoutFiresWhileTheModelIsBusy) {
  StartHeavy("limits: {timeout: 150ms}\n");
  auto first = Send();
  gate_.Await(runs_ + 1);
  auto second = Send();
  const auto answer = second.Read();  // although the gate stays closed
  EXPECT_EQ(answer.status, 504);
  EXPECT_THAT(answer.body, HasSubstr("scoring.deadline"));
  gate_.Open();
}

TEST_F(HeavyModelsTest, ACallThatWouldWaitTooLongIsRefusedWithATimeToComeBack) {
  StartHeavy("", {.wait_most = std::chrono::nanoseconds(1)});
  auto first = Send();
  gate_.Await(runs_ + 1);
  const auto refused = Send().Read();
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.Header("Retry-After"), "1");
  EXPECT_EQ(refused.head.find("Retry-After"), refused.head.rfind("Retry-After"));
  EXPECT_THAT(refused.body, HasSubstr("overload.queue"));
  const auto foreign = Send("", "/v1/models/sum:predict", R"({"instances":[{"a":1,"b":2,"kind":"x"}]})").Read();
  EXPECT_EQ(foreign.status, 429);
  EXPECT_THAT(foreign.body, StartsWith("{\"error\":"));
  gate_.Open();
  EXPECT_EQ(first.Read().status, 200);
}

TEST_F(HeavyModelsTest, ARateIsHeldToOneSecondsBurst) {
  Load("sum", "1.0.0", "limits: {rate: 3}\n");
  int answered = 0;
  net::RawAnswer last;
  for (int i = 0; i < 6; ++i) answered += (last = Post("/predict/sum", kRecord)).status == 200;
  EXPECT_EQ(answered, 3);
  EXPECT_EQ(last.status, 429);
  EXPECT_THAT(last.body, HasSubstr("overload.rate"));
}

TEST_F(HeavyModelsTest, WhoComesTooOftenIsToldToComeBackWhenTheRateAllowsIt) {
  Load("sum", "1.0.0", "limits: {rate: 0.01}\n");
  EXPECT_EQ(Post("/predict/sum", kRecord).status, 200);
  const auto refused = Post("/predict/sum", kRecord);
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.Header("Retry-After"), "100");
}

TEST_F(HeavyModelsTest, OthersAreAnsweredWhileTheyAnswerForOneThatCouldNotBeLoaded) {
  StartHeavy();
  bundles_.load_hook = []() -> base::Result<void> {
    return base::Fail(base::Code::kInvalidArgument, "engine.model", "no such operator");
  };
  ASSERT_FALSE(live_.Load(bundles_.Write("broken", "1.0.0", "fallback: [{model: sum}]\n")));
  auto client = Send("", "/predict/broken");
  gate_.Await(runs_ + 1);
  EXPECT_EQ(Get("/livez").status, 200);
  gate_.Open();
  const auto answer = client.Read();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.Header("Slipway-Fallback"), "reason=load; from=broken@1.0.0");
}

TEST_F(HeavyModelsTest, CallsAtTheSameTimeAreBounded) {
  StartHeavy("limits: {concurrency: 1}\n");
  auto first = Send();
  gate_.Await(runs_ + 1);
  EXPECT_THAT(Send().Read().body, HasSubstr("overload.concurrency"));
  gate_.Open();
  EXPECT_EQ(first.Read().status, 200);
  EXPECT_EQ(Post("/predict/sum", kRecord).status, 200);
}

TEST_F(HeavyModelsTest, UrgentCallsGoFirst) {
  StartHeavy("", {.rows_together = 1});
  auto first = Send();
  gate_.Await(runs_ + 1);
  auto idle = Send("Priority: u=7\r\n");
  AwaitWaiting(1);
  auto urgent = Send("Priority: u=0\r\n");
  AwaitBeforeModel(2);
  gate_.LetOne();
  EXPECT_EQ(first.Read().status, 200);
  gate_.LetOne();
  EXPECT_EQ(urgent.Read().status, 200);  // while the other one is still held up
  gate_.Open();
  EXPECT_EQ(idle.Read().status, 200);
}

TEST_F(HeavyModelsTest, LargeBodiesLeaveTheIoThreadWhateverTheModel) {
  Load("sum", "1.0.0");
  Start();
  ASSERT_EQ(Post("/predict/sum", kRecord).status, 200);
  gate_.Close();
  std::string records = R"({"records":[)";
  for (int i = 0; i < 4000; ++i) records += std::string(i > 0 ? "," : "") + std::string(kRecord);
  auto client = Send("", "/predict/sum", records + "]}");
  gate_.Await(2);
  EXPECT_EQ(Get("/livez").status, 200);
  gate_.Open();
  EXPECT_EQ(client.Read().status, 200);
}

TEST_F(HeavyModelsTest, TheWaitIsCountedAsQueueAndToldWhenAsked) {
  StartHeavy();
  auto first = Send();
  gate_.Await(runs_ + 1);
  auto second = Send("", "/predict/sum?explain=timing");
  AwaitWaiting(1);
  std::this_thread::sleep_for(milliseconds(20));
  gate_.Open();
  EXPECT_EQ(first.Read().status, 200);
  const auto timing = *base::ParseJson(second.Read().body)->Find("timing_us");
  EXPECT_GT(timing.Find("queue")->number(), 20'000);
  EXPECT_LT(timing.Find("infer")->number(), 20'000);
}

TEST_F(HeavyModelsTest, TheDecisionIsVisible) {
  StartHeavy();
  gate_.Open();
  const auto workload = Workload();
  EXPECT_EQ(workload.Find("runs_on")->string(), "compute");
  EXPECT_GT(workload.Find("one_row_us")->number(), 0);
  EXPECT_EQ(workload.Find("batching")->Find("most_rows")->integer(), 64);
}

TEST_F(HeavyModelsTest, AnswersThatAreKeptDoNotMakeAModelLight) {
  bundles_.run_hook = [] -> base::Result<void> {
    std::this_thread::sleep_for(milliseconds(5));
    return {};
  };
  Load("sum", "1.0.0");
  HttpServiceOptions options;
  options.compute.heavy = milliseconds(2);
  options.cache.memory = base::Bytes{1 << 20};
  Start(options);
  for (int b = 0; b < 3; ++b) Post("/predict/sum", R"({"a":1,"b":)" + std::to_string(b) + R"(,"kind":"x"})");
  ASSERT_EQ(Workload().Find("runs_on")->string(), "compute");
  for (int i = 0; i < 20; ++i) ASSERT_EQ(Post("/predict/sum", kRecord).Header("Slipway-Cache"), "hit");
  EXPECT_EQ(Workload().Find("runs_on")->string(), "compute");
}

TEST_F(HeavyModelsTest, AnswersThatAreKeptTakeNoThread) {
  Load("sum", "1.0.0");
  HttpServiceOptions options;
  options.compute.heavy = std::chrono::nanoseconds(1);
  options.cache.memory = base::Bytes{1 << 20};
  Start(options);
  for (int i = 0; i < 3; ++i)
    ASSERT_EQ(Post("/predict/sum", R"({"a":1,"b":)" + std::to_string(i) + R"(,"kind":"x"})").status, 200);
  const int runs = gate_.came();
  const auto again = Post("/predict/sum", R"({"a":1,"b":2,"kind":"x"})");
  EXPECT_EQ(again.Header("Slipway-Cache"), "hit");
  EXPECT_THAT(again.body, HasSubstr("\"sum\":3.0"));
  EXPECT_EQ(gate_.came(), runs);
}

}  // namespace
}  // namespace slipway::serving
