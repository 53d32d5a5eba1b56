#include "bundle/lookup_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace slipway::bundle {
namespace {

std::string Parsed(std::string_view csv) {
  auto table = ParseLookupTable(csv, "t.csv", 100);
  return table ? ToJson(*table) : table.error().Text();
}

TEST(LookupTable, TypesTheValuesOfAColumnTogether) {
  EXPECT_EQ(Parsed("key,value\na,1\nb,2\n"), R"({"a":1,"b":2})");
  EXPECT_EQ(Parsed("key,value\na,1\nb,2.5\n"), R"({"a":1.0,"b":2.5})");
  EXPECT_EQ(Parsed("key,value\na,1\nb,x\n"), R"({"a":"1","b":"x"})");
  EXPECT_EQ(Parsed("key,value\na,\"1\"\nb,2\n"), R"({"a":"1","b":"2"})");
}

TEST(LookupTable, QuotedEmptyValueIsTheEmptyText) {
  EXPECT_EQ(Parsed("key,value\na,\"\"\n"), R"({"a":""})");
}

TEST(LookupTable, KeysAreTextAsWritten) {
  EXPECT_EQ(Parsed("key,value\r\n007,1\r\n\"a,b\",2\r\n\"\",3\r\n"), R"({"007":1,"a,b":2,"":3})");
}

TEST(LookupTable, SkipsByteOrderMarkAndBlankLines) {
  EXPECT_EQ(Parsed("\xEF\xBB\xBFkey,value\n\na,1\n\n"), R"({"a":1})");
  EXPECT_EQ(Parsed("key,value"), "{}");
}

struct Fault {
  const char* csv;
  const char* text;
};
class MalformedTable : public testing::TestWithParam<Fault> {};
TEST_P(MalformedTable, NamesTheLine) {
  EXPECT_THAT(Parsed(GetParam().csv), testing::StartsWith(GetParam().text));
}
INSTANTIATE_TEST_SUITE_P(All, MalformedTable,
                         testing::Values(Fault{"", "t.csv: a lookup table is CSV whose first line is key,value"},
                                         Fault{"JFK,1\n", "t.csv:1: a lookup table is CSV"},
                                         Fault{"key,value,more\n", "t.csv:1:"},
                                         Fault{"key,value\na\n", "t.csv:2: a line has 1 cells"},
                                         Fault{"key,value\na,\n", "t.csv:2: the key \"a\" has no value"},
                                         Fault{"key,value\na,1,2\n", "t.csv:2: a line has 3 cells"},
                                         Fault{"key,value\na,1\na,2\n", "t.csv:3: the key \"a\" stands twice"},
                                         Fault{"key,value\n\xFF,1\n", "t.csv:2: not valid UTF-8"},
                                         Fault{"key,value\n\"a,1\n", "t.csv:"}));

TEST(LookupTable, EndsAtTheLimitOfEntries) {
  EXPECT_EQ(ParseLookupTable("key,value\na,1\nb,2\n", "t.csv", 1).error().reason, "bundle.limit");
}

}  // namespace
}  // namespace slipway::bundle
