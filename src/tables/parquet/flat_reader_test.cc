#include "tables/parquet/flat_reader.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "tables/duckdb/parquet_source.h"
#include "tables/parquet_description.h"
#include "tables/parquet_rows.h"
#include "tables/rows_text_fixture.h"
#include "tables/table_files_fixture.h"

namespace slipway::tables::parquet {
namespace {

using data::ScalarType;
namespace fs = std::filesystem;

constexpr base::Bytes kMemory{int64_t{256} << 20};

/// What a source fills rows [first, end) with, its violations behind them; the code of its error, if any.
template <typename Source>
std::string Filled(Source& source, const data::Layout& layout, int64_t first, int64_t end, int64_t batch) {
  if (const auto selected = source.Select(first, end); !selected) return selected.error().Text();
  data::Decoded rows(layout);
  std::string cells, violations;
  for (int64_t done = 0;; done += rows.table.rows) {
    const auto more = source.Next(rows, batch);
    if (!more) return more.error().Text();
    if (!*more) return cells + violations;
    cells += TextOf(rows);
    for (const auto& violation : rows.violations) {
      violations +=
          std::to_string(done + violation.row) + " " + std::string(data::ViolationCodeName(violation.code)) + "\n";
    }
  }
}

class FlatReaderTest : public TableTest {
 protected:
  static constexpr std::string_view kColumns =
      "i::DOUBLE / 7 AS d, CASE WHEN i % 3 = 0 THEN NULL ELSE (i % 11)::DOUBLE END AS dn, (i % 1000)::FLOAT / 4 AS f, "
      "(i % 200 - 100)::TINYINT AS i8, (i % 30000)::SMALLINT AS i16, i::INTEGER AS i32, (i * 4294967296)::BIGINT AS "
      "i64, "
      "(i % 256)::UTINYINT AS u8, (i % 65536)::USMALLINT AS u16, (i + 4000000000)::UINTEGER AS u32, "
      "(i::UBIGINT + 18446744073709000000::UBIGINT) AS u64, i % 5 = 0 AS b, "
      "CASE WHEN i % 7 = 0 THEN NULL ELSE i % 2 = 0 END AS bn, 'text ' || i AS s, "
      "CASE WHEN i % 4 < 2 THEN NULL ELSE 'é' || i % 13 END AS sn, NULL::INTEGER AS none, "
      "DATE '1969-01-01' + (i % 800)::INTEGER AS day, TIMESTAMP '1969-12-31 23:00:00.000001' + i * INTERVAL 1 SECOND "
      "AS t, "
      "TIMESTAMPTZ '1969-12-31 23:00:00.000001+00' + i * INTERVAL 1 SECOND AS tz, "
      "CASE i WHEN 1 THEN 'infinity'::TIMESTAMP WHEN 2 THEN TIMESTAMP '290000-01-01' END AS never";

  std::string Make(const std::string& name, int64_t rows, const std::string& options,
                   std::string_view columns = kColumns) {
    const auto path = PathOf(name);
    const auto session = duckdb::Session::Open({.path = path});
    EXPECT_TRUE(session) << session.error().Text();
    const auto made = (*session)->Run("COPY (SELECT " + std::string(columns) + " FROM range(" + std::to_string(rows) +
                                      ") t(i)) TO " + duckdb::QuotedText(path) + " (FORMAT parquet, " + options + ")");
    EXPECT_TRUE(made) << made.error().Text();
    return path;
  }

  /// A layout with all of the file's columns as their own types, or as numbers, or as texts.
  enum class As { kThemselves, kNumbers, kIntegers, kTexts, kAnyText };
  static data::Layout LayoutOf(const TableHead& head, As as) {
    std::vector<data::Field> fields;
    for (const auto& column : head.columns) {
      data::Field field{.name = column.name, .type = column.type.value_or(data::DataType{ScalarType::kString, {}})};
      if (as == As::kNumbers) field.type = {ScalarType::kNumber, {}};
      if (as == As::kIntegers) field.type = {ScalarType::kInteger, {}};
      if (as == As::kTexts || as == As::kAnyText) field.type = {ScalarType::kString, {}};
      field.as_text = as == As::kAnyText;
      field.zone_minutes = 90;
      fields.push_back(field);
    }
    fields.push_back({.name = "no such column", .type = {ScalarType::kNumber, {}}});
    return data::Layout(std::move(fields), data::UnknownFields::kIgnore);
  }

