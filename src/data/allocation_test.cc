// In steady state the good path allocates nothing: counted by replacing operator new in this program.

#include <gtest/gtest.h>

#include "base/allocation_count_test.h"
#include "data/csv_rows.h"
#include "data/json_rows.h"
#include "data/json_tables.h"

namespace slipway::data {
namespace {

// Thirty fields: numbers, and two each of the other types.
Layout ThirtyFields() {
  std::vector<Field> fields(30);
  for (size_t i = 0; i < fields.size(); ++i) fields[i].name = "feature_" + std::to_string(i);
  const ScalarType others[] = {ScalarType::kBoolean, ScalarType::kInteger, ScalarType::kString, ScalarType::kTimestamp};
  for (size_t i = 0; i < 8; ++i) fields[i].type.scalar = others[i % 4];
  fields[9].type.shape = {3};
  return Layout(fields);
}

const std::string_view kOtherCells[] = {"true", "-17", "\"a text beyond the small string\"",
                                        "\"2013-07-04T08:15:00+02:00\""};

std::string JsonRecord() {
  std::string text = "{";
  for (int i = 0; i < 30; ++i) {
    text += (i == 0 ? "\"feature_" : ", \"feature_") + std::to_string(i) + "\": ";
    text += i < 8     ? std::string(kOtherCells[i % 4])
            : i == 9  ? "[1, 2.5, 3e4]"
            : i == 11 ? "null"
                      : "-123.456789012345678";
  }
  return text + "}";
}

std::string CsvText() {
  std::string header;
  std::string row;
  for (int i = 0; i < 30; ++i) {
    header += (i == 0 ? "feature_" : ",feature_") + std::to_string(i);
    row += i == 0 ? "" : ",";
    row += i < 8 ? std::string(kOtherCells[i % 4]) : i == 9 ? "\"[1,2,3]\"" : i == 11 ? "" : "-123.456789012345678";
  }
  return header + "\n" + row + "\n" + row + "\n";
}

template <typename Work>
int64_t AllocationsOf(Work work) {
  const int64_t before = base::AllocationsOfThisThread();
  work();
  return base::AllocationsOfThisThread() - before;
}

TEST(Allocation, DecodingARecordOfThirtyFieldsAllocatesNothing) {
  const Layout layout = ThirtyFields();
  const std::string text = JsonRecord();
  JsonRowDecoder decoder(layout);
  Decoded out(layout);
  const auto decode = [&] {
    out.Clear();
    ASSERT_TRUE(decoder.DecodeDocument(text, out));
    ASSERT_TRUE(out.violations.empty()) << out.violations[0].message;
  };
  decode();
  EXPECT_EQ(AllocationsOf(decode), 0);
}

TEST(Allocation, DecodingALineAllocatesNothing) {
  const Layout layout = ThirtyFields();
  const std::string text = JsonRecord();
  JsonRowDecoder decoder(layout);
  Decoded out(layout);
  const auto decode = [&] {
    out.Clear();
    decoder.DecodeLine(text, out);
    ASSERT_TRUE(out.violations.empty());
  };
  decode();
  EXPECT_EQ(AllocationsOf(decode), 0);
}

TEST(Allocation, DecodingCsvRowsAllocatesNothing) {
  const Layout layout = ThirtyFields();
  const std::string text = CsvText();
  const std::string rows = text.substr(text.find('\n') + 1);
  CsvRowDecoder decoder(layout);
  Decoded out(layout);
  ASSERT_TRUE(decoder.Feed(text, out));
  const auto decode = [&] {
    out.Clear();
    ASSERT_TRUE(decoder.Feed(rows, out));
    ASSERT_EQ(out.table.rows, 2);
    ASSERT_TRUE(out.violations.empty()) << out.violations[0].message;
  };
  decode();
  EXPECT_EQ(AllocationsOf(decode), 0);
}

constexpr JsonTableFormat::Member kTables[] = {
    {"rows", JsonTableForm::kRows}, {"columns", JsonTableForm::kColumns}, {"split", JsonTableForm::kSplit}};

/// The record twice, as rows, columns or a split frame.
std::string JsonTableText(JsonTableForm form) {
  if (form == JsonTableForm::kRows) return "{\"rows\":[" + JsonRecord() + "," + JsonRecord() + "]}";
  const auto record = base::ParseJson(JsonRecord()).value();
  std::string names, values, columns;
  for (const auto& [name, value] : record.map()) {
    const std::string comma = names.empty() ? "" : ",", key = "\"" + name + "\"", text = base::ToJson(value);
    names += comma + key;
    values += comma + text;
    columns.append(comma).append(key).append(":[").append(text).append(",").append(text).append("]");
  }
  if (form == JsonTableForm::kColumns) return "{\"columns\":{" + columns + "}}";
  return "{\"split\":{\"columns\":[" + names + "],\"data\":[[" + values + "],[" + values + "]]}}";
}

class TableAllocation : public testing::TestWithParam<JsonTableForm> {};

TEST_P(TableAllocation, DecodingTablesAllocatesNothing) {
  const Layout layout = ThirtyFields();
  const std::string text = JsonTableText(GetParam());
  JsonTableDecoder decoder(layout);
  Decoded out(layout);
  const auto decode = [&] {
    out.Clear();
    ASSERT_TRUE(decoder.Decode(text, {.tables = kTables}, out));
    ASSERT_EQ(out.table.rows, 2);
    ASSERT_TRUE(out.violations.empty()) << out.violations[0].message;
  };
  decode();
  EXPECT_EQ(AllocationsOf(decode), 0);
}
INSTANTIATE_TEST_SUITE_P(Forms, TableAllocation,
                         testing::Values(JsonTableForm::kRows, JsonTableForm::kColumns, JsonTableForm::kSplit));

TEST(Allocation, EncodingARowAllocatesNothing) {
  const Layout layout = ThirtyFields();
  Decoded out(layout);
  ASSERT_TRUE(JsonRowDecoder(layout).DecodeDocument(JsonRecord(), out));
  const JsonRowEncoder encoder(layout.fields());
  std::string text;
  encoder.AppendRow(out.table, 0, text);
  const auto encode = [&] {
    text.clear();
    encoder.AppendRow(out.table, 0, text);
  };
  EXPECT_EQ(AllocationsOf(encode), 0);
}

TEST(Allocation, IsCounted) {
  const auto allocate = [] { std::vector<int>(1000).swap(*std::make_unique<std::vector<int>>()); };
  EXPECT_GT(AllocationsOf(allocate), 0);
}

}  // namespace
}  // namespace slipway::data
