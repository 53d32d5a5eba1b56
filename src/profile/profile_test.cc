#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "profile/bounds.h"
#include "profile/column_profile.h"
#include "profile/proposal.h"
#include "profile/written_text.h"

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

TEST(ColumnProfile, EmptyTextsAreNullsAmongOtherValuesAndTextsAmongTexts) {
  const auto filled = [](std::vector<std::string> cells) {
    ColumnProfile column("c");
    for (const auto& cell : cells) column.AddLexeme(cell);
    return column;
  };
  EXPECT_EQ(filled({"1.5", "", "2"}).Judge().type, data::ScalarType::kNumber);
  EXPECT_EQ(filled({"", "1.5", ""}).nulls(), 2);
  EXPECT_EQ(filled({"true", ""}).Judge().type, data::ScalarType::kBoolean);
  EXPECT_TRUE(filled({"5", "", "5"}).Judge().constant);
  EXPECT_EQ(filled({"a", ""}).nulls(), 0);
  EXPECT_EQ(filled({"a", "", "a"}).distinct(), 2);
  EXPECT_FALSE(filled({"a", "", "a"}).Judge().constant);
  EXPECT_TRUE(filled({"", ""}).Judge().constant);
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
  for (const char* name : {"passengerName", "owner_name", "user_name", "Nickname", "name"}) {
    EXPECT_EQ(PersonalByName(name), PersonalKind::kName) << name;
  }
  for (const char* name :
       {"file_name", "airline_name", "product_name", "customer_file_name", "model_name", "names_count"}) {
    EXPECT_EQ(PersonalByName(name), PersonalKind::kNone) << name;
  }
  EXPECT_EQ(PersonalByValue("2013-01-02"), PersonalKind::kNone);
}

TEST(ColumnProfile, ANumberIsCountedOnceAmongDifferentValues) {
  EXPECT_EQ(Of("year", {"2013"}, 60).distinct(), 1);
  EXPECT_TRUE(Of("year", {"2013"}, 60).Judge().constant);
}

TEST(ColumnProfile, ScatteredPricesAreNoIdentifiers) {
  ColumnProfile price("price"), order("order_no");
  for (int64_t i = 0; i < 200; ++i) {
    price.AddInteger(100'000 + i * 7'919'317 % 900'001);
    order.AddInteger(100'000 + i * 7'919'317 % 900'001);
  }
  EXPECT_FALSE(price.Judge().identifier);
  EXPECT_TRUE(order.Judge().identifier);
}

TEST(ColumnProfile, SentencesAreNoIdentifiers) {
  ColumnProfile review("review");
  for (int i = 0; i < 100; ++i) review.AddLexeme("a very good film, number " + std::to_string(i));
  EXPECT_FALSE(review.Judge().identifier);
  EXPECT_TRUE(review.Judge().sentences);
}

TEST(ColumnProfile, TheNameOutweighsWhatOnlyLooksLikeAPhoneNumber) {
  const auto ssn = Of("ssn", {"078-05-1120", "219-09-9999"}).Judge();
  EXPECT_EQ(ssn.personal, PersonalKind::kNationalId);
  EXPECT_TRUE(ssn.personal_by_name);
}

TEST(ColumnProfile, TellsDatesFromTimes) {
  EXPECT_TRUE(Of("d", {"2023-01-01", "2023-01-02"}).Judge().dates_only);
  EXPECT_FALSE(Of("d", {"2023-01-01", "2023-01-02T01:00:00"}).Judge().dates_only);
}

