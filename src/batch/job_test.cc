#include "batch/job.h"

#include <gmock/gmock.h>

#include <cstdlib>

namespace slipway::batch {
namespace {

using ::testing::HasSubstr;

TEST(Job, IsReadFromYaml) {
  const auto job = ParseJob(
      "model: m.slipway\ninput: [a.csv, b/]\noutput: out.parquet\nkeep: id\nmax_errors: 2.5%\nshard: 1/4\nmemory: "
      "2GiB\n",
      "job.yaml");
  ASSERT_TRUE(job) << job.error().Text();
  EXPECT_THAT(job->input, ::testing::ElementsAre("a.csv", "b/"));
  EXPECT_THAT(job->keep, ::testing::ElementsAre("id"));
  EXPECT_EQ(job->max_errors.percent, 2.5);
  EXPECT_EQ(job->shard.index, 1);
  EXPECT_EQ(job->memory.count, int64_t{2} << 30);
}

TEST(Job, NamesTheKeyThatItDoesNotKnow) {
  const auto job = ParseJob("model: m\ninputs: a.csv\n", "job.yaml");
  EXPECT_EQ(job.error().where, "job.yaml:2:1");
  EXPECT_THAT(job.error().message, HasSubstr("did you mean \"input\"?"));
}

TEST(Job, NamesTheKeyWhoseValueDoesNotFit) {
  EXPECT_THAT(ParseJob("part_rows: 0\n", "j").error().Text(), HasSubstr("`part_rows`"));
  EXPECT_THAT(ParseJob("max_errors: many\n", "j").error().Text(), HasSubstr("2.5%"));
  EXPECT_THAT(ParseJob("input: {a: 1}\n", "j").error().Text(), HasSubstr("a text or a list of texts"));
}

TEST(Job, IsTheSameAfterItsRecordWasRead) {
  Job job{.model = "m", .input = {"a.csv"}, .output = "b.csv", .keep = {"id"}, .rejects = "r.csv"};
  job.limit = 7;
  job.shard = {.index = 2, .count = 3};
  job.max_errors.rows = 5;
  const auto back = FromValue(ToValue(job));
  ASSERT_TRUE(back) << back.error().Text();
  EXPECT_EQ(ToValue(*back), ToValue(job));
}

TEST(Job, KeepsHowItsOutputIsDivided) {
  const auto job =
      ParseJob("partition_by: [year, month]\nmax_partitions: 9\nrow_group_rows: 4096\npartition_columns: false\n", "j");
  ASSERT_TRUE(job) << job.error().Text();
  const auto back = FromValue(ToValue(*job));
  ASSERT_TRUE(back) << back.error().Text();
  EXPECT_THAT(back->partition_by, ::testing::ElementsAre("year", "month"));
  EXPECT_EQ(back->max_partitions, 9);
  EXPECT_EQ(back->row_group_rows, 4096);
  EXPECT_FALSE(back->partition_columns);
  EXPECT_THAT(ParseJob("max_partitions: 0\n", "j").error().Text(), HasSubstr("`max_partitions`"));
}

TEST(Job, AsksForAFolderToDivide) {
  Job job{.model = "m", .input = {"a.csv"}, .output = "/data/b.csv", .partition_by = {"year"}};
  EXPECT_THAT(Complete(job).error().message, HasSubstr("/data/b.csv is none"));
  job.output = "/data/b/";
  EXPECT_TRUE(Complete(job));
}

TEST(Job, AsksForPartsOfAtLeastARowGroup) {
  Job job{.model = "m", .input = {"a.csv"}, .output = "/data/b.parquet"};
  job.row_group_rows = 100'000;
  EXPECT_THAT(Complete(job).error().message, HasSubstr("--part-rows 100000"));
  job.part_rows = 100'000;
  EXPECT_TRUE(Complete(job));
}

TEST(Job, TellsWhatAnotherOneHasDifferent) {
  const Job kept{.model = "m", .input = {"a.csv"}, .output = "b.csv"};
  Job asked = kept;
  asked.threads = 9;
  EXPECT_TRUE(CheckSameJob(kept, asked));
  asked.keep = {"id"};
  EXPECT_THAT(CheckSameJob(kept, asked).error().message, HasSubstr("`keep`"));
}

TEST(Job, LivesBesideItsOutput) {
  Job job{.model = "m", .input = {"a.csv"}, .output = "/data/b.csv"};
  ASSERT_TRUE(Complete(job));
  EXPECT_EQ(job.folder, "/data/b.csv.job");
  EXPECT_FALSE(job.output_folder);
}

TEST(Job, OfAShardHasNamesOfItsOwn) {
  Job folder{.model = "m", .input = {"a.csv"}, .output = "/data/scored/"};
  folder.shard = {.index = 1, .count = 4};
  ASSERT_TRUE(Complete(folder));
  EXPECT_EQ(folder.output, "/data/scored/shard-1-of-4");
  EXPECT_EQ(folder.folder, "/data/scored.1-of-4.job");
  Job file{.model = "m", .input = {"a.csv"}, .output = "/data/b-{shard}.csv"};
  file.shard = {.index = 1, .count = 4};
  ASSERT_TRUE(Complete(file));
  EXPECT_EQ(file.output, "/data/b-1-of-4.csv");
  Job shared{.model = "m", .input = {"a.csv"}, .output = "/data/b.csv"};
  shared.shard = {.index = 1, .count = 4};
  EXPECT_THAT(Complete(shared).error().message, HasSubstr("{shard}"));
}

TEST(ErrorLimit, CountsRowsOrTheirShare) {
  EXPECT_FALSE(ParseErrorLimit("10")->Exceeded(10, 20));
  EXPECT_TRUE(ParseErrorLimit("10")->Exceeded(11, 20));
  EXPECT_FALSE(ParseErrorLimit("50%")->Exceeded(10, 20));
  EXPECT_TRUE(ParseErrorLimit("50%")->Exceeded(11, 20));
  EXPECT_FALSE(ErrorLimit().Exceeded(20, 20));
  EXPECT_EQ(ParseErrorLimit("101%").error().reason, "usage");
  EXPECT_EQ(ParseErrorLimit("-1").error().reason, "usage");
}

TEST(Shard, IsOneOfSeveral) {
  EXPECT_EQ(ParseShard("0/1")->count, 1);
  for (const char* wrong : {"3/3", "-1/3", "1", "a/3", "1/0", "/"}) EXPECT_FALSE(ParseShard(wrong)) << wrong;
}

}  // namespace
}  // namespace slipway::batch
