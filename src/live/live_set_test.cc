#include "live/live_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/machine.h"
#include "live/sum_bundle_fake.h"

namespace slipway::live {
namespace {

using testing::HasSubstr;

class LiveSetTest : public testing::Test {
 protected:
  std::string Resolved(std::string_view reference) {
    const auto model = live_.Current()->Resolve(reference);
    return model ? (*model)->version_text : model.error().reason;
  }
  SumBundles bundles_;
  LiveSet live_{bundles_.engines()};
};

TEST_F(LiveSetTest, ALoadedBundleIsServed) {
  EXPECT_FALSE(live_.Ready());
  ASSERT_TRUE(live_.Load(bundles_.Write("sum", "1.0.0")));
  EXPECT_TRUE(live_.Ready());
  const auto model = live_.Current()->Resolve("sum");
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_EQ((*model)->version_text, "1.0.0");
  EXPECT_THAT((*model)->digest, testing::StartsWith("sha256:"));
  EXPECT_EQ(live_.Statuses()[0].state, ModelState::kReady);
}

TEST_F(LiveSetTest, ReferencesChooseAmongLoadedVersions) {
  for (const char* version : {"1.0.0", "1.2.0", "1.2.3", "2.0.0-rc.1"}) {
    ASSERT_TRUE(live_.Load(bundles_.Write("sum", version)));
  }
  EXPECT_EQ(Resolved("sum"), "1.2.3");
  EXPECT_EQ(Resolved("sum@stable"), "1.2.3");
  EXPECT_EQ(Resolved("sum@1.2"), "1.2.3");
  EXPECT_EQ(Resolved("sum@^1.0"), "1.2.3");
  EXPECT_EQ(Resolved("sum@1.0.0"), "1.0.0");
  EXPECT_EQ(Resolved("sum@2.0.0-rc.1"), "2.0.0-rc.1");
  EXPECT_EQ(Resolved("sum@2"), "model.version_unknown");
  EXPECT_EQ(Resolved("sum@candidate"), "model.version_unknown");
  EXPECT_EQ(Resolved("summ"), "model.unknown");
  EXPECT_EQ(Resolved("sum@"), "model.reference");
}

TEST_F(LiveSetTest, UnknownNamesAndVersionsShowTheWayOut) {
  ASSERT_TRUE(live_.Load(bundles_.Write("flight-delay", "1.0.0")));
  EXPECT_THAT(live_.Current()->Resolve("flight-dely").error().message, HasSubstr("did you mean \"flight-delay\"?"));
  EXPECT_THAT(live_.Current()->Resolve("flight-delay@3").error().message, HasSubstr("loaded are 1.0.0"));
}

TEST_F(LiveSetTest, OnlyPrereleasesStillServeTheirName) {
  ASSERT_TRUE(live_.Load(bundles_.Write("sum", "1.0.0-rc.1")));
  EXPECT_EQ(Resolved("sum"), "1.0.0-rc.1");
}

TEST_F(LiveSetTest, AFailingBundleIsAnErrorAndASpotOnReadiness) {
  ASSERT_TRUE(live_.Load(bundles_.Write("sum", "1.0.0")));
  const auto loaded = live_.Load(bundles_.folder() / "nothing");
  ASSERT_FALSE(loaded);
  EXPECT_FALSE(live_.Ready());
  EXPECT_EQ(live_.Statuses()[1].state, ModelState::kFailed);
  EXPECT_EQ(live_.Statuses()[1].error.reason, loaded.error().reason);
  EXPECT_EQ(Resolved("sum"), "1.0.0");
}

TEST_F(LiveSetTest, TheSameBundleTwiceIsServedOnce) {
  const auto path = bundles_.Write("sum", "1.0.0");
  ASSERT_TRUE(live_.Load(path));
  const auto generation = live_.generation();
  ASSERT_TRUE(live_.Load(path));
  EXPECT_EQ(live_.generation(), generation);
  EXPECT_EQ(live_.Current()->Find("sum")->versions.size(), 1u);
}

TEST_F(LiveSetTest, AnotherBundleOfTheSameVersionIsRefused) {
  ASSERT_TRUE(live_.Load(bundles_.Write("sum", "1.0.0")));
  const auto loaded = live_.Load(bundles_.Write("sum", "1.0.0", "description: another\n"));
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().reason, "live.version_conflict");
}

TEST_F(LiveSetTest, AWrongGoldenRecordKeepsABundleOut) {
  const auto right = R"({"record":{"a":1,"b":2,"kind":"x"},"prediction":{"sum":3.0,"large":false}})";
  ASSERT_TRUE(live_.Load(bundles_.Write("right", "1.0.0", "", right)));
  EXPECT_EQ(live_.Current()->Find("right")->stable->golden.checked, 1);
  const auto wrong = R"({"record":{"a":1,"b":2,"kind":"x"},"prediction":{"sum":4.0,"large":false}})";
  const auto loaded = live_.Load(bundles_.Write("wrong", "1.0.0", "", wrong));
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().reason, "bundle.golden_mismatch");
  EXPECT_THAT(loaded.error().message, HasSubstr("record 0 gives {\"sum\":3.0"));
}