  /// That both readers fill any rows of the file alike, and that FlatReader really reads it.
  static void ExpectAlike(const std::string& path, As as = As::kThemselves) {
    const auto head = ReadHead(path, {});
    ASSERT_TRUE(head) << head.error().Text();
    const data::Layout layout = LayoutOf(*head, as);
    const auto flat = FlatReader::Open(path, head->columns, layout, kMemory);
    ASSERT_TRUE(flat) << path << ": " << flat.error().Text();
    const auto engine = duckdb::ParquetSource::Open(path, layout, {.threads = 1});
    ASSERT_TRUE(engine) << engine.error().Text();
    const int64_t rows = *head->rows;
    std::mt19937_64 random(7);
    std::vector<std::pair<int64_t, int64_t>> ranges = {{0, rows}, {rows / 2, (rows + 1) / 2}, {rows, rows}};
    for (int i = 0; i < 2; ++i) {
      const auto first = static_cast<int64_t>(random() % static_cast<uint64_t>(rows + 1));
      ranges.emplace_back(first, first + static_cast<int64_t>(random() % static_cast<uint64_t>(rows - first + 1)));
    }
    for (const auto& [first, end] : ranges) {
      const std::string expected = Filled(**engine, layout, first, end, 1024);
      for (const int64_t batch : {1024, 77}) {
        ASSERT_EQ(Difference(Filled(**flat, layout, first, end, batch), expected), "")
            << path << " rows " << first << " to " << end;
      }
    }
  }
};

TEST_F(FlatReaderTest, FillsRowsAsTheEngineDoes) {
  for (const std::string codec : {"uncompressed", "snappy", "gzip", "zstd"}) {
    ExpectAlike(
        Make(codec + ".parquet", 5000, "ROW_GROUP_SIZE 4096, DICTIONARY_SIZE_LIMIT 100000, COMPRESSION " + codec));
  }
}

TEST_F(FlatReaderTest, ConvertsAsTheEngineDoes) {
  const auto path = Make("t.parquet", 3000, "ROW_GROUP_SIZE 2048");
  for (const As as : {As::kThemselves, As::kNumbers, As::kIntegers, As::kTexts, As::kAnyText}) ExpectAlike(path, as);
}

TEST_F(FlatReaderTest, FillsRowsOfOtherWritersAsTheEngineDoes) {
  int files = 0;
  for (const auto& entry : fs::directory_iterator("tests/fuzz/corpus/tables_parquet")) {
    if (entry.path().extension() != ".parquet") continue;
    ++files;
    ExpectAlike(entry.path());
  }
  EXPECT_GE(files, 12);
}

TEST_F(FlatReaderTest, RefusesWhatOnlyTheEngineReads) {
  const auto path = Make("t.parquet", 100, "ROW_GROUP_SIZE 2048",
                         "i AS id, TIME '08:15:00' AS time, [i, i] AS list, {'a': i} AS object, "
                         "(i / 100)::DECIMAL(9, 2) AS decimal");
  const auto head = *ReadHead(path, {});
  const auto read = [&](const std::string& name) {
    const data::Layout layout({Field(name, ScalarType::kNumber)}, data::UnknownFields::kIgnore);
    return FlatReader::Open(path, head.columns, layout, kMemory).has_value();
  };
  EXPECT_TRUE(read("id"));  // what stands beside it does not matter
  for (const std::string name : {"time", "list", "object", "decimal"}) EXPECT_FALSE(read(name)) << name;
  const data::Layout strict({Field("id", ScalarType::kNumber)}, data::UnknownFields::kReject);
  EXPECT_FALSE(FlatReader::Open(path, head.columns, strict, kMemory));
}

TEST_F(FlatReaderTest, TakesNoMoreMemoryThanItIsGiven) {
  const auto path = Make("t.parquet", 200'000, "ROW_GROUP_SIZE 200000", "random() AS x, random() AS y");
  const auto head = *ReadHead(path, {});
  const data::Layout layout({Field("x", ScalarType::kNumber), Field("y", ScalarType::kNumber)});
  const auto flat = FlatReader::Open(path, head.columns, layout, {int64_t{1} << 20});
  ASSERT_TRUE(flat) << flat.error().Text();
  EXPECT_THAT(Filled(**flat, layout, 0, 200'000, 1024), testing::HasSubstr("larger than the memory"));
}

class DescribeParquetTest : public FlatReaderTest {
 protected:
  static std::string Written(const ParquetDescription& description) {
    std::string text = std::to_string(description.rows) + " rows:";
    for (const auto& column : description.columns) {
      text += " " + column.name + " " + column.stored_type + (column.type ? "" : " (no type of ours)");
    }
    text += "; groups:";
    for (const int64_t end : description.group_ends) text += " " + std::to_string(end);
    return text;
  }

  static void ExpectAlike(const std::string& path) {
    const auto found = DescribeParquet(path, {});
    const auto expected = duckdb::DescribeParquet(path, {});
    ASSERT_TRUE(found && expected) << path;
    EXPECT_EQ(Written(*found), Written(*expected)) << path;
  }
};

TEST_F(DescribeParquetTest, SaysWhatTheEngineSays) {
  ExpectAlike(Make("all.parquet", 5000, "ROW_GROUP_SIZE 2048"));
  ExpectAlike(Make("names.parquet", 10, "ROW_GROUP_SIZE 2048", "i AS \"a b\", i AS \"é\"\"\""));
  ExpectAlike(
      Make("more.parquet", 10, "ROW_GROUP_SIZE 2048", "i AS a, [i] AS b, TIME '08:15:00' AS c, 'x'::BLOB AS d"));
  for (const auto& entry : fs::directory_iterator("tests/fuzz/corpus/tables_parquet")) {
    if (entry.path().extension() == ".parquet") ExpectAlike(entry.path());
  }
}

class ParquetRowsTest : public FlatReaderTest {
 protected:
  static std::string Sum(ParquetRows& rows, const data::Layout& layout, int64_t first, int64_t end) {
    const std::string cells = Filled(rows, layout, first, end, 500);
    return std::to_string(std::ranges::count(cells, '\n')) + (rows.used_engine() ? " rows by the engine" : " rows");
  }
};

TEST_F(ParquetRowsTest, DoesWithoutTheEngineWhereItCan) {
  const auto head = *ReadHead(Make("t.parquet", 5000, "ROW_GROUP_SIZE 2048", "i::DOUBLE AS x, 'a' AS s"), {});
  const data::Layout layout = LayoutOf(head, As::kThemselves);
  ParquetRows rows(head, layout, {});
  EXPECT_EQ(Sum(rows, layout, 0, 5000), "5000 rows");
  EXPECT_EQ(Sum(rows, layout, 100, 4000), "3900 rows");
}

TEST_F(ParquetRowsTest, AsksTheEngineForTypesItDoesNotRead) {
  const auto head = *ReadHead(Make("t.parquet", 3000, "ROW_GROUP_SIZE 2048", "i::DECIMAL(12, 2) AS x"), {});
  const data::Layout layout = LayoutOf(head, As::kThemselves);
  ParquetRows rows(head, layout, {});
  EXPECT_EQ(Sum(rows, layout, 0, 3000), "3000 rows by the engine");
}

TEST_F(ParquetRowsTest, LeavesTheLastWordOnADamagedPageToTheEngine) {
  const auto path = Make("t.parquet", 9000, "ROW_GROUP_SIZE 2048, COMPRESSION uncompressed", "'row ' || i AS s");
  std::string bytes = *base::ReadFile(path);
  bytes[bytes.find("row 5000")] = '\xff';
  Store("t.parquet", bytes);
  const auto head = *ReadHead(path, {});
  const data::Layout layout = LayoutOf(head, As::kThemselves);
  ParquetRows rows(head, layout, {});
  ASSERT_TRUE(rows.Select(0, 9000));
  data::Decoded decoded(layout);
  int64_t read = 0;
  base::Result<bool> more = true;
  while ((more = rows.Next(decoded, 1000)) && *more) read += decoded.table.rows;
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().reason, "tables.duckdb");
  EXPECT_THAT(more.error().message, testing::HasSubstr("is not valid UTF8"));
  EXPECT_EQ(read, 4000);
  EXPECT_EQ(Sum(rows, layout, 6144, 9000), "2856 rows");  // what is behind it is read
}

}  // namespace
}  // namespace slipway::tables::parquet