TEST(WrittenText, TellsNumbersAndDatesThatNoTypedColumnReads) {
  for (const auto* text : {"1,234.56", "1.234,56", "12,5", "$63.74", "46.9%", "1 234", "-1,000", "EUR 12,50", "3 €"}) {
    EXPECT_EQ(WritingOf(text), Writing::kNumber) << text;
  }
  for (const auto* text : {"01/31/2023", "31.01.2023", "Jan 5, 2023", "5 January 2023", "1/5/23 10:30 AM"}) {
    EXPECT_EQ(WritingOf(text), Writing::kDate) << text;
  }
  for (const auto* text : {"", "A-17", "192.168.1.1", "4111 1111 1111 1111", "+49 170 1234567", "1.2.3", "one, two",
                           "12:30", "123-45-6789", "1,2,3"}) {
    EXPECT_EQ(WritingOf(text), Writing::kNone) << text;
  }
}

TEST(Bounds, AreWhatTheNameSays) {
  EXPECT_EQ(ProposedBounds("birth_month", {2, 11}).high, 12);
  EXPECT_EQ(ProposedBounds("latitude", {19.7, 72.3}).low, -90);
  EXPECT_EQ(ProposedBounds("month", {2, 40}).high, 50) << "months of a contract";
}

TEST(Bounds, FollowTheSpreadFarFromZero) {
  const auto pressure = ProposedBounds("pressure", {983.8, 1042.1});
  EXPECT_EQ(pressure.low, 950);
  EXPECT_EQ(pressure.high, 1080);
  const auto share = ProposedBounds("s", {0.71, 0.84});
  EXPECT_EQ(share.low, 0.6);
  EXPECT_EQ(share.high, 1);
  EXPECT_EQ(ProposedBounds("n", {187, 4983}).low, 0);
}

TEST(Proposal, NeverShowsAPersonsValue) {
  ColumnProfile card("payment"), born("birth_date");
  for (int i = 0; i < 60; ++i) {
    card.AddLexeme("4111111111111111");
    card.AddLexeme("5500005555555559");
    born.AddLexeme("1950-02-10");
    born.AddLexeme("1951-02-10");
  }
  const auto proposal = ProposeManifest({.bundle = "x", .file = "x.csv", .rows = 120}, {card, born});
  EXPECT_THAT(proposal.personal, ElementsAre("payment", "birth_date"));
  EXPECT_THAT(proposal.yaml, Not(HasSubstr("4111111111111111")));
  EXPECT_THAT(proposal.yaml, Not(HasSubstr("1950")));
}

TEST(Proposal, RequiresNoPersonalColumnThatNoFeatureReads) {
  const auto proposal =
      ProposeManifest({.bundle = "x", .file = "x.csv", .rows = 60}, {Of("email", {"a@b.org", "c@d.org"}, 30)});
  EXPECT_THAT(proposal.yaml, HasSubstr("email: {type: string, max_length: 16, optional: true, personal: true}"));
}

TEST(Proposal, SaysWhatKeepsWrittenNumbersFromBeingFeatures) {
  const auto proposal =
      ProposeManifest({.bundle = "x", .file = "x.csv", .rows = 60}, {Of("amount", {"1,234.56", "7.10"}, 30)});
  EXPECT_THAT(proposal.excluded, ElementsAre(HasSubstr("amount: numbers written for people, e.g. \"1,234.56\"")));
}

TEST(Proposal, DeclaresListsAsTensors) {
  ColumnProfile vector("vec");
  for (int i = 0; i < 60; ++i) vector.AddList(4);
  const auto proposal = ProposeManifest({.bundle = "x", .file = "x.csv", .rows = 60}, {vector});
  EXPECT_THAT(proposal.yaml, HasSubstr("# vec: {type: \"number[4]\"}"));
}

TEST(Proposal, WritesLargeWholeBoundsWithoutExponent) {
  ColumnProfile sum("sum");
  for (int64_t i = 0; i < 60; ++i) sum.AddInteger(i % 7 * 1'000'000'000'000'000);
  const auto proposal = ProposeManifest({.bundle = "x", .file = "x.csv", .rows = 60}, {sum});
  EXPECT_THAT(proposal.yaml, HasSubstr("max: 10000000000000000}"));
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
