#include "tables/format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace slipway::tables {
namespace {

using ::testing::HasSubstr;

TEST(Format, IsSaidByTheExtension) {
  EXPECT_EQ(FormatOf("a/b.csv"), Format::kCsv);
  EXPECT_EQ(FormatOf("b.TSV"), Format::kTsv);
  EXPECT_EQ(FormatOf("b.ndjson"), Format::kJsonLines);
  EXPECT_EQ(FormatOf("b.x.json"), Format::kJson);
  EXPECT_EQ(FormatOf("b.parquet"), Format::kParquet);
  EXPECT_EQ(FormatOf("a/b.csv.gz"), Format::kCsv);
  EXPECT_EQ(FormatOf("b.jsonl.ZST"), Format::kJsonLines);
}

TEST(Format, HasToBeNamedWhereNothingSaysIt) {
  EXPECT_THAT(FormatOf("-").error().message, HasSubstr("a stream has no extension"));
  EXPECT_THAT(FormatOf("table").error().message, HasSubstr("has no extension"));
  EXPECT_THAT(FormatOf("table.txt").error().message, HasSubstr("none that is known"));
  EXPECT_EQ(FormatOf("table.xlsx").error().reason, "tables.format");
}

TEST(Format, ACompressedFileOrASheetIsToldTheWayOut) {
  EXPECT_THAT(FormatOf("table.csv.bz2").error().message, HasSubstr("unpack it first"));
  EXPECT_THAT(FormatOf("table.xlsx").error().message, HasSubstr("save the sheet as CSV"));
}

TEST(Format, IsKnownByName) {
  EXPECT_EQ(ParseFormat("JSONL"), Format::kJsonLines);
  EXPECT_THAT(ParseFormat("xml").error().message, HasSubstr("use csv, tsv, ssv, jsonl"));
  EXPECT_EQ(FormatName(Format::kJsonLines), "jsonl");
}

}  // namespace
}  // namespace slipway::tables
