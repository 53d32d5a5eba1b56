#include "batch/partitions/partition_path.h"

#include <gmock/gmock.h>

namespace slipway::batch {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

PartitionValue Of(std::string name, std::optional<std::string> value) {
  return {.name = std::move(name), .value = std::move(value)};
}

TEST(PartitionPath, ReadsTheFoldersAboveAFileOutermostFirst) {
  const auto wanted = ElementsAre(Of("year", "2026"), Of("month", "11"));
  EXPECT_THAT(PartitionsOf("/data/flights/year=2026/month=11/a.parquet"), wanted);
  EXPECT_THAT(PartitionsOf("s3://lake/flights/year=2026/month=11/a.csv.gz"), wanted);
  EXPECT_THAT(PartitionsOf("year=2026/month=11/a.parquet"), wanted);
}

TEST(PartitionPath, DecodesNamesAndValues) {
  EXPECT_THAT(PartitionsOf("the%20city=S%C3%A3o%20Paulo%2F%25/a.csv"), ElementsAre(Of("the city", "São Paulo/%")));
  EXPECT_THAT(PartitionsOf("a=1+1=2/b.csv"), ElementsAre(Of("a", "1+1=2")));
}

TEST(PartitionPath, TakesAPercentSignThatBeginsNoEscapeAsItIs) {
  EXPECT_THAT(PartitionsOf("a=5%/b.csv"), ElementsAre(Of("a", "5%")));
  EXPECT_THAT(PartitionsOf("a=5%2/b.csv"), ElementsAre(Of("a", "5%2")));
  EXPECT_THAT(PartitionsOf("a=5%zz/b.csv"), ElementsAre(Of("a", "5%zz")));
  EXPECT_THAT(PartitionsOf("a=%2541/b.csv"), ElementsAre(Of("a", "%41")));
}

TEST(PartitionPath, KnowsAMissingValueFromAnEmptyOne) {
  EXPECT_THAT(PartitionsOf("a=__HIVE_DEFAULT_PARTITION__/b=/c.csv"), ElementsAre(Of("a", std::nullopt), Of("b", "")));
}

TEST(PartitionPath, TakesTheLowestUnbrokenRunOfFolders) {
  EXPECT_THAT(PartitionsOf("/run=7/flights/year=2026/a.csv"), ElementsAre(Of("year", "2026")));
  EXPECT_THAT(PartitionsOf("year=2026/month=1/deep/er/a.csv"), ElementsAre(Of("year", "2026"), Of("month", "1")));
}

TEST(PartitionPath, FindsNothingInFileNamesAndPlainFolders) {
  EXPECT_THAT(PartitionsOf("data/year=2026.csv"), IsEmpty());
  EXPECT_THAT(PartitionsOf("=5/a.csv"), IsEmpty());
  EXPECT_THAT(PartitionsOf("/"), IsEmpty());
  EXPECT_THAT(PartitionsOf("-"), IsEmpty());
  EXPECT_THAT(PartitionsOf("//a.csv"), IsEmpty());
}

TEST(PartitionPath, WritesFoldersAsDuckDbDoes) {
  EXPECT_EQ(PartitionFolder(Of("year", "2026")), "year=2026");
  EXPECT_EQ(PartitionFolder(Of("a", "a b/ü:=%\"'#*?{}[]^\\+&,;~!")),
            "a=a%20b%2F%C3%BC%3A%3D%25%22%27%23%2A%3F%7B%7D%5B%5D%5E%5C%2B%26%2C%3B~%21");
}

TEST(PartitionPath, WritesMissingAndEmptyValuesAlike) {
  EXPECT_EQ(PartitionFolder(Of("a", std::nullopt)), "a=__HIVE_DEFAULT_PARTITION__");
  EXPECT_EQ(PartitionFolder(Of("a", "")), "a=__HIVE_DEFAULT_PARTITION__");
}

TEST(PartitionPath, ReadsWhatItWrote) {
  const std::string any = std::string("\0\x01\x7f/=%", 6) + "ä .. .";
  EXPECT_THAT(PartitionsOf("out/" + PartitionFolder(Of(any, any)) + "/part.csv"), ElementsAre(Of(any, any)));
}

}  // namespace
}  // namespace slipway::batch
