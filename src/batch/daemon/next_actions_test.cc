#include "batch/daemon/next_actions.h"

#include <gmock/gmock.h>

#include <string_view>
#include <utility>
#include <vector>

namespace slipway::batch {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Kind = Action::Kind;

Instant At(std::string_view text) {
  return *ParseTime(text, TimeZone::Utc());
}

/// Jobs that are due at each full hour, known since noon.
class NextActionsTest : public ::testing::Test {
 protected:
  NextActionsTest() { With(CatchUp::kLatest); }
  void With(CatchUp catch_up) {
    periodic_.schedule = *Schedule::Create("0 * * * *", TimeZone::Utc(), catch_up);
    view_.periodic = &periodic_;
    view_.since = At("2026-11-26T12:00");
  }
  Actions Next(std::string_view now) { return NextActions(std::vector{view_}, At(now), 1); }
  batch::Run& Open(RunState state) {
    view_.open = batch::Run{.job = "a", .scheduled = At("2026-11-26T13:00"), .state = state, .attempts = 1};
    view_.last = view_.open->scheduled;
    return *view_.open;
  }
  static Action Queue(std::string_view time) { return {.kind = Kind::kQueue, .scheduled = At(time)}; }
  static Action Skip(std::string_view time, int64_t count) {
    return {.kind = Kind::kSkip, .scheduled = At(time), .count = count};
  }
  static Action Start(std::string_view time, size_t job = 0) {
    return {.kind = Kind::kStart, .job = job, .scheduled = At(time)};
  }

  Periodic periodic_;
  JobView view_;
};

TEST_F(NextActionsTest, WaitsForTheNextTimeOfANewJob) {
  const auto actions = Next("2026-11-26T12:00:01");
  EXPECT_THAT(actions.now, IsEmpty());
  EXPECT_EQ(*actions.wake, At("2026-11-26T13:00"));
}

TEST_F(NextActionsTest, QueuesATimeThatHasComeOnce) {
  EXPECT_THAT(Next("2026-11-26T13:00").now, ElementsAre(Queue("2026-11-26T13:00")));
  view_.last = At("2026-11-26T13:00");
  EXPECT_THAT(Next("2026-11-26T13:00:30").now, IsEmpty());
}

TEST_F(NextActionsTest, LeavesOutAllThatWasMissed) {
  With(CatchUp::kNone);
  EXPECT_THAT(Next("2026-11-26T16:30").now, ElementsAre(Skip("2026-11-26T16:00", 4)));
}

TEST_F(NextActionsTest, RunsATimeThatIsStillOnTimeAndLeavesOutThoseBefore) {
  With(CatchUp::kNone);
  EXPECT_THAT(Next("2026-11-26T16:00:59").now, ElementsAre(Skip("2026-11-26T15:00", 3), Queue("2026-11-26T16:00")));
}

TEST_F(NextActionsTest, MakesUpForTheLatestOnly) {
  EXPECT_THAT(Next("2026-11-26T16:30").now, ElementsAre(Skip("2026-11-26T15:00", 3), Queue("2026-11-26T16:00")));
  EXPECT_THAT(Next("2026-11-26T13:30").now, ElementsAre(Queue("2026-11-26T13:00")));
}

TEST_F(NextActionsTest, MakesUpForEachFromTheOldestOn) {
  With(CatchUp::kAll);
  EXPECT_THAT(Next("2026-11-26T16:30").now, ElementsAre(Queue("2026-11-26T13:00")));
  view_.last = At("2026-11-26T13:00");
  EXPECT_THAT(Next("2026-11-26T16:30").now, ElementsAre(Queue("2026-11-26T14:00")));
}

TEST_F(NextActionsTest, NoticesNothingWhileARunIsOpen) {
  With(CatchUp::kAll);
  Open(RunState::kRunning);
  view_.alive = At("2026-11-26T13:00");
  const auto actions = Next("2026-11-26T16:30");
  EXPECT_THAT(actions.now, IsEmpty());
  EXPECT_FALSE(actions.wake);
}

TEST_F(NextActionsTest, StartsWhatIsQueuedAndWhatHasWaited) {
  Open(RunState::kQueued);
  EXPECT_THAT(Next("2026-11-26T13:00").now, ElementsAre(Start("2026-11-26T13:00")));
  Open(RunState::kWaiting).next_attempt = At("2026-11-26T13:05");
  EXPECT_THAT(Next("2026-11-26T13:04:59").now, IsEmpty());
  EXPECT_EQ(*Next("2026-11-26T13:04:59").wake, At("2026-11-26T13:05"));
  EXPECT_THAT(Next("2026-11-26T13:05").now, ElementsAre(Start("2026-11-26T13:00")));
}

TEST_F(NextActionsTest, StartsNoMoreAtATimeThanItMayTheOldestFirst) {
  Open(RunState::kQueued);
  JobView older = view_;
  older.open->scheduled = At("2026-11-26T12:30");
  const std::vector<JobView> jobs = {view_, older, view_};
  EXPECT_THAT(NextActions(jobs, At("2026-11-26T13:00"), 1).now, ElementsAre(Start("2026-11-26T12:30", 1)));
  EXPECT_THAT(NextActions(jobs, At("2026-11-26T13:00"), 2).now,
              ElementsAre(Start("2026-11-26T12:30", 1), Start("2026-11-26T13:00", 0)));
}

TEST_F(NextActionsTest, CountsRunningJobsAmongThoseAtATime) {
  Open(RunState::kRunning);
  JobView queued = view_;
  queued.open->state = RunState::kQueued;
  view_.alive = At("2026-11-26T13:00");
  EXPECT_THAT(NextActions(std::vector{view_, queued}, At("2026-11-26T13:00"), 1).now, IsEmpty());
}

TEST_F(NextActionsTest, StopsAnAttemptAtItsTimeoutOnce) {
  periodic_.timeout = minutes(10);
  Open(RunState::kRunning);
  view_.alive = At("2026-11-26T13:20");
  EXPECT_EQ(*Next("2026-11-26T13:29:59").wake, At("2026-11-26T13:30"));
  EXPECT_THAT(Next("2026-11-26T13:30").now,
              ElementsAre(Action{.kind = Kind::kTimeOut, .scheduled = At("2026-11-26T13:00")}));
  view_.asked_to_stop = true;
  EXPECT_THAT(Next("2026-11-26T13:31").now, IsEmpty());
}

TEST_F(NextActionsTest, LetsARunWhoseFileIsGoneEndAndStartsNoMore) {
  Open(RunState::kWaiting);
  view_.periodic = nullptr;
  EXPECT_THAT(Next("2026-11-26T16:30").now, IsEmpty());
}

}  // namespace
}  // namespace slipway::batch
