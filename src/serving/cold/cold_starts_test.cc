// Calls of versions that are not loaded.

#include "serving/cold/cold_starts.h"

#include <gmock/gmock.h>

#include <atomic>
#include <thread>
#include <vector>

#include "live/bundle_list.h"
#include "serving/http_service_fixture.h"

namespace slipway::serving {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kRecord = R"({"a":1,"b":2,"kind":"x"})";

class ColdStartsTest : public HttpServiceFixture {
 protected:
  void SetUp() override {
    bundles_.load_hook = [this]() -> base::Result<void> {
      ++loads_;
      while (!open_) std::this_thread::yield();
      if (!failure_) return {};
      return base::Fail(base::Code::kInvalidArgument, "engine.model", "no such operator");
    };
  }
  void TearDown() override {
    open_ = true;
    controller_.Stop();  // it tells the service of what it does
    service_.reset();
  }
  /// Serves these, none of which is loaded.
  void StartCold(std::vector<std::filesystem::path> bundles, ColdStartOptions cold = {}) {
    list_.Set(std::move(bundles));
    controller_.Follow(list_);
    HttpServiceOptions options;
    options.controller = &controller_;
    options.cold = cold;
    options.cold.enabled = true;
    options.drain_timeout = std::chrono::milliseconds(200);
    controller_.Settle();
    Start(options);
    live_.OnChange([this] { service_->LetGo(); });
    live_.OnUnload([this](const live::LiveSet::Unloaded& version) { service_->Forget(version); });
    controller_.Start();
  }
  net::RawClient Send(std::string_view path = "/predict/sum") {
    net::RawClient client(service_->port());
    client.Send("POST " + std::string(path) + " HTTP/1.1\r\nHost: x\r\nContent-Length: " +
                std::to_string(kRecord.size()) + "\r\n\r\n" + std::string(kRecord));
    return client;
  }
  void AwaitMetric(std::string_view line) {
    while (Get("/metrics").body.find(line) == std::string::npos) std::this_thread::yield();
  }
  void AwaitWaiting(int calls) {
    const std::string line = "\"waiting\": " + std::to_string(calls);
    while (Get("/models").body.find(line) == std::string::npos) std::this_thread::yield();
  }

