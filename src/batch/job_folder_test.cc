#include "batch/job_folder.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <optional>

#include "base/files.h"

namespace slipway::batch {
namespace {

namespace fs = std::filesystem;

class JobFolderTest : public ::testing::Test {
 protected:
  JobRecord Record() const {
    JobRecord record;
    record.job = {.model = "m", .input = {"a.csv"}, .output = "b.csv"};
    record.job.folder = path_;
    record.maker = {.name = "sum", .version = "1.0.0", .digest = "sha256:1", .program = "0.1.0"};
    record.files = {{.path = "a.csv", .size = 10, .modified = 123456789}};
    return record;
  }

  static PartRecord Part(int64_t number) {
    PartRecord part;
    part.number = number;
    part.begin = {.offset = 10 * number, .row = number, .line = number + 1};
    part.end = {.offset = 10 * (number + 1), .row = number + 1, .line = number + 2};
    part.input = "in";
    part.output = "out";
    part.reasons = {{"a schema.missing", 2}};
    return part;
  }

  base::TemporaryFolder folder_ = *base::TemporaryFolder::Create();
  std::string path_ = (folder_.path() / "b.csv.job").string();
};

TEST_F(JobFolderTest, KeepsRecordAndPartsForTheNextProcess) {
  {
    auto job = JobFolder::Create(Record());
    ASSERT_TRUE(job) << job.error().Text();
    ASSERT_TRUE(job->Append(Part(0)));
    ASSERT_TRUE(job->Append(Part(1)));
  }
  auto again = JobFolder::Open(path_);
  ASSERT_TRUE(again) << again.error().Text();
  ASSERT_EQ(again->parts().size(), 2u);
  EXPECT_EQ(again->parts()[1].end, Part(1).end);
  EXPECT_EQ(again->parts()[1].reasons, Part(1).reasons);
  EXPECT_EQ(again->record().files, Record().files);
  EXPECT_EQ(again->record().maker.digest, "sha256:1");
}

TEST_F(JobFolderTest, ForgetsALineThatWasNotWrittenToItsEnd) {
  {
    auto job = JobFolder::Create(Record());
    ASSERT_TRUE(job->Append(Part(0)));
  }
  const auto list = fs::path(path_) / "parts.jsonl";
  const auto text = *base::ReadFile(list);
  ASSERT_TRUE(base::WriteFileAtomically(list, text + R"({"part":1,"file")"));
  auto job = JobFolder::Open(path_);
  ASSERT_TRUE(job) << job.error().Text();
  ASSERT_TRUE(job->Append(Part(1)));
  EXPECT_EQ(*base::ReadFile(list), text + ToLine(Part(1)));
}

TEST_F(JobFolderTest, RefusesAListThatIsDamagedInTheMiddle) {
  {
    auto job = JobFolder::Create(Record());
    ASSERT_TRUE(job->Append(Part(0)));
  }
  const auto list = fs::path(path_) / "parts.jsonl";
  ASSERT_TRUE(base::WriteFileAtomically(list, "{}\n" + *base::ReadFile(list)));
  EXPECT_EQ(JobFolder::Open(path_).error().reason, "batch.damaged");
}

TEST_F(JobFolderTest, BelongsToOneProcess) {
  const auto job = JobFolder::Create(Record());
  ASSERT_TRUE(job);
  EXPECT_EQ(JobFolder::Open(path_).error().reason, "batch.busy");
  EXPECT_TRUE(JobFolder::LookAt(path_)->busy);
}

TEST_F(JobFolderTest, DoesNotBeginAnewOverAnUnfinishedJob) {
  ASSERT_TRUE(JobFolder::Create(Record()));
  EXPECT_EQ(JobFolder::Create(Record()).error().reason, "batch.unfinished");
}

TEST_F(JobFolderTest, BeginsAnewOverAJobThatIsDone) {
  {
    auto job = JobFolder::Create(Record());
    ASSERT_TRUE(job->Append(Part(0)));
    job->record().state = JobState::kDone;
    ASSERT_TRUE(job->Save());
  }
  const auto job = JobFolder::Create(Record());
  ASSERT_TRUE(job) << job.error().Text();
  EXPECT_TRUE(job->parts().empty());
}

TEST_F(JobFolderTest, LeavesAFolderOfOtherThingsAlone) {
  fs::create_directories(path_);
  ASSERT_TRUE(base::WriteFileAtomically(fs::path(path_) / "thesis.txt", "years of work"));
  EXPECT_EQ(JobFolder::Create(Record()).error().reason, "batch.not_a_job");
}

}  // namespace
}  // namespace slipway::batch
