#include "live/live_controller.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <optional>

#include "live/bundle_folder.h"
#include "live/bundle_list.h"
#include "live/sum_bundle_fake.h"

namespace slipway::live {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

class LiveControllerTest : public testing::Test {
 protected:
  LiveController& Controller(base::Bytes resident = {int64_t{1} << 40}) {
    LiveControllerOptions options;
    options.resident = resident;
    options.clock = &clock_;
    options.look_every = std::chrono::milliseconds(1);
    controller_.emplace(live_, metrics_, telemetry::Log::Discard(), options);
    controller_->Follow(list_);
    return *controller_;
  }
  void Serve(std::vector<fs::path> paths) {
    list_.Set(std::move(paths));
    controller_->Settle();
  }
  std::string Resolved(std::string_view reference) {
    const auto model = live_.Current()->Resolve(reference);
    return model ? (*model)->version_text : model.error().reason;
  }
  /// "1.0.0 ready", … in the order admitted.
  std::vector<std::string> States() {
    std::vector<std::string> states;
    for (const auto& status : live_.Statuses()) {
      states.push_back(status.version + " " + std::string(ModelStateName(status.state)));
    }
    return states;
  }
  base::Result<void> Await(void (LiveController::*call)(std::string, LiveController::Done), std::string name) {
    std::promise<base::Result<void>> promise;
    (controller_.value().*call)(std::move(name), [&](const base::Result<void>& result) { promise.set_value(result); });
    return promise.get_future().get();
  }

