#include "features/pipeline_fixture.h"

namespace slipway::features {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TestTable S(const TestTable::Cells<std::string>& cells) {
  TestTable table;
  table.Texts("s", cells);
  return table;
}

const TestTable kTrain = S({"late late flight", "Flight on time", kNull});

TEST(TextTest, CountsWordsOfTheVocabulary) {
  const std::string step = R"({"as": "f", "text": "s", "output": "count"})";
  EXPECT_THAT(ColumnNames(kTrain, step), ElementsAre("f=flight", "f=late", "f=on", "f=time"));
  EXPECT_EQ(FitTransform(kTrain, S({"late, LATE? a new flight", "", kNull}), step), "1 2 0 0 | 0 0 0 0 | 0 0 0 0");
}

TEST(TextTest, TfIdfIsTheDefault) {
  // log((1 + 3) / (1 + 2)) + 1 for flight, log((1 + 3) / (1 + 1)) + 1 for the rest, then length 1.
  EXPECT_EQ(FitTransform(kTrain, S({"flight", "flight late"}), R"({"as": "f", "text": "s"})"),
            "1 0 0 0 | 0.6053485081062916 0.7959605415681652 0 0");
}

TEST(TextTest, HashesIntoSignedBuckets) {
  // sklearn.utils.murmurhash3_32: late 859229416, flight -238384653.
  const std::string step = R"({"as": "f", "text": "s", "output": "hashing", "buckets": 10, "norm": "none"})";
  EXPECT_EQ(FitTransform(S({"late late flight", "", kNull}), step),
            "0 0 0 -1 0 0 2 0 0 0 | 0 0 0 0 0 0 0 0 0 0 | 0 0 0 0 0 0 0 0 0 0");
}

TEST(TextTest, HashesWithoutSigns) {
  const std::string step =
      R"({"as": "f", "text": "s", "output": "hashing", "buckets": 1, "signed": false, "norm": "none"})";
  EXPECT_EQ(FitTransform(S({"late late flight", "", kNull}), step), "3 | 0 | 0");
}

TEST(TextTest, KeepsTheMostFrequentTerms) {
  EXPECT_THAT(ColumnNames(kTrain, R"({"as": "f", "text": "s", "output": "count", "max_features": 2})"),
              ElementsAre("f=flight", "f=late"));
}

TEST(TextTest, LeavesRareAndCommonTermsOut) {
  EXPECT_THAT(ColumnNames(kTrain, R"({"as": "f", "text": "s", "output": "count", "max_frequency": 1})"),
              ElementsAre("f=late", "f=on", "f=time"));
  EXPECT_THAT(ColumnNames(kTrain, R"({"as": "f", "text": "s", "output": "count", "min_frequency": 2})"),
              ElementsAre("f=flight"));
}

TEST(TextTest, FoldsTextForLaterSteps) {
  EXPECT_EQ(
      FitTransform(
          S({" Été", "été ", kNull}),
          R"([{"as": "t", "text": "s", "output": "text", "trim": true, "hidden": true}, {"as": "f", "ordinal": "t"}])"),
      "0 | 0 | nan");
}

TEST(TextTest, NothingLeftToLearnIsAnError) {
  EXPECT_THAT(FitTransform(S({"a b c", "?"}), R"({"as": "f", "text": "s"})"), StartsWith("features.nothing_learned"));
}

TEST(TextTest, ReadsTextOnly) {
  TestTable table;
  table.Numbers("x", {1});
  EXPECT_THAT(FitTransform(table, R"({"as": "f", "text": "x"})"), HasSubstr("reads text"));
}

}  // namespace
}  // namespace slipway::features
