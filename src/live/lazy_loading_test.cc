// Versions that are loaded when they are called, stepped by hand.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <map>

#include "live/bundle_list.h"
#include "live/live_controller.h"
#include "live/sum_bundle_fake.h"

namespace slipway::live {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;
using testing::ElementsAre;

constexpr const char* kWrongGolden = R"({"record":{"a":1,"b":2,"kind":"x"},"prediction":{"sum":4.0,"large":false}})";
/// A model of the fake takes as much as any small one: a mebibyte.
constexpr int64_t kOne = 1 << 20;

class LazyLoadingTest : public testing::Test {
 protected:
  void SetUp() override {
    bundles_.load_hook = [this]() -> base::Result<void> {
      ++loads_;
      return failure_ ? std::unexpected(*failure_) : base::Result<void>();
    };
    controller_.Follow(list_);
    controller_.ReadUse([this](const ModelStatus& version) { return use_[version.name]; });
    live_.OnUnload([this](const LiveSet::Unloaded& gone) {
      unloaded_.push_back(gone.name + (gone.known_still ? " kept" : " forgotten"));
    });
  }
  void Serve(std::vector<fs::path> paths) {
    list_.Set(std::move(paths));
    controller_.Settle();
  }
  /// As if `name` had been called, and nothing else since.
  void Call(const std::string& name) {
    clock_.Advance(seconds(1));
    use_[name].waiting = 1;
    controller_.Settle();
    use_[name] = {.last = clock_.Now()};
    controller_.Settle();
  }
  std::vector<std::string> States() {
    std::vector<std::string> states;
    for (const auto& status : live_.Statuses()) {
      states.push_back(status.name + "@" + status.version + " " + std::string(ModelStateName(status.state)));
    }
    return states;
  }
  std::shared_ptr<const LoadedModel> Find(std::string_view reference) {
    const auto found = live_.Current()->Resolve(reference);
    return found ? *found : nullptr;
  }