TEST_F(LiveSetTest, NumbersMayDifferInTheirLastBitsOnAnotherKindOfCpu) {
  const auto packed_on = [](const std::string& cpu, const std::string& sum) {
    return "{\"cpu\":\"" + cpu + R"("}
{"record":{"a":1,"b":2,"kind":"x"},"prediction":{"sum":)" +
           sum + R"(,"large":false}})";
  };
  ASSERT_TRUE(live_.Load(bundles_.Write("near", "1.0.0", "", packed_on("vax", "3.0000002"))));
  const auto& golden = live_.Current()->Find("near")->stable->golden;
  EXPECT_EQ(golden.near, 1);
  EXPECT_EQ(golden.packed_on, "vax");
  EXPECT_EQ(golden.worst.field, "sum");
  EXPECT_EQ(golden.worst.record, 0);
  EXPECT_NEAR(golden.worst.share, 6.7e-8, 1e-9);
  const auto far = live_.Load(bundles_.Write("far", "1.0.0", "", packed_on("vax", "3.003")));
  ASSERT_FALSE(far);
  EXPECT_THAT(far.error().message, HasSubstr("made on vax"));
  EXPECT_THAT(far.error().message, HasSubstr("golden.tolerance"));
  EXPECT_FALSE(live_.Load(bundles_.Write("same", "1.0.0", "", packed_on(base::CpuKind(), "3.0000002"))));
  EXPECT_FALSE(
      live_.Load(bundles_.Write("strict", "1.0.0", "golden: {tolerance: 0}\n", packed_on("vax", "3.0000002"))));
}

TEST_F(LiveSetTest, ReadersSeeEveryPublicationAndKeepWhatTheyHold) {
  std::atomic<bool> done = false;
  std::atomic<int> torn = 0;
  std::jthread reading([&] {
    LiveReader reader(live_);
    size_t most = 0;
    while (!done) {
      const auto* entry = reader.Current().Find("sum");
      const size_t count = entry == nullptr ? 0 : entry->versions.size();
      torn += count < most || (entry != nullptr && entry->stable == nullptr) ? 1 : 0;
      most = count;
    }
  });
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(live_.Load(bundles_.Write("sum", "1." + std::to_string(i) + ".0")));
  done = true;
  reading.join();
  EXPECT_EQ(torn, 0);
  bool changed = false;
  LiveReader late(live_);
  EXPECT_EQ(late.Current(&changed).Find("sum")->versions.size(), 10u);
  EXPECT_TRUE(changed);
  late.Current(&changed);
  EXPECT_FALSE(changed);
}

}  // namespace
}  // namespace slipway::live
