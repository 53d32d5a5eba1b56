#include "live/next_step.h"

#include <gtest/gtest.h>

#include <vector>

namespace slipway::live {
namespace {

using enum ModelState;
using Kind = Step::Kind;
using std::chrono::seconds;

constexpr base::SteadyTime kNow{seconds(1000)};
constexpr base::Bytes kBudget{100};

ModelStatus Version(int64_t id, ModelState state, bool wanted, std::string name = "iris") {
  ModelStatus status;
  status.id = id;
  status.state = state;
  status.wanted = wanted;
  status.name = std::move(name);
  status.since = kNow;
  return status;
}

Step Next(std::vector<ModelStatus> versions) {
  return NextStep(versions, kNow, kBudget);
}

TEST(NextStep, LoadsWhatIsWanted) {
  EXPECT_EQ(Next({Version(1, kWanted, true, "")}), (Step{Kind::kLoad, 1}));
  EXPECT_EQ(Next({}), Step{});
  EXPECT_EQ(Next({Version(1, kReady, true)}), Step{});
}

TEST(NextStep, KeepsTheOldVersionUntilTheNewOneIsReady) {
  EXPECT_EQ(Next({Version(1, kReady, false), Version(2, kWanted, true, "")}), (Step{Kind::kLoad, 2}));
  EXPECT_EQ(Next({Version(1, kReady, false), Version(2, kLoading, true, "")}), Step{});
  EXPECT_EQ(Next({Version(1, kReady, false), Version(2, kReady, true)}), (Step{Kind::kWithdraw, 1}));
}

TEST(NextStep, KeepsTheOldVersionWhenTheNewOneFails) {
  EXPECT_EQ(Next({Version(1, kReady, false), Version(2, kFailed, true)}), Step{});
  EXPECT_EQ(Next({Version(1, kReady, false), Version(2, kFailed, true, "")}), Step{});  // whose name is not known
}

TEST(NextStep, DoesNotWaitForFailuresOfOtherNames) {
  EXPECT_EQ(Next({Version(1, kReady, false), Version(2, kFailed, true, "other")}), (Step{Kind::kWithdraw, 1}));
}

TEST(NextStep, OneReadyReplacementIsEnough) {
  EXPECT_EQ(Next({Version(1, kReady, false), Version(2, kFailed, true), Version(3, kReady, true)}),
            (Step{Kind::kWithdraw, 1}));
}

TEST(NextStep, WithdrawsWhatNobodyWants) {
  EXPECT_EQ(Next({Version(1, kReady, false)}), (Step{Kind::kWithdraw, 1}));
  EXPECT_EQ(Next({Version(1, kFailed, false)}), (Step{Kind::kDrop, 1}));
  EXPECT_EQ(Next({Version(1, kWanted, false, "")}), (Step{Kind::kDrop, 1}));
}

TEST(NextStep, BringsAResidentVersionBackBeforeAnythingElse) {
  EXPECT_EQ(Next({Version(1, kReady, false), Version(2, kResident, true), Version(3, kWanted, true)}),
            (Step{Kind::kPublish, 2}));
}

TEST(NextStep, DropsTheOldestResidentsPastTheBudget) {
  auto older = Version(1, kResident, false), newer = Version(2, kResident, false);
  older.bytes = newer.bytes = 60;
  newer.since = kNow + seconds(1);
  EXPECT_EQ(Next({newer, older}), (Step{Kind::kDrop, 1}));
  EXPECT_EQ(Next({newer}), Step{});
}

TEST(NextStep, TriesAgainOnlyWhenItIsTime) {
  auto failed = Version(1, kFailed, true);
  EXPECT_EQ(Next({failed}), Step{});
  failed.next_try = kNow;
  EXPECT_EQ(Next({failed}), (Step{Kind::kLoad, 1}));
}

TEST(Lifecycle, HasNoOtherArrowsThanItsPicture) {
  EXPECT_TRUE(MayFollow(kWanted, kLoading));
  EXPECT_TRUE(MayFollow(kFailed, kLoading));
  EXPECT_TRUE(MayFollow(kResident, kReady));
  EXPECT_FALSE(MayFollow(kFailed, kReady));
  EXPECT_FALSE(MayFollow(kWanted, kReady));
  EXPECT_FALSE(MayFollow(kDraining, kReady));
  EXPECT_FALSE(MayFollow(kReady, kLoading));
  EXPECT_FALSE(MayFollow(kGone, kWanted));
}

}  // namespace
}  // namespace slipway::live
