#include "tables/parquet/flat_sink.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <random>

#include "base/text.h"
#include "tables/duckdb/parquet_source.h"
#include "tables/parquet_rows.h"
#include "tables/rows_text_fixture.h"
#include "tables/table_files_fixture.h"

namespace slipway::tables::parquet {
namespace {

using data::ScalarType;
using ::testing::ElementsAre;

class FlatSinkTest : public TableTest {
 protected:
  /// Rows of every kind of column, of few values and of many, with nulls and without.
  static std::vector<data::Field> Fields() {
    std::vector<data::Field> fields = {
        Field("number", ScalarType::kNumber), Field("few", ScalarType::kNumber),
        Field("nulls", ScalarType::kNumber),  Field("id", ScalarType::kInteger),
        Field("yes", ScalarType::kBoolean),   Field("time", ScalarType::kTimestamp),
        Field("text", ScalarType::kString),   Field("label", ScalarType::kString),
        Field("none", ScalarType::kString),   Field("single", ScalarType::kNumber),
        Field("p", ScalarType::kNumber, {2}),
    };
    fields[9].single_precision = true;
    fields[10].labels = {"no", "yes"};
    return fields;
  }

  static data::Table Rows(int64_t first, int64_t count) {
    data::Table table = data::Table::Make(Fields());
    for (int64_t i = first; i < first + count; ++i) {
      auto& columns = table.columns;
      columns[0].AppendNumber(i == 70 ? -0.0 : static_cast<double>(i) / 7);
      columns[1].AppendNumber(static_cast<double>(i % 5));
      i % 3 == 0 ? columns[2].AppendNull() : columns[2].AppendNumber(static_cast<double>(i));
      columns[3].AppendInteger(i * 4294967296);
      i % 11 == 0 ? columns[4].AppendNull() : columns[4].AppendBoolean(i % 3 == 0);
      columns[5].AppendInteger(1'700'000'000'000'000 + i);
      i % 4 == 0 ? columns[6].AppendNull() : columns[6].AppendString("text " + std::to_string(i));
      columns[7].AppendString(i % 2 == 0 ? "even" : "ödd");
      columns[8].AppendNull();
      columns[9].AppendNumber(static_cast<double>(i) / 3);
      columns[10].PushNumber(static_cast<double>(i));
      columns[10].PushNumber(static_cast<double>(-i));
      columns[10].CloseRow();
    }
    table.rows = count;
    return table;
  }

  std::string Write(const std::string& name, int64_t rows, int64_t batch, const TableOptions& options = {}) {
    const auto path = PathOf(name);
    const auto sink = FlatSink::Open(path, Fields(), options);
    EXPECT_TRUE(sink) << sink.error().Text();
    for (int64_t row = 0; row < rows; row += batch) {
      EXPECT_TRUE((*sink)->Write(Rows(row, std::min(batch, rows - row))));
    }
    EXPECT_TRUE((*sink)->Finish());
    return path;
  }

  /// Scalars as they were written; single precision is what it was cut to.
  static data::Layout ReadLayout() {
    auto fields = Fields();
    fields.pop_back();
    fields.push_back(Field("p.no", ScalarType::kNumber));
    fields.push_back(Field("p.yes", ScalarType::kNumber));
    return data::Layout(fields);
  }

  static std::string Expected(int64_t rows) {
    const auto layout = ReadLayout();
    data::Decoded expected(layout);
    const auto written = Rows(0, rows);
    for (size_t i = 0; i < 9; ++i) expected.table.columns[i] = written.columns[i];
    for (int64_t row = 0; row < rows; ++row) {
      expected.table.columns[9].AppendNumber(static_cast<float>(static_cast<double>(row) / 3));
      expected.table.columns[10].AppendNumber(static_cast<double>(row));
      expected.table.columns[11].AppendNumber(static_cast<double>(-row));
    }
    expected.table.rows = rows;
    return TextOf(expected);
  }

  template <typename Source>
  static std::string Read(Source& source, const data::Layout& layout) {
    data::Decoded rows(layout);
    std::string text;
    while (true) {
      const auto more = source.Next(rows, 1000);
      if (!more) return more.error().Text();
      if (!*more) return text;
      EXPECT_TRUE(rows.violations.empty());
      text += TextOf(rows);
    }
  }

  static std::vector<std::vector<std::string>> Ask(const std::string& path, const std::string& what) {
    const auto session = duckdb::Session::Open({.path = path});
    return *(*session)->QueryTexts("SELECT " + what + " FROM parquet_metadata(" + duckdb::QuotedText(path) + ")", 3);
  }
};

TEST_F(FlatSinkTest, WhatItWritesIsReadBackByBothReaders) {
  for (const int64_t rows : {0, 1, 7, 2048, 5000, 130'000}) {
    const auto path = Write("t.parquet", rows, 1500);
    const auto layout = ReadLayout();
    const auto engine = duckdb::ParquetSource::Open(path, layout, {});
    ASSERT_TRUE(engine) << engine.error().Text();
    EXPECT_EQ(Difference(Read(**engine, layout), Expected(rows)), "") << rows;
    const auto head = *ReadHead(path, {});
    EXPECT_EQ(head.rows, rows);
    ParquetRows own(head, layout, {});
    ASSERT_TRUE(own.Select(0, rows));
    EXPECT_EQ(Difference(Read(own, layout), Expected(rows)), "") << rows;
    EXPECT_FALSE(own.used_engine());
  }
}

TEST_F(FlatSinkTest, TheBytesDoNotDependOnHowTheRowsCome) {
  const TableOptions options{.row_group_rows = 4096};
  const auto bytes = base::ReadFile(Write("a.parquet", 10'000, 10'000, options)).value();
  EXPECT_TRUE(base::ReadFile(Write("b.parquet", 10'000, 1, options)).value() == bytes);
  EXPECT_TRUE(base::ReadFile(Write("c.parquet", 10'000, 777, options)).value() == bytes);
}

TEST_F(FlatSinkTest, PagesEndAtTheSameRowsHoweverTheRowsCome) {
  const std::vector<data::Field> fields = {Field("s", ScalarType::kString)};
  std::vector<std::string> files;
  for (const int64_t batch : {10'000, 777}) {
    const auto sink = *FlatSink::Open(PathOf("t.parquet"), fields, {});
    auto table = data::Table::Make(fields);
    for (int64_t row = 0; row < 10'000; ++row) {
      table.columns[0].AppendString(std::string(500, 'a') + std::to_string(row));
      if (++table.rows < batch && row + 1 < 10'000) continue;
      ASSERT_TRUE(sink->Write(table));
      table.Clear();
    }
    ASSERT_TRUE(sink->Finish());
    files.push_back(Content("t.parquet"));
  }
  EXPECT_TRUE(files[0] == files[1]);
}

TEST_F(FlatSinkTest, RowGroupsAreAsLongAsWasAskedFor) {
  const auto groups = ReadHead(Write("t.parquet", 10'000, 999, {.row_group_rows = 4096}), {})->group_ends;
  EXPECT_THAT(groups, ElementsAre(4096, 8192, 10'000));
}

TEST_F(FlatSinkTest, ARowGroupEndsBeforeItsTextOutgrowsTheMemory) {
  const auto path = PathOf("t.parquet");
  const auto sink = *FlatSink::Open(path, {Field("s", ScalarType::kString)}, {.memory = {int64_t{32} << 20}});
  auto table = data::Table::Make({Field("s", ScalarType::kString)});
  std::mt19937_64 random(1);
  for (int i = 0; i < 30'000; ++i) {
    std::string text(1000, ' ');
    for (char& c : text) c = static_cast<char>('!' + random() % 90);
    table.columns[0].AppendString(text);
  }
  table.rows = 30'000;
  ASSERT_TRUE(sink->Write(table));
  ASSERT_TRUE(sink->Finish());
  const auto head = *ReadHead(path, {});
  EXPECT_EQ(head.rows, 30'000);
  ASSERT_GE(head.group_ends.size(), 2);
  EXPECT_LT(head.group_ends.front(), 15'000);
}

TEST_F(FlatSinkTest, AConstantTakesNextToNothing) {
  const std::vector<data::Field> fields = {Field("x", ScalarType::kNumber), Field("model", ScalarType::kString)};
  const auto path = PathOf("t.parquet");
  const auto sink = *FlatSink::Open(path, fields, {.constants = {{.field = 1, .text = "it's"}}});
  auto table = data::Table::Make(fields);
  for (int i = 0; i < 100'000; ++i) table.columns[0].AppendNumber(i);
  table.rows = 100'000;
  ASSERT_TRUE(sink->Write(table));
  ASSERT_TRUE(sink->Finish());
  EXPECT_LT(base::ParseInt64(Ask(path, "total_compressed_size, path_in_schema, num_values")[1][0]), 100);
  const data::Layout layout({Field("model", ScalarType::kString)}, data::UnknownFields::kIgnore);
  const auto source = *OpenSource(path, layout);
  data::Decoded rows(layout);
  ASSERT_TRUE(*source->Next(rows, 10));
  EXPECT_EQ(rows.table.columns[0].string(9), "it's");
}

TEST_F(FlatSinkTest, TellsTheBoundsOfItsValues) {
  const auto path = Write("t.parquet", 5000, 5000);
  const auto bounds = Ask(path, "stats_min_value, stats_max_value, stats_null_count");
  EXPECT_THAT(bounds[0], ElementsAre("-0.0", "714.1428571428571", "0"));
  EXPECT_THAT(bounds[1], ElementsAre("-0.0", "4.0", "0"));
  EXPECT_THAT(bounds[2], ElementsAre("1.0", "4999.0", "1667"));
  EXPECT_THAT(bounds[4], ElementsAre("false", "true", "455"));
  EXPECT_THAT(bounds[7], ElementsAre("even", "ödd", "0"));
  EXPECT_THAT(bounds[8], ElementsAre("", "", "5000"));
}

TEST_F(FlatSinkTest, TellsNoBoundsWhereThereAreNone) {
  const std::vector<data::Field> fields = {Field("nan", ScalarType::kNumber), Field("later", ScalarType::kNumber),
                                           Field("long", ScalarType::kString)};
  auto table = data::Table::Make(fields);
  for (int i = 0; i < 3000; ++i) {
    table.columns[0].AppendNumber(i == 5 ? std::numeric_limits<double>::quiet_NaN() : i);
    table.columns[1].AppendNumber(i == 2900 ? std::numeric_limits<double>::quiet_NaN() : i);
    table.columns[2].AppendString(std::string(100, 'x'));
  }
  table.rows = 3000;
  const auto path = PathOf("t.parquet");
  const auto sink = *FlatSink::Open(path, fields, {});
  ASSERT_TRUE(sink->Write(table));
  ASSERT_TRUE(sink->Finish());
  for (const auto& bounds : Ask(path, "stats_min_value, stats_max_value, stats_null_count")) {
    EXPECT_THAT(bounds, ElementsAre("", "", "0"));
  }
}

TEST_F(FlatSinkTest, LeavesTensorsToTheEngine) {
  EXPECT_FALSE(FlatSink::CanWrite({Field("x", ScalarType::kNumber, {3})}));
  EXPECT_TRUE(FlatSink::CanWrite(Fields()));
}

}  // namespace
}  // namespace slipway::tables::parquet
