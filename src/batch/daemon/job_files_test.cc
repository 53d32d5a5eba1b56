#include "batch/daemon/job_files.h"

#include <gmock/gmock.h>

#include <fstream>

#include "base/files.h"

namespace slipway::batch {
namespace {

using ::testing::HasSubstr;

class JobFilesTest : public ::testing::Test {
 protected:
  std::string Write(const std::string& name, const std::string& more = "schedule: '@daily'\n") {
    const auto path = folder_.path() / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << "model: m.slipway\ninput: a.csv\noutput: out-{{ ds }}.csv\n" << more;
    return path.string();
  }
  base::TemporaryFolder folder_ = *base::TemporaryFolder::Create();
};

TEST_F(JobFilesTest, FindsJobsInFoldersAndFoldersOfThem) {
  Write("b.yaml");
  Write("a/job.yaml");
  Write("by-hand.yml", "");
  Write(".hidden.yaml");
  Write("notes.txt");
  const auto files = JobFiles::Read({folder_.path().string()});
  ASSERT_EQ(files.jobs.size(), 2u);
  EXPECT_EQ(files.jobs[0].periodic.name, "a");
  EXPECT_EQ(files.jobs[1].periodic.name, "b");
  EXPECT_TRUE(files.broken.empty());
}

TEST_F(JobFilesTest, ABrokenFileDisturbsNoOther) {
  Write("good.yaml");
  Write("typo.yaml", "shedule: '@daily'\n");
  Write("twin/job.yaml", "name: good\nschedule: '@daily'\n");
  const auto files = JobFiles::Read({folder_.path().string(), Write("by-hand.yaml", ""), "none.yaml"});
  EXPECT_EQ(files.jobs.size(), 1u);
  ASSERT_EQ(files.broken.size(), 4u);
  EXPECT_EQ(files.broken[0].error.reason, "job.name");
  EXPECT_THAT(files.broken[1].error.message, HasSubstr("did you mean \"schedule\"?"));
  EXPECT_EQ(files.broken[2].error.reason, "job.no_schedule");
  EXPECT_EQ(files.broken[3].error.reason, "file.missing");
}

TEST_F(JobFilesTest, AJobThatStreamsIsBroken) {
  std::ofstream(folder_.path() / "s.yaml") << "model: m\ninput: a.csv\noutput: '-'\nschedule: '@daily'\n";
  std::ofstream(folder_.path() / "t.yaml") << "model: m\ninput: '-'\noutput: a.csv\nschedule: '@daily'\n";
  const auto files = JobFiles::Read({folder_.path().string()});
  ASSERT_EQ(files.broken.size(), 2u);
  EXPECT_EQ(files.broken[0].error.reason, "job.streams");
  EXPECT_EQ(files.broken[1].error.reason, "job.streams");
}

TEST_F(JobFilesTest, EachTimeHasAFolderOfItsOwn) {
  const auto file = ReadJobFile(Write("nightly.yaml"));
  const auto job = JobAt(*file, *ParseTime("2026-11-26T02:15", TimeZone::Utc()));
  ASSERT_TRUE(job) << job.error().Text();
  EXPECT_TRUE(job->output.ends_with("out-2026-11-26.csv"));
  EXPECT_EQ(job->folder, job->output + ".20261126T021500Z.job");
}

}  // namespace
}  // namespace slipway::batch
