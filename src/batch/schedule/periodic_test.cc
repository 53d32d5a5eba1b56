#include "batch/schedule/periodic.h"

#include <gmock/gmock.h>

namespace slipway::batch {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;

TEST(Periodic, IsReadFromTheJobsFile) {
  const auto read = ParsePeriodic(
      "model: m\nname: flights\nschedule: {cron: 15 2 * * *}\nretry: {times: 5, backoff: 1m}\ntimeout: 2h\n", "a.yaml");
  ASSERT_TRUE(read) << read.error().Text();
  EXPECT_EQ(read->name, "flights");
  EXPECT_EQ(read->schedule->line(), "15 2 * * *");
  EXPECT_EQ(read->retry.times, 5);
  EXPECT_EQ(read->retry.backoff, seconds(60));
  EXPECT_EQ(*read->timeout, seconds(7200));
}

TEST(Periodic, IsCalledLikeItsFileOrTheFolderOfAJobYaml) {
  EXPECT_EQ(ParsePeriodic("model: m\n", "jobs/Nightly_flights.yaml")->name, "nightly-flights");
  EXPECT_EQ(ParsePeriodic("model: m\n", "jobs/nightly/job.yaml")->name, "nightly");
  EXPECT_FALSE(ParsePeriodic("model: m\n", "jobs/nightly.yaml")->schedule);
}

TEST(Periodic, SaysWhereItIsWrong) {
  const auto fault = [](std::string_view yaml) { return ParsePeriodic(yaml, "a.yaml").error(); };
  EXPECT_EQ(fault("model: m\nschedule: 15 2 * *\n").where, "a.yaml:2:1");
  EXPECT_EQ(fault("model: m\nschedule:\n  cron: 15 25 * * *\n").reason, "schedule.cron");
  EXPECT_THAT(fault("retry: {time: 3}\n").message, HasSubstr("did you mean \"times\"?"));
  EXPECT_THAT(fault("timeout: 5\n").Text(), HasSubstr("`timeout`"));
  EXPECT_THAT(fault("timeout: 10ms\n").Text(), HasSubstr("a second or more"));
  EXPECT_THAT(fault("name: Fl ights\n").message, HasSubstr("lower-case"));
  EXPECT_THAT(ParsePeriodic("model: m\n", "jobs/Größe.yaml").error().message, HasSubstr("`name:`"));
}

TEST(Retry, WaitsTwiceAsLongEachTimeUpToAnHour) {
  const Retry retry{.times = 10, .backoff = seconds(30)};
  EXPECT_EQ(retry.Pause(1), seconds(30));
  EXPECT_EQ(retry.Pause(3), seconds(120));
  EXPECT_EQ(retry.Pause(9), kLongestBackoff);
  EXPECT_EQ(retry.Pause(1000), kLongestBackoff);
}

}  // namespace
}  // namespace slipway::batch
