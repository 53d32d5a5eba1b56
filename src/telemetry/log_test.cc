#include "telemetry/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <thread>
#include <vector>

#include "base/files.h"
#include "base/value.h"

namespace slipway::telemetry {
namespace {

using testing::HasSubstr;
using testing::Not;

class LogTest : public testing::Test {
 protected:
  std::unique_ptr<Log> OpenLog(LogOptions options = {}) {
    options.path = path();
    options.clock = &clock_;
    return std::move(Log::Open(options)).value();
  }
  std::filesystem::path path() const { return folder_.path() / "slipway.log"; }
  std::string Written(Log& log) const {
    log.Flush();
    return base::ReadFile(path()).value();
  }

  base::TemporaryFolder folder_ = base::TemporaryFolder::Create().value();
  base::ManualClock clock_;
};

TEST_F(LogTest, LineIsOneJsonObjectWithTimeLevelAndEvent) {
  const auto log = OpenLog();
  clock_.Advance(std::chrono::microseconds(5));
  log->Line(LogLevel::kInfo, "model.loaded").Add("model", "iris").Add("rows", 3).Add("seconds", 0.5).Add("ok", true);
  EXPECT_EQ(
      Written(*log),
      "{\"time\":\"1970-01-01T00:00:01.000005Z\",\"level\":\"info\",\"event\":\"model.loaded\",\"model\":\"iris\","
      "\"rows\":3,\"seconds\":0.5,\"ok\":true}\n");
}

TEST_F(LogTest, HostileTextCannotBreakTheLine) {
  const auto log = OpenLog();
  log->Line(LogLevel::kInfo, "e").Add("v", "a\"b\n{\x01\xff");
  const std::string text = Written(*log);
  EXPECT_EQ(std::ranges::count(text, '\n'), 1);
  EXPECT_TRUE(base::ParseJson(text)) << text;
}

TEST_F(LogTest, LongFieldsAreCut) {
  const auto log = OpenLog({.field_bytes = 16});
  log->Line(LogLevel::kInfo, "e").Add("v", std::string(1000, 'x'));
  EXPECT_LT(Written(*log).size(), 150u);
}

TEST_F(LogTest, TheLengthOfFieldsMayChangeWhileItIsWritten) {
  const auto log = OpenLog({.field_bytes = 16});
  log->SetFieldBytes(100);
  log->Line(LogLevel::kInfo, "e").Add("v", std::string(90, 'x'));
  EXPECT_THAT(Written(*log), HasSubstr(std::string(90, 'x')));
}

TEST_F(LogTest, LowerLevelsAreNotWritten) {
  const auto log = OpenLog({.level = LogLevel::kWarning});
  log->Line(LogLevel::kInfo, "quiet").Add("v", 1);
  log->Line(LogLevel::kError, "loud").Add(base::Error{base::Code::kNotFound, "file.missing", "no such file", "x"});
  EXPECT_THAT(Written(*log), Not(HasSubstr("quiet")));
  EXPECT_THAT(Written(*log), HasSubstr("\"event\":\"loud\",\"code\":\"not_found\",\"reason\":\"file.missing\""));
}

TEST_F(LogTest, ReopenFollowsARotation) {
  const auto log = OpenLog();
  log->Line(LogLevel::kInfo, "before");
  log->Flush();
  std::filesystem::rename(path(), folder_.path() / "old.log");
  ASSERT_TRUE(log->Reopen());
  log->Line(LogLevel::kInfo, "after");
  EXPECT_THAT(Written(*log), HasSubstr("after"));
  EXPECT_THAT(Written(*log), Not(HasSubstr("before")));
}

TEST_F(LogTest, AFullBufferDropsAndCounts) {
  const auto log = OpenLog({.buffer_bytes = 10});
  log->Line(LogLevel::kInfo, "too long for the buffer");
  EXPECT_EQ(Written(*log), "");
  EXPECT_EQ(log->dropped(), 1);
}

TEST_F(LogTest, ThreadsNeverMixTheirLines) {
  const auto log = OpenLog();
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 500; ++i) log->Line(LogLevel::kInfo, "e").Add("i", i);
      });
    }
  }
  const std::string text = Written(*log);
  EXPECT_EQ(std::ranges::count(text, '\n'), 2000);
  EXPECT_EQ(std::ranges::count(text, '{'), 2000);
}

TEST_F(LogTest, TheEndOfTheLogWritesWhatIsWaiting) {
  OpenLog()->Line(LogLevel::kInfo, "last words");
  EXPECT_THAT(base::ReadFile(path()).value(), HasSubstr("last words"));
}

TEST_F(LogTest, AnUnwritablePathIsAnErrorWithThePath) {
  const auto log = Log::Open({.path = "/nonexistent/folder/x.log"});
  ASSERT_FALSE(log);
  EXPECT_EQ(log.error().reason, "log.open");
  EXPECT_THAT(log.error().message, HasSubstr("/nonexistent/folder/x.log"));
}

TEST(LogLevels, NamesReadBack) {
  EXPECT_EQ(ParseLogLevel(LogLevelName(LogLevel::kWarning)).value(), LogLevel::kWarning);
  EXPECT_FALSE(ParseLogLevel("loud"));
}

}  // namespace
}  // namespace slipway::telemetry
