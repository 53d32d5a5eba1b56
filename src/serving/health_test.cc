#include "serving/health.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "live/sum_bundle_fake.h"

namespace slipway::serving {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class HealthTest : public testing::Test {
 protected:
  void SetUp() override {
    options_.thresholds.latency_seconds = {0.1, 1.0};
    options_.thresholds.error_rate = {0.01, 0.5};
    options_.memory_limit = base::Bytes{1000};
    options_.resident_memory = [this] { return base::Bytes{resident_}; };
    options_.clock = &clock_;
  }
  void LoadModel() { ASSERT_TRUE(live_.Load(bundles_.Write("sum", "1.0.0"))); }
  std::unique_ptr<Health> Serving() {
    auto health = std::make_unique<Health>(options_, live_);
    health->MarkStarted();
    return health;
  }
  std::string Verdict(const Health& health, const char* check) {
    return health.Report().Find("checks")->Find(check)->Find("verdict")->string();
  }
  std::string Status(const Health& health) { return health.Report().Find("status")->string(); }

  base::ManualClock clock_;
  int64_t resident_ = 100;
  HealthOptions options_;
  live::SumBundles bundles_;
  live::LiveSet live_{bundles_.engines()};
};

TEST_F(HealthTest, IsNotReadyWhileStarting) {
  LoadModel();
  const Health health(options_, live_);
  EXPECT_EQ(health.UnreadyReason(), "starting");
  EXPECT_EQ(Status(health), "fail");
}

TEST_F(HealthTest, IsNotReadyWithoutAModel) {
  EXPECT_EQ(Serving()->UnreadyReason(), "models");
}

TEST_F(HealthTest, PassesWhenModelsAreReady) {
  LoadModel();
  const auto made = Serving();
  const Health& health = *made;
  EXPECT_EQ(health.UnreadyReason(), "");
  EXPECT_EQ(Status(health), "pass");
  EXPECT_EQ(health.Report().Find("state")->string(), "serving");
}

TEST_F(HealthTest, ALaterFailureToLoadWarnsButKeepsServing) {
  LoadModel();
  const auto made = Serving();
  const Health& health = *made;
  EXPECT_EQ(health.UnreadyReason(), "");
  EXPECT_FALSE(live_.Load(bundles_.folder() / "missing"));
  EXPECT_EQ(health.UnreadyReason(), "");
  EXPECT_EQ(Verdict(health, "models"), "warn");
}

TEST_F(HealthTest, ItsDrainIsNotReady) {
  LoadModel();
  const auto made = Serving();
  Health& health = *made;
  health.BeginDrain();
  EXPECT_EQ(health.UnreadyReason(), "draining");
  EXPECT_EQ(health.Report().Find("state")->string(), "draining");
}

TEST_F(HealthTest, MemoryIsJudgedAgainstTheLimit) {
  LoadModel();
  const auto made = Serving();
  const Health& health = *made;
  resident_ = 900;
  EXPECT_EQ(Verdict(health, "memory"), "warn");
  EXPECT_EQ(health.UnreadyReason(), "");
  resident_ = 980;
  EXPECT_EQ(Verdict(health, "memory"), "fail");
  EXPECT_EQ(health.UnreadyReason(), "memory");
}

TEST_F(HealthTest, WithoutALimitMemoryHasNoVerdictToFail) {
  options_.memory_limit.reset();
  resident_ = 1 << 30;
  LoadModel();
  EXPECT_EQ(Verdict(*Serving(), "memory"), "pass");
}

TEST_F(HealthTest, ErrorsAreThoseOfTheLastMinute) {
  LoadModel();
  const auto made = Serving();
  Health& health = *made;
  for (int i = 0; i < 10; ++i) health.Record(0, milliseconds(1), i < 6 ? 500 : 200);
  EXPECT_EQ(Verdict(health, "errors"), "fail");
  EXPECT_EQ(health.UnreadyReason(), "errors");
  clock_.Advance(seconds(70));
  EXPECT_EQ(Verdict(health, "errors"), "pass");
  EXPECT_EQ(health.UnreadyReason(), "");
}

TEST_F(HealthTest, AServerThatRefusesMostOfWhatIsAskedIsNotWell) {
  options_.thresholds.overload.fail = 0.5;
  LoadModel();
  const auto made = Serving();
  Health& health = *made;
  for (int i = 0; i < 100; ++i) health.Record(0, milliseconds(1), i < 10 ? 429 : 200);
  EXPECT_EQ(Verdict(health, "overload"), "warn");
  EXPECT_EQ(health.UnreadyReason(), "");
  for (int i = 0; i < 100; ++i) health.Record(0, milliseconds(1), 429);
  EXPECT_EQ(Verdict(health, "overload"), "fail");
  EXPECT_EQ(health.UnreadyReason(), "overload");
  clock_.Advance(seconds(70));
  EXPECT_EQ(health.UnreadyReason(), "");
}

TEST_F(HealthTest, WhatCallersGotWrongIsNoError) {
  LoadModel();
  const auto made = Serving();
  Health& health = *made;
  for (int i = 0; i < 10; ++i) health.Record(0, milliseconds(1), 422);
  EXPECT_EQ(Status(health), "pass");
}

TEST_F(HealthTest, LatencyIsJudgedByItsNinetyNinthPercentile) {
  LoadModel();
  const auto made = Serving();
  Health& health = *made;
  for (int i = 0; i < 100; ++i) health.Record(0, milliseconds(200), 200);
  EXPECT_EQ(Verdict(health, "latency"), "warn");
  for (int i = 0; i < 100; ++i) health.Record(0, milliseconds(1200), 200);
  EXPECT_EQ(Verdict(health, "latency"), "fail");
}

TEST_F(HealthTest, ThresholdsMayChangeWhileItServes) {
  LoadModel();
  const auto health = Serving();
  resident_ = 500;
  EXPECT_EQ(Verdict(*health, "memory"), "pass");
  health->SetThresholds({.memory = {0.2, 0.4}});
  EXPECT_EQ(Verdict(*health, "memory"), "fail");
  EXPECT_EQ(health->UnreadyReason(), "memory");
  health->SetThresholds({.memory = {0.2, std::nullopt}});
  EXPECT_EQ(health->UnreadyReason(), "");
}

TEST_F(HealthTest, AStuckLoopFails) {
  LoadModel();
  const auto made = Serving();
  Health& health = *made;
  health.loop_lag().Record(0, clock_.Now(), seconds(3));
  EXPECT_EQ(health.UnreadyReason(), "event_loop");
}

}  // namespace
}  // namespace slipway::serving
