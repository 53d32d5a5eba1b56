#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "data/timestamp.h"
#include "tables/duckdb/session.h"
#include "tables/table_files.h"
#include "tables/table_files_fixture.h"

namespace slipway::tables::duckdb {
namespace {

using data::ScalarType;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class Parquet : public TableTest {
 protected:
  /// A Parquet file that DuckDB itself writes.
  std::string Make(const std::string& name, const std::string& select) {
    const auto path = PathOf(name);
    const auto session = Session::Open({.path = path});
    EXPECT_TRUE(session.has_value()) << session.error().Text();
    const auto made =
        (*session)->Run("COPY (" + select + ") TO " + QuotedText(path) + " (FORMAT parquet, USE_TMP_FILE false)");
    EXPECT_TRUE(made.has_value()) << made.error().Text();
    return path;
  }

  std::string ReadAs(const std::string& select, ScalarType type, std::vector<int64_t> shape = {}) {
    const data::Layout layout({Field("x", type, std::move(shape))});
    return ReadFileAs(Make("made.parquet", select), layout);
  }

  static int64_t Rows(const std::string& path, const data::Layout& layout) {
    const auto source = *OpenSource(path, layout);
    data::Decoded rows(layout);
    int64_t count = 0;
    while (*source->Next(rows, 1000)) count += rows.table.rows;
    return count;
  }
};

TEST_F(Parquet, ReadsIntegersOfEveryWidth) {
  for (const std::string type : {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER",
                                 "UBIGINT", "HUGEINT", "DECIMAL(4,0)", "DECIMAL(30,0)"}) {
    EXPECT_EQ(ReadAs("SELECT 42::" + type + " AS x", ScalarType::kInteger), "{\"x\":42}\n") << type;
  }
  EXPECT_EQ(ReadAs("SELECT -9223372036854775808::DECIMAL(38,0) AS x", ScalarType::kInteger),
            "{\"x\":-9223372036854775808}\n");
  EXPECT_EQ(ReadAs("SELECT 18446744073709551615::UBIGINT AS x", ScalarType::kInteger), "schema.wrong_type\n");
}

TEST_F(Parquet, ReadsNumbers) {
  EXPECT_EQ(ReadAs("SELECT 0.1::DOUBLE AS x", ScalarType::kNumber), "{\"x\":0.1}\n");
  EXPECT_EQ(ReadAs("SELECT 0.1::FLOAT AS x", ScalarType::kNumber), "{\"x\":0.10000000149011612}\n");
  EXPECT_EQ(ReadAs("SELECT -12.345::DECIMAL(9,3) AS x", ScalarType::kNumber), "{\"x\":-12.345}\n");
  EXPECT_EQ(ReadAs("SELECT 1234567890123456789012345.678901::DECIMAL(38,6) AS x", ScalarType::kNumber),
            "{\"x\":1.2345678901234568e+24}\n");
  EXPECT_EQ(ReadAs("SELECT 2.0::DECIMAL(4,1) AS x", ScalarType::kInteger), "{\"x\":2}\n");
  EXPECT_EQ(ReadAs("SELECT true AS x", ScalarType::kNumber), "schema.wrong_type\n");
}

TEST_F(Parquet, ReadsTexts) {
  EXPECT_EQ(ReadAs("SELECT unnest(['', 'short', 'longer than twelve bytes', NULL]) AS x", ScalarType::kString),
            "{\"x\":\"\"}\n{\"x\":\"short\"}\n{\"x\":\"longer than twelve bytes\"}\n{\"x\":null}\n");
  EXPECT_EQ(ReadAs("SELECT 'b'::ENUM('a', 'b') AS x", ScalarType::kString), "{\"x\":\"b\"}\n");
  EXPECT_EQ(ReadAs("SELECT '6ba7b810-9dad-11d1-80b4-00c04fd430c8'::UUID AS x", ScalarType::kString),
            "{\"x\":\"6ba7b810-9dad-11d1-80b4-00c04fd430c8\"}\n");
  EXPECT_EQ(ReadAs("SELECT 'ab'::BLOB AS x", ScalarType::kString), "schema.wrong_type\n");
}

TEST_F(Parquet, ReadsTimestampsOfEveryUnit) {
  const std::string expected = "{\"x\":\"2013-07-04T08:15:00Z\"}\n";
  for (const std::string type : {"TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP", "TIMESTAMP_NS"}) {
    EXPECT_EQ(ReadAs("SELECT '2013-07-04 08:15:00'::" + type + " AS x", ScalarType::kTimestamp), expected) << type;
  }
  EXPECT_EQ(ReadAs("SELECT make_timestamptz(1372925700000000) AS x", ScalarType::kTimestamp), expected);
  EXPECT_EQ(ReadAs("SELECT DATE '1969-12-31' AS x", ScalarType::kTimestamp), "{\"x\":\"1969-12-31T00:00:00Z\"}\n");
  EXPECT_EQ(ReadAs("SELECT '1969-12-31 23:59:59.123456789'::TIMESTAMP_NS AS x", ScalarType::kTimestamp),
            "{\"x\":\"1969-12-31T23:59:59.123456Z\"}\n");
  EXPECT_EQ(ReadAs("SELECT 'infinity'::TIMESTAMP AS x", ScalarType::kTimestamp), "schema.wrong_type\n");
  EXPECT_EQ(ReadAs("SELECT '290000-01-01'::DATE AS x", ScalarType::kTimestamp), "schema.wrong_type\n");
  EXPECT_EQ(ReadAs("SELECT TIME '08:15:00' AS x", ScalarType::kTimestamp), "schema.wrong_type\n");
}

TEST_F(Parquet, TakesTimesWithoutZoneAtTheColumnsZone) {
  data::Field field = Field("x", ScalarType::kTimestamp);
  field.zone_minutes = -300;
  EXPECT_EQ(ReadFileAs(Make("t.parquet", "SELECT TIMESTAMP '2013-07-04 08:15:00' AS x"), data::Layout({field})),
            "{\"x\":\"2013-07-04T13:15:00Z\"}\n");
  EXPECT_EQ(ReadFileAs(Make("u.parquet", "SELECT make_timestamptz(0) AS x"), data::Layout({field})),
            "{\"x\":\"1970-01-01T00:00:00Z\"}\n");
}

TEST_F(Parquet, ReadsListsAsTensors) {
  EXPECT_EQ(ReadAs("SELECT [1.5, 2, 3] AS x", ScalarType::kNumber, {3}), "{\"x\":[1.5,2.0,3.0]}\n");
  EXPECT_EQ(ReadAs("SELECT [[1, 2], [3, 4]] AS x", ScalarType::kInteger, {2, -1}), "{\"x\":[[1,2],[3,4]]}\n");
  EXPECT_EQ(ReadAs("SELECT ['a', 'b'] AS x", ScalarType::kString, {-1}), "{\"x\":[\"a\",\"b\"]}\n");
  EXPECT_EQ(ReadAs("SELECT [DATE '2013-07-04'] AS x", ScalarType::kTimestamp, {1}),
            "{\"x\":[\"2013-07-04T00:00:00Z\"]}\n");
  EXPECT_EQ(ReadAs("SELECT unnest([[1], NULL, [2]]) AS x", ScalarType::kInteger, {1}),
            "{\"x\":[1]}\n{\"x\":null}\n{\"x\":[2]}\n");
}

TEST_F(Parquet, RefusesListsOfAnotherShape) {
  EXPECT_EQ(ReadAs("SELECT [1, 2] AS x", ScalarType::kNumber, {3}), "schema.shape\n");
  EXPECT_EQ(ReadAs("SELECT [[1], [2, 3]] AS x", ScalarType::kNumber, {2, 2}), "schema.shape\n");
  EXPECT_EQ(ReadAs("SELECT [1, NULL] AS x", ScalarType::kNumber, {2}), "schema.null\n");
  EXPECT_EQ(ReadAs("SELECT [1] AS x", ScalarType::kNumber), "schema.wrong_type\n");
  EXPECT_EQ(ReadAs("SELECT 1 AS x", ScalarType::kNumber, {1}), "schema.wrong_type\n");
  EXPECT_EQ(ReadAs("SELECT {'a': 1} AS x", ScalarType::kNumber), "schema.wrong_type\n");
}

TEST_F(Parquet, ReportsMissingAndUnknownColumns) {
  const data::Layout layout({Field("here", ScalarType::kInteger), Field("gone", ScalarType::kInteger)});
  const auto source = *OpenSource(Make("t.parquet", "SELECT 1 AS here, 2 AS goen"), layout);
  data::Decoded rows(layout);
  ASSERT_TRUE(*source->Next(rows, 10));
  EXPECT_TRUE(rows.IsAbsent(1, 0));
  ASSERT_EQ(rows.violations.size(), 1u);
  EXPECT_THAT(rows.violations[0].message, HasSubstr("goen is none of this model's fields (did you mean \"gone\"?)"));
  EXPECT_THAT(source->header(), ElementsAre("here", "goen"));
}

TEST_F(Parquet, CountsRowsWhereNoColumnIsWanted) {
  const data::Layout layout({Field("other", ScalarType::kInteger)}, data::UnknownFields::kIgnore);
  EXPECT_EQ(Rows(Make("t.parquet", "SELECT range AS x FROM range(5000)"), layout), 5000);
}

TEST_F(Parquet, KeepsTheOrderOfRows) {
  const data::Layout layout({Field("x", ScalarType::kInteger)});
  const auto source = *OpenSource(Make("t.parquet", "SELECT range AS x FROM range(400000)"), layout, {.threads = 4});
  data::Decoded rows(layout);
  int64_t next = 0, disorder = 0;
  while (*source->Next(rows, 777)) {
    for (int64_t row = 0; row < rows.table.rows; ++row)
      disorder += rows.table.columns[0].view().integers()[row] != next++;
  }
  EXPECT_EQ(next, 400000);
  EXPECT_EQ(disorder, 0);
  EXPECT_EQ(source->progress().done, 400000);
  EXPECT_EQ(source->progress().total, 400000);
}

TEST_F(Parquet, ReadsAgainAfterRewind) {
  const data::Layout layout({Field("x", ScalarType::kInteger)});
  const auto source = *OpenSource(Make("t.parquet", "SELECT range AS x FROM range(3)"), layout);
  const std::string first = ReadAll(*source, layout, 2);
  ASSERT_TRUE(source->Rewind().has_value());
  EXPECT_EQ(ReadAll(*source, layout, 2), first);
}

TEST_F(Parquet, CarriesColumnsOfAnyTypeAsText) {
  data::Field field = Field("x", ScalarType::kString);
  field.as_text = true;
  const data::Layout layout({field});
  EXPECT_EQ(ReadFileAs(Make("a.parquet", "SELECT 12.50::DECIMAL(9,2) AS x"), layout), "{\"x\":\"12.50\"}\n");
  EXPECT_EQ(ReadFileAs(Make("b.parquet", "SELECT TIME '08:15:00' AS x"), layout), "{\"x\":\"08:15:00\"}\n");
  EXPECT_EQ(ReadFileAs(Make("c.parquet", "SELECT [1, 2] AS x"), layout), "{\"x\":\"[1, 2]\"}\n");
  EXPECT_EQ(ReadFileAs(Make("d.parquet", "SELECT TIMESTAMP '2013-07-04 08:15:00' AS x"), layout),
            "{\"x\":\"2013-07-04T08:15:00Z\"}\n");
}

TEST_F(Parquet, TellsItsColumns) {
  const auto columns =
      *ReadColumns(Make("t.parquet",
                        "SELECT 1::INTEGER AS i, 1.5::DECIMAL(4,1) AS d, 's' AS s, [[1.0::DOUBLE]] AS v, "
                        "TIME '08:00:00' AS t, DATE '2013-01-01' AS \"a \"\"b\""));
  std::vector<std::string> words;
  for (const auto& column : columns) {
    words.push_back(column.name + ": " + column.stored_type + " = " + (column.type ? column.type->ToString() : "?"));
  }
  EXPECT_THAT(words, ElementsAre("i: INTEGER = integer", "d: DECIMAL(4,1) = number", "s: VARCHAR = string",
                                 "v: DOUBLE[][] = number[?,?]", "t: TIME = ?", "a \"b: DATE = timestamp"));
}

TEST_F(Parquet, QuotesNamesAndPaths) {
  const data::Layout layout({Field("a \"b", ScalarType::kInteger)});
  EXPECT_EQ(ReadFileAs(Make("it's [1].parquet", "SELECT 1 AS \"a \"\"b\""), layout), "{\"a \\\"b\":1}\n");
}

TEST_F(Parquet, RefusesWhatIsNoParquetFile) {
  const data::Layout layout({Field("x", ScalarType::kInteger)});
  EXPECT_THAT(ReadFileAs(Store("t.parquet", "a,b\n1,2\n"), layout), HasSubstr("no Parquet file"));
  EXPECT_THAT(ReadFileAs(Store("u.parquet", ""), layout), HasSubstr("no Parquet file"));
  EXPECT_THAT(ReadFileAs(PathOf("none.parquet"), layout), StartsWith("tables.missing"));
}

TEST_F(Parquet, SurvivesDamagedFiles) {
  const data::Layout layout({Field("x", ScalarType::kInteger)});
  const auto path = Make("t.parquet", "SELECT range AS x FROM range(100000)");
  std::string bytes = Content("t.parquet");
  for (size_t i = 100; i < bytes.size() - 400; i += 50) bytes[i] = static_cast<char>(bytes[i] ^ 0x5A);
  EXPECT_THAT(ReadFileAs(Store("damaged.parquet", bytes), layout), HasSubstr("tables.duckdb: "));
  EXPECT_THAT(ReadFileAs(Store("cut.parquet", bytes.substr(0, bytes.size() / 2)), layout),
              HasSubstr("no Parquet file"));
}

TEST_F(Parquet, TouchesNoOtherFile) {
  const auto other = Store("other.csv", "a\n1\n");
  const auto session = *Session::Open({.path = PathOf("t.parquet")});
  EXPECT_FALSE(session->Run("SELECT * FROM read_csv(" + QuotedText(other) + ")").has_value());
  EXPECT_FALSE(session->Run("INSTALL httpfs").has_value());
  EXPECT_FALSE(session->Run("SET enable_external_access = true").has_value());
}

/// A table with a column of every kind, written and read back.
class ParquetRoundTrip : public Parquet {
 protected:
  ParquetRoundTrip() {
    fields_ = {Field("b", ScalarType::kBoolean),     Field("i", ScalarType::kInteger),
               Field("n", ScalarType::kNumber),      Field("f", ScalarType::kNumber),
               Field("s", ScalarType::kString),      Field("t", ScalarType::kTimestamp),
               Field("v", ScalarType::kNumber, {2}), Field("m", ScalarType::kInteger, {-1, 2}),
               Field("w", ScalarType::kString, {-1})};
    fields_[3].single_precision = true;
  }

