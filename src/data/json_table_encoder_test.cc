#include <gtest/gtest.h>

#include <cmath>

#include "data/json_tables.h"

namespace slipway::data {
namespace {

std::vector<Field> Fields() {
  std::vector<Field> fields(3);
  fields[0].name = "n";
  fields[1].name = "t_bytes";
  fields[1].type.scalar = ScalarType::kString;
  fields[2].name = "v";
  fields[2].type.shape = {2};
  fields[2].labels = {"yes", "no"};
  return fields;
}

Table TwoRows() {
  Table table = Table::Make(Fields());
  table.columns[0].AppendNumber(1.5);
  table.columns[0].AppendNumber(std::nan(""));
  table.columns[1].AppendString("hi");
  table.columns[1].AppendNull();
  for (const double value : std::vector<double>{0.25, -INFINITY, INFINITY, -0.0}) {
    table.columns[2].PushNumber(value);
    if (table.columns[2].pending() == 2) table.columns[2].CloseRow();
  }
  table.rows = 2;
  return table;
}

TEST(JsonTableEncoder, WritesRows) {
  std::string out;
  JsonTableEncoder(Fields()).AppendRows(TwoRows(), {}, out);
  EXPECT_EQ(
      out,
      R"([{"n":1.5,"t_bytes":"hi","v":{"yes":0.25,"no":null}},{"n":null,"t_bytes":null,"v":{"yes":null,"no":-0.0}}])");
}

TEST(JsonTableEncoder, WritesColumnsInTheStyleAskedFor) {
  std::string out;
  JsonTableEncoder(Fields(), {2, 0, 0})
      .AppendColumns(TwoRows(), {.non_finite_tokens = true, .bytes_suffix = true, .labels = false}, out);
  EXPECT_EQ(out, R"({"n":[[[1.5]],[[NaN]]],"t_bytes":[{"b64":"aGk="},null],"v":[[0.25,-Infinity],[Infinity,-0.0]]})");
}

TEST(JsonTableEncoder, WritesAnOnlyFieldWithoutItsName) {
  std::vector<Field> fields = {Fields()[0]};
  Table table = Table::Make(fields);
  table.columns[0].AppendNumber(1.5);
  table.columns[0].AppendNumber(2);
  table.rows = 2;
  const JsonTableEncoder encoder(fields, {1});
  std::string rows, columns, row;
  encoder.AppendRows(table, {}, rows);
  encoder.AppendColumns(table, {}, columns);
  encoder.AppendRow(table, 1, {}, row);
  EXPECT_EQ(rows, "[[1.5],[2.0]]");
  EXPECT_EQ(columns, rows);
  EXPECT_EQ(row, "[2.0]");
}

}  // namespace
}  // namespace slipway::data