  SumBundles bundles_;
  base::ManualClock clock_;
  telemetry::MetricRegistry metrics_;
  LiveSet live_{bundles_.engines(), {.clock = &clock_, .resident_memory = [] { return base::Bytes{0}; }}};
  BundleList list_;
  std::map<std::string, ModelUse> use_;
  int loads_ = 0;
  std::optional<base::Error> failure_;
  std::vector<std::string> unloaded_;
  LiveController controller_{
      live_, metrics_, telemetry::Log::Discard(), {.lazy = true, .loaded = {2 * kOne}, .clock = &clock_}};
};

TEST_F(LazyLoadingTest, AVersionIsKnownAtOnceAndLoadedWhenItIsCalled) {
  Serve({bundles_.Write("sum", "1.0.0")});
  EXPECT_EQ(loads_, 0);
  EXPECT_THAT(States(), ElementsAre("sum@1.0.0 cold"));
  ASSERT_NE(Find("sum@^1.0"), nullptr);
  EXPECT_TRUE(Find("sum")->cold());
  EXPECT_TRUE(live_.Ready());
  Call("sum");
  EXPECT_EQ(loads_, 1);
  EXPECT_THAT(States(), ElementsAre("sum@1.0.0 ready"));
  EXPECT_FALSE(Find("sum")->cold());
}

TEST_F(LazyLoadingTest, TheOneCalledLongestAgoIsEvictedAndCanBeCalledAgain) {
  Serve({bundles_.Write("a", "1.0.0"), bundles_.Write("b", "1.0.0"), bundles_.Write("c", "1.0.0")});
  for (const char* name : {"a", "b", "a", "c"}) Call(name);
  EXPECT_THAT(States(), ElementsAre("a@1.0.0 ready", "b@1.0.0 cold", "c@1.0.0 ready"));
  EXPECT_THAT(unloaded_, ElementsAre("b kept"));
  EXPECT_TRUE(Find("b")->contract->whole);
  Call("b");
  EXPECT_THAT(States(), ElementsAre("a@1.0.0 cold", "b@1.0.0 ready", "c@1.0.0 ready"));
  EXPECT_EQ(loads_, 4);
}

TEST_F(LazyLoadingTest, WhatWasEvictedIsFreedWhenNoRequestHoldsIt) {
  Serve({bundles_.Write("a", "1.0.0"), bundles_.Write("b", "1.0.0"), bundles_.Write("c", "1.0.0")});
  Call("a");
  auto held = Find("a");
  Call("b");
  Call("c");
  EXPECT_THAT(unloaded_, ElementsAre());
  Serve({});  // nor is what was counted for it
  EXPECT_THAT(unloaded_, testing::Not(testing::Contains("a forgotten")));
  held = nullptr;
  controller_.Settle();
  controller_.Settle();
  EXPECT_THAT(unloaded_, testing::IsSupersetOf({"a kept", "a forgotten"}));
}

TEST_F(LazyLoadingTest, ASwapWhileColdLoadsNothing) {
  const auto old = bundles_.Write("sum", "1.0.0");
  Serve({old});
  Serve({bundles_.Write("sum", "1.1.0")});
  EXPECT_EQ(loads_, 0);
  EXPECT_THAT(States(), ElementsAre("sum@1.1.0 cold"));
  Call("sum");
  EXPECT_EQ(Find("sum")->version_text, "1.1.0");
}

TEST_F(LazyLoadingTest, TheReplacementOfALoadedVersionIsLoadedBeforeItIsShown) {
  Serve({bundles_.Write("sum", "1.0.0")});
  Call("sum");
  std::vector<std::string> seen;
  live_.OnChange([&] { seen.push_back(Find("sum")->version_text + (Find("sum")->cold() ? " cold" : "")); });
  Serve({bundles_.Write("sum", "1.1.0")});
  EXPECT_THAT(seen, testing::Not(testing::Contains("1.1.0 cold")));
  EXPECT_EQ(Find("sum")->version_text, "1.1.0");
  EXPECT_EQ(loads_, 2);
}

TEST_F(LazyLoadingTest, AReplacementThatFailsLeavesTheLoadedVersionInItsPlace) {
  Serve({bundles_.Write("sum", "1.0.0")});
  Call("sum");
  Serve({bundles_.Write("sum", "1.1.0", "", kWrongGolden)});
  EXPECT_EQ(Find("sum")->version_text, "1.0.0");
  EXPECT_THAT(States(), ElementsAre("sum@1.0.0 ready", "sum@1.1.0 failed"));
}

TEST_F(LazyLoadingTest, ALoadThatFailsIsNotRepeatedByEachCall) {
  Serve({bundles_.Write("sum", "1.0.0")});
  failure_ = base::Error{base::Code::kResourceExhausted, "engine.memory", "too little", ""};
  for (int i = 0; i < 3; ++i) controller_.Settle();
  use_["sum"].waiting = 1;
  for (int i = 0; i < 3; ++i) controller_.Settle();
  EXPECT_EQ(loads_, 1);
  EXPECT_EQ(Find("sum"), nullptr);
  const auto failed = live_.Current()->ResolveFailed("sum@1.0");
  ASSERT_NE(failed, nullptr);
  EXPECT_EQ(failed->failure->reason, "engine.memory");
  EXPECT_EQ(failed->next_try, clock_.Now() + seconds(1));
  failure_.reset();
  clock_.Advance(seconds(1));
  controller_.Settle();
  EXPECT_EQ(loads_, 2);
  EXPECT_FALSE(Find("sum")->cold());
  EXPECT_EQ(live_.Current()->ResolveFailed("sum"), nullptr);
}

TEST_F(LazyLoadingTest, WhenTheNewestVersionFailsAnOlderOneAnswers) {
  Serve({bundles_.Write("sum", "1.0.0"), bundles_.Write("sum", "1.1.0", "", kWrongGolden)});
  Call("sum");
  EXPECT_EQ(Find("sum")->version_text, "1.0.0");
  EXPECT_EQ(live_.Current()->ResolveFailed("sum@1.1.0")->failure->reason, "bundle.golden_mismatch");
}

TEST_F(LazyLoadingTest, FilesThatChangedSinceTheyWereFoundAreNotLoaded) {
  const auto path = bundles_.Write("sum", "1.0.0");
  Serve({path});
  ASSERT_TRUE(base::WriteFileAtomically(path / "model.onnx", "another"));
  use_["sum"].waiting = 1;
  controller_.Settle();
  EXPECT_EQ(live_.Statuses()[0].error.reason, "live.changed");
}

TEST_F(LazyLoadingTest, AskedByNameAVersionIsLoadedAtOnce) {
  Serve({bundles_.Write("sum", "1.0.0"), bundles_.Write("other", "1.0.0")});
  controller_.Start();
  std::promise<base::Result<void>> done;
  controller_.SwitchOn("sum", [&](const base::Result<void>& result) { done.set_value(result); });
  EXPECT_TRUE(done.get_future().get());
  controller_.Stop();
  EXPECT_THAT(States(), ElementsAre("other@1.0.0 cold", "sum@1.0.0 ready"));
}

TEST_F(LazyLoadingTest, AskedByNameWithoutRoomItIsSaid) {
  Serve({bundles_.Write("a", "1.0.0"), bundles_.Write("b", "1.0.0"), bundles_.Write("c", "1.0.0")});
  for (const char* name : {"a", "b"}) Call(name);
  use_["a"].in_flight = use_["b"].in_flight = 1;
  controller_.Start();
  std::promise<base::Result<void>> done;
  controller_.SwitchOn("c", [&](const base::Result<void>& result) { done.set_value(result); });
  EXPECT_EQ(done.get_future().get().error().reason, "live.memory");
  controller_.Stop();
}

}  // namespace
}  // namespace slipway::live
