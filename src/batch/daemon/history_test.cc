#include "batch/daemon/history.h"

#include <gmock/gmock.h>

#include "base/files.h"

namespace slipway::batch {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

constexpr Instant kNoon = std::chrono::sys_days(std::chrono::November / 26 / 2026) + hours(12);

class HistoryTest : public ::testing::Test {
 protected:
  base::Result<History> Open() { return History::Open(path_); }
  batch::Run Add(History& history, int hour, RunState state = RunState::kDone) {
    batch::Run run{.job = "a", .scheduled = kNoon + hours(hour), .state = state, .due = kNoon + hours(hour)};
    EXPECT_TRUE(history.Add(run));
    return run;
  }
  base::TemporaryFolder folder_ = *base::TemporaryFolder::Create();
  std::filesystem::path path_ = folder_.path() / "runs.sqlite";
};

TEST_F(HistoryTest, GivesBackARunAsItWasSaved) {
  batch::Run run{.job = "a", .scheduled = kNoon, .due = kNoon + milliseconds(7)};
  {
    auto history = Open();
    ASSERT_TRUE(history) << history.error().Text();
    ASSERT_TRUE(history->Add(run));
    run.state = RunState::kFailed;
    run.attempts = 4;
    run.started = kNoon + milliseconds(250);
    run.ended = kNoon + hours(1);
    run.exit_code = 1;
    run.rows = 1000;
    run.rejected = 10;
    run.output = "out.csv";
    run.digest = "d";
    run.folder = "out.job";
    run.message = "it \"failed\"";
    ASSERT_TRUE(history->Save(run));
  }
  const auto read = History::Read(path_)->List("a", 10);
  ASSERT_TRUE(read) << read.error().Text();
  ASSERT_EQ(read->size(), 1u);
  EXPECT_EQ(base::ToJson(ToValue(read->front())), base::ToJson(ToValue(run)));
  EXPECT_EQ(FormatMillisecond(*read->front().started), "2026-11-26T12:00:00.250Z");
}

TEST_F(HistoryTest, HoldsATimeOfAJobOnce) {
  auto history = Open();
  Add(*history, 1);
  batch::Run again{.job = "a", .scheduled = kNoon + hours(1)};
  EXPECT_EQ(history->Add(again).error().reason, "sqlite.statement");
  EXPECT_EQ(**history->Last("a"), kNoon + hours(1));
  EXPECT_FALSE(*history->Last("b"));
}

TEST_F(HistoryTest, KnowsTheOpenRunAndTheLastOnes) {
  auto history = Open();
  Add(*history, 1);
  Add(*history, 2, RunState::kFailed);
  Add(*history, 3, RunState::kSkipped);
  EXPECT_FALSE(*history->OpenRun("a"));
  const auto waiting = Add(*history, 4, RunState::kWaiting);
  EXPECT_EQ((*history->OpenRun("a"))->id, waiting.id);
  EXPECT_EQ((*history->LastDone("a"))->scheduled, kNoon + hours(1));
  EXPECT_EQ((*history->LastOver("a"))->scheduled, kNoon + hours(2));
}

TEST_F(HistoryTest, RemembersSinceWhenAScheduleHolds) {
  auto history = Open();
  EXPECT_EQ(*history->Since("a", "@daily", kNoon), kNoon);
  EXPECT_EQ(*history->Since("a", "@daily", kNoon + hours(5)), kNoon);
  EXPECT_EQ(*history->Since("a", "@hourly", kNoon + hours(6)), kNoon + hours(6));
}

TEST_F(HistoryTest, ForgetsOldRunsButNoOpenOne) {
  auto history = Open();
  Add(*history, 0, RunState::kWaiting);
  for (int hour = 1; hour <= 5; ++hour) Add(*history, hour);
  const auto forgotten = history->Prune("a", 2);
  ASSERT_TRUE(forgotten) << forgotten.error().Text();
  EXPECT_EQ(forgotten->size(), 3u);
  EXPECT_EQ(history->List("", 10)->size(), 3u);
  EXPECT_TRUE(*history->OpenRun("a"));
}

TEST_F(HistoryTest, CanBeReadWhileADaemonHasIt) {
  const auto first = Open();
  EXPECT_TRUE(History::Read(path_));
  EXPECT_EQ(History::Read(folder_.path() / "none").error().reason, "batch.no_history");
}

}  // namespace
}  // namespace slipway::batch
