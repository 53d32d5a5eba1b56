#include "data/decoded.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "data/cell_cases.h"
#include "data/json_rows.h"

namespace slipway::data {
namespace {

using cell_cases::B;
using cell_cases::I;
using cell_cases::N;
using cell_cases::S;
using cell_cases::T;
using cell_cases::U;

Field Distance(ScalarType type = ScalarType::kNumber) {
  Field field;
  field.name = "distance";
  field.type.scalar = type;
  return field;
}

std::string Print(const Decoded& decoded, const Layout& layout) {
  const JsonRowEncoder encoder(layout.fields());
  std::string text;
  for (int64_t row = 0; row < decoded.table.rows; ++row) encoder.AppendRow(decoded.table, row, text);
  for (const auto& violation : decoded.violations) {
    text += std::to_string(violation.row) + base::ToJson(ToValue(violation));
  }
  return text;
}

// The violation of one cell in a column of the field.
Violation FaultOf(const Field& field, const Cell& cell) {
  const Layout layout({field});
  Decoded out(layout);
  RowBuilder builder(layout, out);
  builder.BeginRow();
  Deliver(cell, 0, builder);
  builder.EndRow();
  return out.violations.empty() ? Violation{} : out.violations[0];
}

struct Sentence {
  ScalarType type;
  Cell cell;
  std::string_view message;
};
void PrintTo(const Sentence& sentence, std::ostream* out) {
  *out << sentence.message;
}

class Message : public testing::TestWithParam<Sentence> {};

TEST_P(Message, SaysWhatCameWhatIsExpectedAndTheWayOut) {
  EXPECT_EQ(FaultOf(Distance(GetParam().type), GetParam().cell).message, GetParam().message);
}

const auto kNumber = ScalarType::kNumber;
const auto kInteger = ScalarType::kInteger;
const auto kBoolean = ScalarType::kBoolean;
const auto kString = ScalarType::kString;
const auto kTimestamp = ScalarType::kTimestamp;

INSTANTIATE_TEST_SUITE_P(
    Table, Message,
    testing::Values(
        Sentence{kNumber, T("12"), "distance takes a number, not the text \"12\"; send it without quotes"},
        Sentence{kNumber, Cell::Lexeme("1,5"),
                 "distance takes a number, not the text \"1,5\"; write the decimal sign as a point, not a comma"},
        Sentence{kNumber, Cell::Lexeme("1,234.5"),
                 "distance takes a number, not the text \"1,234.5\"; leave out the grouping of digits and write the "
                 "decimal sign as a point"},
        Sentence{kNumber, Cell::Lexeme("1.234,5"),
                 "distance takes a number, not the text \"1.234,5\"; leave out the grouping of digits and write the "
                 "decimal sign as a point"},
        Sentence{kNumber, Cell::Lexeme("NA"),
                 "distance takes a number, not the text \"NA\"; send null for a missing value, or declare this text to "
                 "mean null"},
        Sentence{kNumber, T(""),
                 "distance takes a number, not an empty text; send null, in CSV an empty cell, for a "
                 "missing value"},
        Sentence{kNumber, Cell::Lexeme("0x1F"),
                 "distance takes a number, not the text \"0x1F\"; write it in decimal digits"},
        Sentence{kNumber, Cell::Lexeme("5%"),
                 "distance takes a number, not the text \"5%\"; send the bare number without the percent sign"},
        Sentence{kNumber, T("far"),
                 "distance takes a number, not the text \"far\"; send digits such as 12.5, or null when the value is "
                 "unknown"},
        Sentence{
            kNumber, B(true),
            "distance takes a number, not the boolean true; send a number, 1 or 0 if that is meant, or declare the "
            "field a boolean"},
        Sentence{
            kInteger, N(1.5),
            "distance takes an integer within 64 bits, not the number 1.5; send a whole number, beyond 2^53 without "
            "point or exponent, or declare the field a number"},
        Sentence{kInteger, U(18446744073709551615U),
                 "distance takes an integer within 64 bits, not the integer 18446744073709551615; declare the field a "
                 "number, or a string when it is an identifier"},
        Sentence{kBoolean, I(2), "distance takes true or false, not the integer 2; send true or false, or 1 or 0"},
        Sentence{kBoolean, T("true"), "distance takes true or false, not the text \"true\"; send it without quotes"},
        Sentence{kString, I(5), "distance takes a string in UTF-8, not the integer 5; send it in quotes"},
        Sentence{kString, T("a\xff"),
                 "distance takes a string in UTF-8, not the text \"a\\xFF\"; encode the text in UTF-8"},
        Sentence{kTimestamp, I(1372925700),
                 "distance takes a timestamp in ISO 8601, not the integer 1372925700; write it as in "
                 "2013-07-04T08:15:00Z, since a bare number leaves its unit open"},
        Sentence{kTimestamp, T("2013-02-29"),
                 "distance takes a timestamp in ISO 8601, not the text \"2013-02-29\"; check that this day and time "
                 "exist and are written as in 2013-07-04T08:15:00Z"},
        Sentence{kTimestamp, T("07/04/2013"),
                 "distance takes a timestamp in ISO 8601, not the text \"07/04/2013\"; write it as in "
                 "2013-07-04T08:15:00Z or 2013-07-04"},
        Sentence{kNumber, S("2013-07-04"),
                 "distance takes a number, not the timestamp 2013-07-04T00:00:00Z; send a number"},
        Sentence{kNumber, Cell::Other("an object"), "distance takes a number, not an object; send a single value"}));

TEST(RowBuilder, ReportsValueRuleAndPath) {
  const Violation fault = FaultOf(Distance(), T("far"));
  EXPECT_EQ(
      base::ToJson(ToValue(fault)),
      R"({"field":"distance","code":"schema.wrong_type","value":"far","rule":"number","message":)"
      R"("distance takes a number, not the text \"far\"; send digits such as 12.5, or null when the value is unknown"})");
  EXPECT_EQ(fault.field, 0);
}

TEST(RowBuilder, ShortensValues) {
  const Violation fault = FaultOf(Distance(), T(std::string(1000, 'x')));
  EXPECT_LE(fault.value.string().size(), 67);
  EXPECT_LE(fault.message.size(), 200);
}

// The words of every kind of fault of a personal field.
std::string PersonalWords() {
  std::string words;
  for (const ScalarType type : kScalarTypes) {
    Field field = Distance(type);
    field.personal = true;
    for (const Cell& cell :
         {T("31415926\xff"), I(31415926), N(31415926.5), Cell::Lexeme("x31415926"), S("3141-05-09")}) {
      words += base::ToJson(ToValue(FaultOf(field, cell))) + "\n";
    }
  }
  return words;
}

TEST(RowBuilder, NeverShowsPersonalValues) {
  EXPECT_THAT(PersonalWords(), Not(testing::ContainsRegex("3141|value\":")));
  EXPECT_THAT(PersonalWords(), testing::HasSubstr("distance takes a number, not this text; send"));
}

TEST(RowBuilder, NamesTheNearestKnownField) {
  const Layout layout({Distance()});
  Decoded out(layout);
  RowBuilder builder(layout, out);
  builder.BeginRow();
  builder.Unknown("distanse");
  builder.Unknown("colour");
  builder.EndRow();
  EXPECT_EQ(out.violations[0].message,
            "distanse is none of this model's fields (did you mean \"distance\"?); rename it or leave it out");
  EXPECT_EQ(out.violations[1].message,
            "colour is none of this model's fields, which are distance; rename it or leave it out");
  EXPECT_EQ(out.violations[0].field, -1);
}

TEST(RowBuilder, KeepsColumnsEvenAfterEveryRow) {
  const Layout layout({Distance(), Distance(ScalarType::kString)});
  Decoded out(layout);
  RowBuilder builder(layout, out);
  builder.BeginRow();
  builder.SetInteger(0, 5);
  builder.EndRow();
  builder.BeginRow();
  builder.SetString(1, "x");
  builder.Malformed("broken");
  builder.SetNumber(0, 1);
  builder.EndRow();
  EXPECT_EQ(out.table.rows, 2);
  EXPECT_EQ(out.table.columns[0].rows(), 2);
  EXPECT_EQ(out.table.columns[1].rows(), 2);
  EXPECT_TRUE(out.IsAbsent(1, 0));
  EXPECT_FALSE(out.IsAbsent(1, 1));
  EXPECT_EQ(out.violations.size(), 1);
}

TEST(RowBuilder, GoesOnBehindTheRowsThatAreThere) {
  const Layout layout({Distance()});
  Decoded out(layout);
  RowBuilder first(layout, out);
  first.BeginRow();
  first.EndRow();
  RowBuilder second(layout, out);
  second.BeginRow();
  second.SetNumber(0, 7);
  second.EndRow();
  EXPECT_EQ(out.table.columns[0].view().numbers()[1], 7);
  EXPECT_TRUE(out.IsAbsent(0, 0));
  EXPECT_FALSE(out.IsAbsent(0, 1));
}

TEST(RowBuilder, ColumnByColumnGivesWhatRowByRowGives) {
  std::vector<Field> fields(3);
  const char* names[] = {"a", "b", "c"};
  for (size_t i = 0; i < fields.size(); ++i) fields[i].name = names[i];
  fields[0].type.scalar = ScalarType::kInteger;
  fields[1].type.shape = {2};
  const Layout layout(fields);
  Decoded by_column(layout);
  RowBuilder columns(layout, by_column);
  for (int64_t row = 0; row < 2; ++row) {
    columns.MoveTo(row);
    columns.BeginTensor(1);
    columns.ElementNumber(1);
    columns.ElementString("x");
    columns.EndTensor(std::array<int64_t, 1>{2}, false);
  }
  for (int64_t row = 0; row < 2; ++row) {
    columns.MoveTo(row);
    columns.SetNumber(0, row == 0 ? 0.5 : 7.0);
  }
  columns.EndColumns(2);

  Decoded by_row(layout);
  JsonRowDecoder decoder(layout);
  ASSERT_TRUE(decoder.DecodeDocument(R"([{"a":0.5,"b":[1,"x"]},{"a":7.0,"b":[1,"x"]}])", by_row));
  EXPECT_EQ(Print(by_column, layout), Print(by_row, layout));
  EXPECT_TRUE(by_column.IsAbsent(2, 1));
}

TEST(Decoded, ForgetsEverythingOnClear) {
  const Layout layout({Distance()});
  Decoded out(layout);
  RowBuilder builder(layout, out);
  builder.BeginRow();
  builder.Unknown("x");
  builder.EndRow();
  out.Clear();
  builder.BeginRow();
  builder.SetNumber(0, 7);
  builder.EndRow();
  EXPECT_EQ(out.table.rows, 1);
  EXPECT_TRUE(out.violations.empty());
  EXPECT_FALSE(out.IsAbsent(0, 0));
  EXPECT_FALSE(out.table.columns[0].has_nulls());
}

}  // namespace
}  // namespace slipway::data