  SumBundles bundles_;
  base::ManualClock clock_;
  telemetry::MetricRegistry metrics_;
  LiveSet live_{bundles_.engines(), {.clock = &clock_}};
  BundleList list_;
  std::optional<LiveController> controller_;
};

constexpr const char* kWrongGolden = R"({"record":{"a":1,"b":2,"kind":"x"},"prediction":{"sum":4.0,"large":false}})";

TEST_F(LiveControllerTest, SwapsOneVersionForAnother) {
  Controller();
  Serve({bundles_.Write("sum", "1.0.0")});
  EXPECT_EQ(Resolved("sum"), "1.0.0");
  Serve({bundles_.Write("sum", "1.1.0")});
  EXPECT_EQ(Resolved("sum"), "1.1.0");
  EXPECT_EQ(Resolved("sum@1.0.0"), "model.version_unknown");
  EXPECT_THAT(States(), ElementsAre("1.0.0 resident", "1.1.0 ready"));
}

TEST_F(LiveControllerTest, AVersionThatFailsItsGoldenRecordsNeverTakesTraffic) {
  Controller();
  Serve({bundles_.Write("sum", "1.0.0")});
  Serve({bundles_.Write("sum", "1.1.0", "", kWrongGolden)});
  EXPECT_EQ(Resolved("sum"), "1.0.0");
  EXPECT_THAT(States(), ElementsAre("1.0.0 ready", "1.1.0 failed"));
  EXPECT_EQ(live_.Statuses()[1].error.reason, "bundle.golden_mismatch");
  std::string text;
  metrics_.WriteText(text);
  EXPECT_THAT(text, HasSubstr("slipway_model_loads_total{outcome=\"failed\"} 1"));
  EXPECT_THAT(text, HasSubstr("slipway_model_load_failures_total{reason=\"bundle.golden_mismatch\"} 1"));
  EXPECT_THAT(text, HasSubstr("slipway_versions_failed 1"));
}

TEST_F(LiveControllerTest, ABrokenReplacementOfUnknownNameLeavesEverythingAsItIs) {
  Controller();
  Serve({bundles_.Write("sum", "1.0.0"), bundles_.Write("other", "1.0.0")});
  Serve({bundles_.folder() / "nothing"});
  EXPECT_EQ(Resolved("sum"), "1.0.0");
  EXPECT_EQ(Resolved("other"), "1.0.0");
}

TEST_F(LiveControllerTest, RollingBackTakesNoLoading) {
  Controller();
  const auto one = bundles_.Write("sum", "1.0.0"), two = bundles_.Write("sum", "2.0.0");
  int runs = 0;
  Serve({one});
  Serve({two});
  bundles_.run_hook = [&]() -> base::Result<void> {
    ++runs;
    return {};
  };
  Serve({one});
  EXPECT_EQ(Resolved("sum"), "1.0.0");
  EXPECT_THAT(States(), ElementsAre("1.0.0 ready", "2.0.0 resident"));
  EXPECT_EQ(runs, 0);
}

TEST_F(LiveControllerTest, VersionsPastTheBudgetAreUnloadedWhenNoRequestHoldsThem) {
  Controller({-1});
  Serve({bundles_.Write("sum", "1.0.0")});
  auto held = *live_.Current()->Resolve("sum");
  Serve({bundles_.Write("sum", "2.0.0")});
  EXPECT_THAT(States(), ElementsAre("1.0.0 draining", "2.0.0 ready"));
  held = nullptr;
  controller_->Settle();
  EXPECT_THAT(States(), ElementsAre("2.0.0 ready"));
}

TEST_F(LiveControllerTest, ABudgetOfNothingKeepsNothing) {
  Controller({0});
  for (int i = 0; i < 20; ++i) {
    Serve({bundles_.Write("sum", "1." + std::to_string(i) + ".0")});
    controller_->Settle();
    EXPECT_THAT(States(), ElementsAre("1." + std::to_string(i) + ".0 ready"));
  }
}

TEST_F(LiveControllerTest, WhoCountsForAVersionHearsThatItWasUnloaded) {
  std::vector<std::string> heard;
  live_.OnUnload([&](const LiveSet::Unloaded& gone) { heard.push_back(gone.name + "@" + gone.version); });
  Controller({-1});
  const auto one = bundles_.Write("sum", "1.0.0"), copy = bundles_.Write("sum", "1.0.0");
  Serve({one});
  Serve({copy});
  controller_->Settle();
  EXPECT_THAT(heard, ElementsAre());  // the same version is served still
  EXPECT_THAT(States(), ElementsAre("1.0.0 ready"));
  Serve({bundles_.Write("sum", "2.0.0")});
  controller_->Settle();
  EXPECT_THAT(heard, ElementsAre("sum@1.0.0"));
}

TEST_F(LiveControllerTest, ANameThatNobodyWantsIsWithdrawn) {
  Controller();
  Serve({bundles_.Write("sum", "1.0.0"), bundles_.Write("other", "1.0.0")});
  Serve({});
  EXPECT_EQ(Resolved("sum"), "model.unknown");
  EXPECT_TRUE(live_.Current()->entries().empty());
}

TEST_F(LiveControllerTest, TheSameContentsUnderAnotherPathGoOnBeingServed) {
  Controller();
  const auto one = bundles_.Write("sum", "1.0.0"), copy = bundles_.Write("sum", "1.0.0");
  Serve({one});
  Serve({copy});
  EXPECT_EQ(Resolved("sum"), "1.0.0");
  Serve({one, copy});
  Serve({one});
  EXPECT_EQ(Resolved("sum"), "1.0.0");
}

TEST_F(LiveControllerTest, FaultsOfTheEnvironmentAreTriedAgainLaterAndLater) {
  Controller();
  bool scarce = true;
  int tries = 0;
  bundles_.load_hook = [&]() -> base::Result<void> {
    ++tries;
    if (scarce) return base::Fail(base::Code::kUnavailable, "engine.trial", "no processes left");
    return {};
  };
  Serve({bundles_.Write("sum", "1.0.0")});
  controller_->Settle();
  EXPECT_EQ(tries, 1);
  clock_.Advance(seconds(1));
  controller_->Settle();
  EXPECT_EQ(tries, 2);
  clock_.Advance(seconds(1));
  controller_->Settle();
  EXPECT_EQ(tries, 2);  // the second wait is twice as long
  scarce = false;
  clock_.Advance(seconds(1));
  controller_->Settle();
  EXPECT_EQ(Resolved("sum"), "1.0.0");
}

TEST_F(LiveControllerTest, AThreadOfItsOwnFollowsTheSources) {
  auto& controller = Controller();
  controller.Start();
  std::promise<void> served;
  live_.OnChange([&] { served.set_value(); });
  list_.Set({bundles_.Write("sum", "1.0.0")});
  controller.LookNow();
  served.get_future().wait();
  EXPECT_EQ(Resolved("sum"), "1.0.0");
}

TEST_F(LiveControllerTest, NamesCanBeSwitchedOffAndOn) {
  auto& controller = Controller();
  Serve({bundles_.Write("sum", "1.0.0"), bundles_.Write("other", "1.0.0")});
  controller.Start();
  EXPECT_TRUE(Await(&LiveController::SwitchOff, "sum"));
  EXPECT_EQ(Resolved("sum"), "model.unknown");
  EXPECT_EQ(Resolved("other"), "1.0.0");
  EXPECT_EQ(Await(&LiveController::SwitchOff, "summ").error().reason, "model.unknown");
  EXPECT_TRUE(Await(&LiveController::SwitchOn, "sum"));
  EXPECT_EQ(Resolved("sum"), "1.0.0");
  EXPECT_EQ(Await(&LiveController::SwitchOn, "nothing").error().reason, "live.not_listed");
}

TEST_F(LiveControllerTest, ANameIsSwitchedOnAgainWhileRequestsHoldWhatWasSwitchedOff) {
  auto& controller = Controller({0});
  Serve({bundles_.Write("sum", "1.0.0")});
  const auto held = live_.Current();
  controller.Start();
  ASSERT_TRUE(Await(&LiveController::SwitchOff, "sum"));
  EXPECT_THAT(States(), ElementsAre("1.0.0 draining"));
  const auto on = Await(&LiveController::SwitchOn, "sum");
  EXPECT_TRUE(on) << on.error().Text();
  EXPECT_EQ(Resolved("sum"), "1.0.0");
}

TEST_F(LiveControllerTest, ANewVersionOfANameThatIsOffWaits) {
  auto& controller = Controller();
  const auto one = bundles_.Write("sum", "1.0.0"), two = bundles_.Write("sum", "2.0.0");
  Serve({one});
  controller.Start();
  ASSERT_TRUE(Await(&LiveController::SwitchOff, "sum"));
  list_.Set({one, two});
  ASSERT_TRUE(Await(&LiveController::SwitchOff, "sum"));
  EXPECT_EQ(Resolved("sum"), "model.unknown");
  ASSERT_TRUE(Await(&LiveController::SwitchOn, "sum"));
  EXPECT_EQ(Resolved("sum"), "2.0.0");
}

TEST_F(LiveControllerTest, SwitchingOnTellsWhyAVersionCannotBeLoaded) {
  auto& controller = Controller();
  Serve({bundles_.Write("sum", "1.1.0", "", kWrongGolden)});
  controller.Start();
  EXPECT_EQ(Await(&LiveController::SwitchOn, "sum").error().reason, "bundle.golden_mismatch");
}

class BundleFolderTest : public testing::Test {
 protected:
  void Put(const std::string& name, const std::string& text = "x") {
    ASSERT_TRUE(base::WriteFileAtomically(folder_.path() / name, text));
  }
  std::vector<std::string> Listed() {
    std::vector<std::string> names;
    const auto bundles = source_->Read();
    if (!bundles) return {bundles.error().reason};
    for (const auto& bundle : *bundles) names.push_back(bundle.path.filename());
    return names;
  }
  base::TemporaryFolder folder_ = *base::TemporaryFolder::Create();
  base::Result<BundleFolder> source_ = BundleFolder::Open(folder_.path());
};

TEST_F(BundleFolderTest, ListsArchivesAndFoldersWithAManifest) {
  Put("a-1.0.0.slipway");
  Put(".hidden.slipway");
  Put("notes.txt");
  fs::create_directory(folder_.path() / "b");
  fs::create_directory(folder_.path() / "empty");
  Put("b/slipway.yaml");
  EXPECT_THAT(Listed(), ElementsAre("a-1.0.0.slipway", "b"));
}

TEST_F(BundleFolderTest, WhatComesLaterCountsOnceItLooksTheSameTwice) {
  EXPECT_THAT(Listed(), ElementsAre());
  Put("a.slipway", "half");
  EXPECT_THAT(Listed(), ElementsAre());
  Put("a.slipway", "half and half");
  EXPECT_THAT(Listed(), ElementsAre());
  EXPECT_THAT(Listed(), ElementsAre("a.slipway"));
}

TEST_F(BundleFolderTest, AChangeKeepsTheOldStampUntilItHasSettled) {
  Put("a.slipway");
  const auto before = (*source_->Read())[0].stamp;
  Put("a.slipway", "longer");
  EXPECT_EQ((*source_->Read())[0].stamp, before);
  EXPECT_NE((*source_->Read())[0].stamp, before);
}

TEST_F(BundleFolderTest, WhatIsRemovedIsNotListedOnceItWasGoneTwice) {
  Put("a.slipway");
  EXPECT_THAT(Listed(), ElementsAre("a.slipway"));
  fs::remove(folder_.path() / "a.slipway");
  EXPECT_THAT(Listed(), ElementsAre("a.slipway"));
  EXPECT_THAT(Listed(), ElementsAre());
}

TEST_F(BundleFolderTest, ALookThatSawNeitherTheOldNorTheNewLeavesNoGap) {
  Put("a-1.slipway");
  EXPECT_THAT(Listed(), ElementsAre("a-1.slipway"));
  fs::remove(folder_.path() / "a-1.slipway");
  EXPECT_THAT(Listed(), ElementsAre("a-1.slipway"));
  Put("a-2.slipway");
  EXPECT_THAT(Listed(), ElementsAre("a-1.slipway"));
  EXPECT_THAT(Listed(), ElementsAre("a-2.slipway"));
}

TEST_F(BundleFolderTest, WhatComesBackAsItWasWasNeverGone) {
  Put("a.slipway");
  EXPECT_THAT(Listed(), ElementsAre("a.slipway"));
  fs::rename(folder_.path() / "a.slipway", folder_.path() / ".a");
  EXPECT_THAT(Listed(), ElementsAre("a.slipway"));
  fs::rename(folder_.path() / ".a", folder_.path() / "a.slipway");
  EXPECT_THAT(Listed(), ElementsAre("a.slipway"));
  EXPECT_THAT(Listed(), ElementsAre("a.slipway"));
}

TEST_F(BundleFolderTest, WhatIsRemovedCountsUntilItsReplacementHasSettled) {
  Put("a-1.slipway");
  EXPECT_THAT(Listed(), ElementsAre("a-1.slipway"));
  Put("a-2.slipway");
  fs::remove(folder_.path() / "a-1.slipway");
  EXPECT_THAT(Listed(), ElementsAre("a-1.slipway"));
  EXPECT_THAT(Listed(), ElementsAre("a-2.slipway"));
}

TEST_F(BundleFolderTest, AMissingFolderIsAnErrorAndListsNothingNew) {
  EXPECT_EQ(BundleFolder::Open(folder_.path() / "none").error().reason, "live.folder");
  fs::remove_all(folder_.path());
  EXPECT_THAT(Listed(), ElementsAre("live.folder"));
}

}  // namespace
}  // namespace slipway::live