  std::atomic<bool> open_ = true, failure_ = false;
  std::atomic<int> loads_ = 0;
  live::BundleList list_;
  live::LiveController controller_{live_, metrics_, *log_, {.lazy = true}};
};

TEST_F(ColdStartsTest, CallsThatComeWhileItIsLoadedAreAllAnsweredByOneLoad) {
  open_ = false;
  StartCold({bundles_.Write("sum", "1.0.0")});
  std::vector<net::RawClient> clients;
  for (int i = 0; i < 20; ++i) clients.push_back(Send());
  AwaitWaiting(20);
  open_ = true;
  for (auto& client : clients) EXPECT_THAT(client.Read().body, HasSubstr(R"("prediction":{"sum":3.0,"large":false}})"));
  EXPECT_EQ(loads_, 1);
  EXPECT_THAT(Get("/metrics").body, AllOf(HasSubstr("slipway_cold_starts_total{outcome=\"loaded\"} 20\n"),
                                          HasSubstr("slipway_cold_start_wait_seconds_count 20\n")));
}

TEST_F(ColdStartsTest, PastTheDeadlineTheCallerIsToldWhenToComeAgain) {
  open_ = false;
  StartCold({bundles_.Write("sum", "1.0.0")}, {.wait_most = std::chrono::milliseconds(30)});
  const auto answer = Post("/predict/sum", kRecord);
  EXPECT_EQ(answer.status, 503);
  EXPECT_THAT(answer.body, AllOf(HasSubstr("model.cold"), HasSubstr("sum@1.0.0"), HasSubstr("30ms")));
  EXPECT_EQ(answer.Header("Retry-After"), "1");
  EXPECT_THAT(
      Get("/metrics").body,
      HasSubstr(R"(slipway_prediction_errors_total{model="sum",version="1.0.0",door="native",code="model.cold"} 1)"));
  open_ = true;
  AwaitMetric("slipway_versions_ready 1\n");
  EXPECT_EQ(Post("/predict/sum", kRecord).status, 200);
  EXPECT_EQ(loads_, 1);
}

TEST_F(ColdStartsTest, AFullQueueRefusesAtOnce) {
  open_ = false;
  StartCold({bundles_.Write("sum", "1.0.0")}, {.waiting_most = 1});
  auto first = Send();
  AwaitWaiting(1);
  const auto second = Post("/predict/sum", kRecord);
  EXPECT_EQ(second.status, 429);
  EXPECT_THAT(second.body, HasSubstr("overload.cold"));
  EXPECT_NE(second.Header("Retry-After"), "");
  open_ = true;
  EXPECT_EQ(first.Read().status, 200);
}

TEST_F(ColdStartsTest, BodiesThatWaitAreBounded) {
  open_ = false;
  StartCold({bundles_.Write("sum", "1.0.0")}, {.waiting_bytes = std::ssize(kRecord)});
  auto first = Send();
  AwaitWaiting(1);
  EXPECT_THAT(Post("/predict/sum", kRecord).body, HasSubstr("overload.cold"));
  open_ = true;
  EXPECT_EQ(first.Read().status, 200);
}

TEST_F(ColdStartsTest, AClientThatHangsUpLeavesTheQueue) {
  open_ = false;
  StartCold({bundles_.Write("sum", "1.0.0")}, {.waiting_most = 1});
  {
    auto gone = Send(), waits = net::RawClient(service_->port());
    AwaitWaiting(1);
  }
  AwaitMetric("slipway_cold_starts_total{outcome=\"gone\"} 1\n");
  auto next = Send();
  AwaitWaiting(1);
  open_ = true;
  EXPECT_EQ(next.Read().status, 200);
}

TEST_F(ColdStartsTest, ALoadThatFailsAnswersAllWhoWaitWithTheReasonAndIsNotRepeated) {
  open_ = false;
  failure_ = true;
  StartCold({bundles_.Write("sum", "1.0.0")});
  auto one = Send(), two = Send("/v1/models/sum:predict");
  AwaitWaiting(2);
  open_ = true;
  const auto answer = one.Read();
  EXPECT_EQ(answer.status, 503);
  EXPECT_THAT(answer.body, AllOf(HasSubstr("model.failed"), HasSubstr("engine.model"), HasSubstr("no such operator")));
  EXPECT_EQ(answer.Header("Retry-After"), "30");
  EXPECT_EQ(two.Read().status, 503);
  for (int i = 0; i < 5; ++i) EXPECT_THAT(Post("/predict/sum@1.0.0", kRecord).body, HasSubstr("model.failed"));
  EXPECT_EQ(loads_, 1);
}

TEST_F(ColdStartsTest, ALoadThatFailsIsAnsweredByTheFallback) {
  failure_ = true;
  StartCold({bundles_.Write("sum", "1.0.0", "fallback: [{constant: {sum: 7, large: true}}]\n")});
  EXPECT_THAT(Post("/predict/sum", kRecord).body,
              HasSubstr(R"("prediction":{"sum":7.0,"large":true},"fallback":{"reason":"load","from":"sum@1.0.0"})"));
}

TEST_F(ColdStartsTest, WhatIsToldOfAVersionNeedsNoLoadWhereTheManifestTellsIt) {
  StartCold({bundles_.Write("sum", "1.0.0")});
  EXPECT_THAT(Get("/models").body, AllOf(HasSubstr("\"state\": \"cold\""), HasSubstr("\"bytes\"")));
  EXPECT_THAT(Get("/openapi.json").body, AllOf(HasSubstr("/predict/sum"), HasSubstr("\"kind\"")));
  EXPECT_EQ(Get("/readyz").status, 200);
  EXPECT_EQ(Get("/v2/models/sum/ready").status, 200);
  EXPECT_EQ(Get("/v1/models/sum").status, 200);
  EXPECT_EQ(Post("/v2/repository/index", "{\"ready\": true}").body, "[]");
  EXPECT_EQ(loads_, 0);
}

TEST_F(ColdStartsTest, WhatOnlyTheModelTellsHasItLoaded) {
  StartCold({bundles_.Write("sum", "1.0.0"), bundles_.WriteBare("bare", "1.0.0")});
  EXPECT_THAT(Get("/v2/models/sum").body, HasSubstr(R"("inputs":[{"name":"a")"));
  EXPECT_EQ(loads_, 1);
  EXPECT_THAT(Get("/models/bare").body, HasSubstr("sums"));
  EXPECT_EQ(loads_, 2);
}

TEST_F(ColdStartsTest, LinesForAColdVersionAreAnswered) {
  StartCold({bundles_.Write("sum", "1.0.0")});
  const auto answer = Post("/predict/sum", std::string(kRecord) + "\n" + std::string(kRecord) + "\n",
                           "Content-Type: application/x-ndjson\r\n");
  EXPECT_THAT(answer.body, AllOf(HasSubstr(R"({"row":0,"prediction":{"sum":3.0)"), HasSubstr("\"row\":1")));
}

TEST_F(ColdStartsTest, AStopEndsTheWaitingWithAnAnswer) {
  open_ = false;
  StartCold({bundles_.Write("sum", "1.0.0")});
  auto waiting = Send();
  AwaitWaiting(1);
  std::jthread stop([this] { service_->Stop(); });
  EXPECT_EQ(waiting.Read().status, 503);
}

TEST_F(ColdStartsTest, ClientsOfManyThreadsAreNeverAnsweredWronglyWhileVersionsComeAndGo) {
  std::vector<std::filesystem::path> bundles;
  for (int i = 0; i < 6; ++i) bundles.push_back(bundles_.Write("m" + std::to_string(i), "1.0.0"));
  StartCold(bundles);
  std::atomic<int> right = 0;
  {
    std::vector<std::jthread> clients;
    for (int t = 0; t < 4; ++t) {
      clients.emplace_back([&, t] {
        for (int i = 0; i < 30; ++i) {
          const auto answer = Post("/predict/m" + std::to_string((i * 5 + t) % 6), kRecord);
          right += answer.status == 200 && answer.body.find(R"("sum":3.0)") != std::string::npos;
        }
      });
    }
    std::jthread evicting([&](const std::stop_token& stop) {
      for (int64_t id = 1; !stop.stop_requested(); id = id % 6 + 1) {
        live_.Evict(id);
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    });
    clients.clear();
  }
  EXPECT_EQ(right, 4 * 30);
}

}  // namespace
}  // namespace slipway::serving
