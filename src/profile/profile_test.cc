#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "profile/column_profile.h"
#include "profile/proposal.h"

namespace slipway::profile {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

ColumnProfile Of(std::string name, const std::vector<std::string>& cells, int times = 1) {
  ColumnProfile column(std::move(name));
  for (int i = 0; i < times; ++i) {
    for (const auto& cell : cells) cell.empty() ? column.AddNull() : column.AddLexeme(cell);
  }
  return column;
}

ColumnProfile Numbered(std::string name, std::string prefix, int rows) {
  ColumnProfile column(std::move(name));
  for (int i = 0; i < rows; ++i) column.AddLexeme(prefix + std::to_string(100 + i));
  return column;
}

TEST(ColumnProfile, NumbersStayNumbersUnlessTheyStartWithZero) {
  EXPECT_EQ(Of("n", {"1", "20", "-3"}).Judge().type, data::ScalarType::kInteger);
  EXPECT_EQ(Of("n", {"1", "2.5"}).Judge().type, data::ScalarType::kNumber);
  const auto zip = Of("zip", {"00501", "10001"}).Judge();
  EXPECT_EQ(zip.type, data::ScalarType::kString);
  EXPECT_TRUE(zip.leading_zeros);
}

TEST(ColumnProfile, TellsBooleansTimestampsAndText) {
  EXPECT_EQ(Of("b", {"true", "False"}).Judge().type, data::ScalarType::kBoolean);
  EXPECT_EQ(Of("t", {"2013-01-01", "2013-01-01T10:00:00Z"}).Judge().type, data::ScalarType::kTimestamp);
  EXPECT_EQ(Of("s", {"1", "x"}).Judge().type, data::ScalarType::kString);
}

TEST(ColumnProfile, WordsForNullAreNotText) {
  const auto column = Of("n", {"1", "NA", "", "2"});
  EXPECT_EQ(column.Judge().type, data::ScalarType::kInteger);
  EXPECT_EQ(column.nulls(), 2);
  EXPECT_THAT(column.Judge().null_texts, ElementsAre("NA"));
}

TEST(ColumnProfile, ASmallSetOfTextsIsKept) {
  EXPECT_THAT(Of("c", {"AA", "UA", "AA"}, 20).Judge().values, ElementsAre("AA", "UA"));
  EXPECT_TRUE(Of("c", {"AA", "UA", "B6"}, 1).Judge().values.empty());
}

TEST(ColumnProfile, AValueOfItsOwnForEachRowIsAnIdentifier) {
  EXPECT_TRUE(Numbered("id", "", 200).Judge().identifier);
  EXPECT_TRUE(Numbered("order", "A-", 200).Judge().identifier);
  EXPECT_FALSE(Of("n", {"5", "1", "9"}, 50).Judge().identifier);
}

TEST(ColumnProfile, RecognisesPersonalDataByValueAndByName) {
  EXPECT_EQ(Of("x", {"a@b.org", "c.d@e.co.uk"}).Judge().personal, PersonalKind::kEmail);
  EXPECT_EQ(Of("x", {"+1 212 555 0100", "+44 20 7946 0958"}).Judge().personal, PersonalKind::kPhone);
  EXPECT_EQ(Of("x", {"4111 1111 1111 1111"}).Judge().personal, PersonalKind::kCard);
  EXPECT_EQ(Of("x", {"4111 1111 1111 1112"}).Judge().personal, PersonalKind::kNone);
  EXPECT_EQ(PersonalByName("lastName"), PersonalKind::kName);
  EXPECT_EQ(PersonalByName("file_name"), PersonalKind::kNone);
  EXPECT_EQ(PersonalByValue("2013-01-02"), PersonalKind::kNone);
}

TEST(Proposal, SaysWhatAColumnIsAndWhy) {
  std::vector<ColumnProfile> columns;
  columns.push_back(Of("carrier", {"AA", "UA"}, 30));
  columns.push_back(Of("distance", {"187", "4983", ""}, 20));
  columns.push_back(Numbered("row_id", "", 60));
  columns.push_back(Of("email", {"a@b.org"}, 60));
  columns.push_back(Of("late", {"0", "1"}, 30));
  const auto proposal =
      ProposeManifest({.bundle = "flights", .file = "train.csv", .rows = 60, .whole = true, .target = "late"}, columns);
  EXPECT_THAT(proposal.yaml, HasSubstr("target: late\n"));
  EXPECT_THAT(proposal.yaml, HasSubstr("carrier: {type: string, values: [AA, UA], unknown: other}"));
  EXPECT_THAT(proposal.yaml, HasSubstr("distance: {type: integer, min: 0, max: 5000, missing: impute}"));
  EXPECT_THAT(proposal.yaml, HasSubstr("187 … 4983, 33 % null"));
  EXPECT_THAT(proposal.yaml, HasSubstr("# row_id: {type: integer"));
  EXPECT_THAT(proposal.yaml, HasSubstr("looks like an identifier"));
  EXPECT_THAT(proposal.yaml, Not(HasSubstr("\n  late:")));
  EXPECT_THAT(proposal.yaml, HasSubstr("{as: carrier, one_hot: carrier}"));
}

TEST(Proposal, QuotesWhatYamlWouldMisread) {
  std::vector<ColumnProfile> columns;
  columns.push_back(Of("a b", {"true", "null", "9E", "007"}, 30));
  const auto proposal = ProposeManifest({.bundle = "x", .file = "x.csv", .rows = 4}, columns);
  EXPECT_THAT(proposal.yaml, HasSubstr("\"a b\": "));
}

}  // namespace
}  // namespace slipway::profile
