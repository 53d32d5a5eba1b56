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
  return NextStep(versions, kNow, {.resident = kBudget});
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

/// Loaded long ago in a second, and called ten seconds ago.
ModelStatus Loaded(int64_t id, int64_t bytes, std::string name) {
  auto status = Version(id, kReady, true, std::move(name));
  status.bytes = bytes;
  status.load_time = seconds(1);
  status.since = kNow - seconds(500);
  status.use.last = kNow - seconds(10);
  return status;
}

/// One call waits for it.
ModelStatus Called(int64_t id, int64_t bytes, std::string name) {
  auto status = Version(id, kCold, true, std::move(name));
  status.bytes = bytes;
  status.shown = true;
  status.use.waiting = 1;
  return status;
}

Step NextLazily(std::vector<ModelStatus> versions) {
  return NextStep(versions, kNow, {.resident = kBudget, .lazy = true, .loaded = kBudget});
}

TEST(NextLazyStep, OpensWhatIsWantedAndLoadsWhatIsCalled) {
  EXPECT_EQ(NextLazily({Version(1, kWanted, true, "")}), (Step{Kind::kKnow, 1}));
  auto cold = Called(1, 10, "iris");
  EXPECT_EQ(NextLazily({cold}), (Step{Kind::kLoad, 1}));
  cold.use.waiting = 0;
  EXPECT_EQ(NextLazily({cold}), Step{});
  cold.asked = true;
  EXPECT_EQ(NextLazily({cold}), (Step{Kind::kLoad, 1}));
}

TEST(NextLazyStep, LoadsWhatMostCallsWaitForAndFirstWhatWasAskedForByItself) {
  auto few = Called(1, 10, "a"), many = Called(2, 10, "b"), asked = Called(3, 10, "c");
  many.use.waiting = 5;
  asked.asked = true;
  EXPECT_EQ(NextLazily({few, many}), (Step{Kind::kLoad, 2}));
  EXPECT_EQ(NextLazily({few, many, asked}), (Step{Kind::kLoad, 3}));
}

TEST(NextLazyStep, TheOneCalledLongestAgoMakesRoom) {
  auto idle = Loaded(1, 50, "a"), busy = Loaded(2, 50, "b");
  idle.use.last = kNow - seconds(20);
  EXPECT_EQ(NextLazily({busy, idle, Called(3, 10, "c")}), (Step{Kind::kEvict, 1}));
  EXPECT_EQ(NextLazily({busy, Called(3, 10, "c")}), (Step{Kind::kLoad, 3}));  // there is room
}

TEST(NextLazyStep, WhatTakesLongToLoadStaysLonger) {
  auto slow = Loaded(1, 50, "a"), quick = Loaded(2, 50, "b");
  slow.use.last = kNow - seconds(20);
  slow.load_time = seconds(4);
  EXPECT_EQ(NextLazily({slow, quick, Called(3, 10, "c")}), (Step{Kind::kEvict, 2}));
}

TEST(NextLazyStep, WhatTakesMoreMemoryLeavesSooner) {
  EXPECT_EQ(NextLazily({Loaded(1, 40, "a"), Loaded(2, 60, "b"), Called(3, 10, "c")}), (Step{Kind::kEvict, 2}));
}

TEST(NextLazyStep, NeitherCallsInFlightNorAFreshLoadAreCutShort) {
  auto in_use = Loaded(1, 50, "a"), fresh = Loaded(2, 50, "b");
  in_use.use.in_flight = 1;
  fresh.since = kNow - std::chrono::milliseconds(900);
  EXPECT_EQ(NextLazily({in_use, fresh, Called(3, 10, "c")}), Step{});
  fresh.since = kNow - seconds(1);
  EXPECT_EQ(NextLazily({in_use, fresh, Called(3, 10, "c")}), (Step{Kind::kEvict, 2}));
}

TEST(NextLazyStep, WhatIsLargerThanAllMemoryIsLoadedAlone) {
  const auto large = Called(2, 150, "large");
  EXPECT_EQ(NextLazily({Loaded(1, 10, "a"), large}), (Step{Kind::kEvict, 1}));
  EXPECT_EQ(NextLazily({large}), (Step{Kind::kLoad, 2}));
  EXPECT_EQ(NextLazily({Loaded(2, 150, "large")}), Step{});
  EXPECT_EQ(NextLazily({Loaded(2, 150, "large"), Called(1, 10, "a")}), (Step{Kind::kEvict, 2}));
}

TEST(NextLazyStep, WhatTookMoreThanWasThoughtHasAnotherLeave) {
  auto idle = Loaded(1, 60, "a");
  idle.use.last = kNow - seconds(30);
  EXPECT_EQ(NextLazily({idle, Loaded(2, 60, "b")}), (Step{Kind::kEvict, 1}));
}

TEST(NextLazyStep, AReplacementIsLoadedBeforeItIsCalledHoweverFullItIs) {
  auto old = Loaded(1, 100, "iris");
  old.wanted = false;
  auto next = Called(2, 100, "iris");
  next.use.waiting = 0;
  next.shown = false;
  EXPECT_EQ(NextLazily({old, next}), (Step{Kind::kLoad, 2}));
  next.state = kReady;
  EXPECT_EQ(NextLazily({old, next}), (Step{Kind::kWithdraw, 1}));
}

TEST(NextLazyStep, AColdVersionTakesTheDutiesOfOneThatIsNotWantedAnyMore) {
  auto old = Called(1, 10, "iris"), next = Called(2, 10, "iris");
  old.wanted = false;
  old.use.waiting = next.use.waiting = 0;
  EXPECT_EQ(NextLazily({old, Version(2, kWanted, true, "")}), (Step{Kind::kKnow, 2}));
  EXPECT_EQ(NextLazily({old, next}), (Step{Kind::kDrop, 1}));
  EXPECT_EQ(NextLazily({old}), (Step{Kind::kDrop, 1}));
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
  EXPECT_TRUE(MayFollow(kWanted, kCold));
  EXPECT_TRUE(MayFollow(kReady, kCold));
  EXPECT_TRUE(MayFollow(kCold, kLoading));
  EXPECT_FALSE(MayFollow(kCold, kReady));
  EXPECT_FALSE(MayFollow(kFailed, kCold));
  EXPECT_FALSE(MayFollow(kResident, kCold));
}

}  // namespace
}  // namespace slipway::live