  data::Table Rows(const std::string& json_lines) const {
    const data::Layout layout(fields_);
    data::Decoded rows(layout);
    data::JsonRowDecoder decoder(layout);
    for (size_t begin = 0; begin < json_lines.size(); begin = json_lines.find('\n', begin) + 1) {
      decoder.DecodeLine(std::string_view(json_lines).substr(begin, json_lines.find('\n', begin) - begin), rows);
    }
    EXPECT_TRUE(rows.violations.empty());
    return rows.table;
  }

  void WriteFile(const std::string& name, const std::vector<data::Table>& tables) {
    const auto sink = OpenSink(PathOf(name), fields_);
    ASSERT_TRUE(sink.has_value()) << sink.error().Text();
    for (const auto& table : tables) ASSERT_TRUE((*sink)->Write(table).has_value());
    const auto finished = (*sink)->Finish();
    ASSERT_TRUE(finished.has_value()) << finished.error().Text();
  }

  std::vector<data::Field> fields_;
  const std::string rows_ =
      "{\"b\":true,\"i\":9007199254740993,\"n\":-0.0,\"f\":0.10000000149011612,\"s\":\"\",\"t\":\"2013-07-04T08:15:"
      "00Z\","
      "\"v\":[1.5,2.0],\"m\":[[1,2],[3,4]],\"w\":[\"a\",\"a longer text than twelve\"]}\n"
      "{\"b\":null,\"i\":null,\"n\":null,\"f\":null,\"s\":null,\"t\":null,\"v\":null,\"m\":null,\"w\":null}\n"
      "{\"b\":false,\"i\":-1,\"n\":1e+300,\"f\":2.5,\"s\":\"a longer text than "
      "twelve\",\"t\":\"1969-12-31T23:59:59.500000Z\","
      "\"v\":[0.0,-1.0],\"m\":[],\"w\":[]}\n";
};

TEST_F(ParquetRoundTrip, KeepsEveryValue) {
  WriteFile("t.parquet", {Rows(rows_)});
  auto exact = fields_;
  exact[3].single_precision = false;
  EXPECT_EQ(ReadFileAs(PathOf("t.parquet"), data::Layout(exact)), rows_);
}

TEST_F(ParquetRoundTrip, StoresTheTypes) {
  WriteFile("t.parquet", {Rows(rows_)});
  std::vector<std::string> types;
  const auto columns = *ReadColumns(PathOf("t.parquet"));
  for (const auto& column : columns) types.push_back(column.stored_type);
  EXPECT_THAT(types, ElementsAre("BOOLEAN", "BIGINT", "DOUBLE", "FLOAT", "VARCHAR", "TIMESTAMP WITH TIME ZONE",
                                 "DOUBLE[]", "BIGINT[][]", "VARCHAR[]"));
}

TEST_F(ParquetRoundTrip, WritesTheSameBytesHoweverRowsAreCut) {
  const data::Table few = Rows(rows_);
  std::string many_rows;
  for (int i = 0; i < 3000; ++i) many_rows += rows_;
  const data::Table many = Rows(many_rows);
  WriteFile("one.parquet", {many});
  WriteFile("cut.parquet", std::vector<data::Table>(3000, few));
  WriteFile("again.parquet", {many});
  EXPECT_TRUE(Content("one.parquet") == Content("cut.parquet"));
  EXPECT_TRUE(Content("one.parquet") == Content("again.parquet"));
  EXPECT_EQ(Parquet::Rows(PathOf("cut.parquet"), data::Layout(fields_)), 9000);
}

TEST_F(ParquetRoundTrip, GivesEachLabelAColumn) {
  fields_ = {Field("p", ScalarType::kNumber, {2})};
  fields_[0].labels = {"no", "yes"};
  fields_[0].single_precision = true;
  data::Table table = data::Table::Make(fields_);
  table.columns[0].PushNumber(0.25);
  table.columns[0].PushNumber(0.75);
  table.columns[0].CloseRow();
  table.columns[0].AppendNull();
  table.rows = 2;
  WriteFile("t.parquet", {table});
  const data::Layout layout({Field("p.no", ScalarType::kNumber), Field("p.yes", ScalarType::kNumber)});
  EXPECT_EQ(ReadFileAs(PathOf("t.parquet"), layout),
            "{\"p.no\":0.25,\"p.yes\":0.75}\n{\"p.no\":null,\"p.yes\":null}\n");
}

TEST_F(ParquetRoundTrip, WritesTextsThatDoNotChangeAsAnyOtherText) {
  fields_ = {Field("p", ScalarType::kNumber, {2}), Field("model", ScalarType::kString),
             Field("i", ScalarType::kInteger)};
  fields_[0].labels = {"no", "yes"};
  data::Table table = data::Table::Make(fields_);
  for (int64_t i = 0; i < 3; ++i) {
    table.columns[0].PushNumber(0.25);
    table.columns[0].PushNumber(0.75);
    table.columns[0].CloseRow();
    table.columns[2].AppendInteger(i);
  }
  table.rows = 3;
  TableOptions options;
  options.constants = {{.field = 1, .text = "it's \"ü\""}};
  const auto sink = *OpenSink(PathOf("t.parquet"), fields_, options);
  ASSERT_TRUE(sink->Write(table).has_value());
  ASSERT_TRUE(sink->Finish().has_value());
  const auto columns = *ReadColumns(PathOf("t.parquet"));
  ASSERT_EQ(columns.size(), 4u);
  EXPECT_EQ(columns[2].stored_type, "VARCHAR");
  const data::Layout layout(
      {Field("p.yes", ScalarType::kNumber), Field("model", ScalarType::kString), Field("i", ScalarType::kInteger)},
      data::UnknownFields::kIgnore);
  std::string expected;
  for (int i = 0; i < 3; ++i) {
    expected += "{\"p.yes\":0.75,\"model\":\"it's \\\"ü\\\"\",\"i\":" + std::to_string(i) + "}\n";
  }
  EXPECT_EQ(ReadFileAs(PathOf("t.parquet"), layout), expected);
}

TEST_F(ParquetRoundTrip, WritesATableWithoutRows) {
  WriteFile("t.parquet", {});
  EXPECT_EQ(ReadFileAs(PathOf("t.parquet"), data::Layout(fields_)), "");
}

TEST_F(ParquetRoundTrip, LeavesNothingWithoutFinish) {
  {
    const auto sink = *OpenSink(PathOf("t.parquet"), fields_);
    ASSERT_TRUE(sink->Write(Rows(rows_)).has_value());
  }
  EXPECT_THAT(Files(), ::testing::IsEmpty());
}

TEST_F(ParquetRoundTrip, SaysWhyItCannotWrite) {
  EXPECT_EQ(OpenSink(PathOf("no/such/t.parquet"), fields_).error().reason, "tables.write");
  EXPECT_EQ(OpenSink("-", fields_, {.format = Format::kParquet}).error().reason, "tables.unfit");
  EXPECT_EQ(OpenSink(PathOf("t.parquet"), {}).error().reason, "tables.unfit");
  EXPECT_THAT(Files(), ::testing::IsEmpty());
}

TEST_F(Parquet, WritesGroupsOfTheRowsThatWereAskedForInWholeVectors) {
  const auto path = PathOf("groups.parquet");
  TableOptions options;
  options.row_group_rows = 5000;
  const std::vector<data::Field> fields = {Field("x", ScalarType::kInteger)};
  const auto sink = OpenSink(path, fields, options);
  ASSERT_TRUE(sink) << sink.error().Text();
  auto table = data::Table::Make(fields);
  for (int64_t i = 0; i < 10'000; ++i) table.columns[0].AppendInteger(i);
  table.rows = 10'000;
  ASSERT_TRUE((*sink)->Write(table));
  ASSERT_TRUE((*sink)->Finish());
  const auto session = *Session::Open({.path = path});
  const auto groups = session->QueryTexts("SELECT DISTINCT row_group_id, row_group_num_rows FROM parquet_metadata(" +
                                          QuotedText(path) + ") ORDER BY 1");
  ASSERT_TRUE(groups) << groups.error().Text();
  EXPECT_THAT(*groups, ElementsAre(ElementsAre("0", "4096"), ElementsAre("1", "4096"), ElementsAre("2", "1808")));
}

}  // namespace
}  // namespace slipway::tables::duckdb
