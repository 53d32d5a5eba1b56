// Every door, the same table: what a cell means decides what becomes of it, never the way it came.

#include <gtest/gtest.h>

#include <sstream>

#include "data/cell_cases.h"
#include "data/csv_rows.h"
#include "data/json_rows.h"
#include "data/json_tables.h"

namespace slipway::data {
namespace {

Layout OneColumn(ScalarType type) {
  Field field;
  field.name = "x";
  field.type.scalar = type;
  return Layout({field});
}

Decoded FromJson(const Layout& layout, std::string_view cell) {
  Decoded decoded(layout);
  const std::string text = "{\"x\": " + std::string(cell) + "}";
  EXPECT_TRUE(JsonRowDecoder(layout).DecodeDocument(text, decoded)) << text;
  return decoded;
}

Decoded FromCsv(const Layout& layout, std::string_view cell) {
  Decoded decoded(layout);
  CsvRowDecoder decoder(layout);
  EXPECT_TRUE(decoder.Feed("x\n" + std::string(cell) + "\n", decoded));
  EXPECT_TRUE(decoder.Finish(decoded));
  return decoded;
}

// The same cell by row, by column, and as a split frame.
constexpr JsonTableFormat::Member kTables[] = {
    {"rows", JsonTableForm::kRows}, {"columns", JsonTableForm::kColumns}, {"split", JsonTableForm::kSplit}};
Decoded FromTable(const Layout& layout, std::string_view before, std::string_view cell, std::string_view after) {
  Decoded decoded(layout);
  const std::string text = std::string(before) + std::string(cell) + std::string(after);
  EXPECT_TRUE(JsonTableDecoder(layout).Decode(text, {.tables = kTables}, decoded)) << text;
  return decoded;
}
Decoded FromRow(const Layout& layout, std::string_view cell) {
  return FromTable(layout, R"({"rows":[{"x":)", cell, "}]}");
}
Decoded FromColumn(const Layout& layout, std::string_view cell) {
  return FromTable(layout, R"({"columns":{"x":[)", cell, "]}}");
}
Decoded FromSplit(const Layout& layout, std::string_view cell) {
  return FromTable(layout, R"({"split":{"columns":["x"],"data":[[)", cell, "]]}}");
}

Decoded FromCall(const Layout& layout, const Cell& cell) {
  Decoded decoded(layout);
  RowBuilder builder(layout, decoded);
  builder.BeginRow();
  Deliver(cell, 0, builder);
  builder.EndRow();
  return decoded;
}

std::string Words(const Decoded& decoded) {
  std::string words;
  for (const Violation& violation : decoded.violations) words += base::ToJson(ToValue(violation)) + "\n";
  return words;
}

struct Door {
  CellCase cell;
  ScalarType type;
};

void PrintTo(const Door& door, std::ostream* out) {
  *out << "json " << door.cell.json << " csv " << door.cell.csv << " as " << ScalarTypeName(door.type);
}

template <typename Cases>
std::vector<Door> TimesTypes(const Cases& cases) {
  std::vector<Door> doors;
  for (const CellCase& one : cases) {
    for (const ScalarType type : kScalarTypes) doors.push_back({one, type});
  }
  return doors;
}

using CellDoors = testing::TestWithParam<Door>;

class TypedCell : public CellDoors {};
class TypedCellInCsv : public CellDoors {};
class TextCell : public CellDoors {};
class LexemeCell : public CellDoors {};
class DirectCell : public CellDoors {};
class NotJson : public CellDoors {};

std::vector<Door> Where(std::vector<Door> doors, bool (*keep)(const Door&)) {
  std::erase_if(doors, [&](const Door& door) { return !keep(door); });
  return doors;
}
bool HasJson(const Door& door) {
  return !door.cell.json.empty();
}
bool HasDirect(const Door& door) {
  return door.cell.direct.has_value();
}
bool IsNoString(const Door& door) {
  return door.type != ScalarType::kString;
}

TEST_P(TypedCell, HasTheExpectedOutcomeFromJson) {
  const auto& [cell, type] = GetParam();
  EXPECT_EQ(OutcomeOf(FromJson(OneColumn(type), cell.json), 0), ExpectedFor(cell, type));
}
INSTANTIATE_TEST_SUITE_P(Table, TypedCell, testing::ValuesIn(Where(TimesTypes(cell_cases::kTyped), HasJson)));

TEST_P(TypedCellInCsv, HasTheExpectedOutcome) {
  const auto& [cell, type] = GetParam();
  EXPECT_EQ(OutcomeOf(FromCsv(OneColumn(type), cell.csv), 0), ExpectedFor(cell, type));
}
TEST_P(TypedCellInCsv, HasTheOutcomeAndWordsOfATypedDelivery) {
  const auto& [cell, type] = GetParam();
  const Layout layout = OneColumn(type);
  EXPECT_EQ(OutcomeOf(FromCall(layout, *cell.direct), 0), OutcomeOf(FromCsv(layout, cell.csv), 0));
  EXPECT_EQ(Words(FromCall(layout, *cell.direct)), Words(FromCsv(layout, cell.csv)));
}
INSTANTIATE_TEST_SUITE_P(Table, TypedCellInCsv, testing::ValuesIn(Where(TimesTypes(cell_cases::kTyped), IsNoString)));

TEST_P(TextCell, HasTheExpectedOutcomeFromJson) {
  const auto& [cell, type] = GetParam();
  EXPECT_EQ(OutcomeOf(FromJson(OneColumn(type), cell.json), 0), ExpectedFor(cell, type));
}
INSTANTIATE_TEST_SUITE_P(Table, TextCell, testing::ValuesIn(Where(TimesTypes(cell_cases::kTexts), HasJson)));

TEST_P(DirectCell, HasTheExpectedOutcome) {
  const auto& [cell, type] = GetParam();
  EXPECT_EQ(OutcomeOf(FromCall(OneColumn(type), *cell.direct), 0), ExpectedFor(cell, type));
}
INSTANTIATE_TEST_SUITE_P(Typed, DirectCell, testing::ValuesIn(TimesTypes(cell_cases::kTyped)));
INSTANTIATE_TEST_SUITE_P(Texts, DirectCell, testing::ValuesIn(TimesTypes(cell_cases::kTexts)));
INSTANTIATE_TEST_SUITE_P(Others, DirectCell, testing::ValuesIn(Where(TimesTypes(cell_cases::kDirect), HasDirect)));

TEST_P(NotJson, HasTheExpectedOutcomeFromJson) {
  const auto& [cell, type] = GetParam();
  EXPECT_EQ(OutcomeOf(FromJson(OneColumn(type), cell.json), 0), ExpectedFor(cell, type));
}
INSTANTIATE_TEST_SUITE_P(Others, NotJson, testing::ValuesIn(Where(TimesTypes(cell_cases::kDirect), HasJson)));

TEST_P(LexemeCell, HasTheExpectedOutcomeFromCsv) {
  const auto& [cell, type] = GetParam();
  EXPECT_EQ(OutcomeOf(FromCsv(OneColumn(type), cell.csv), 0), ExpectedFor(cell, type));
}
INSTANTIATE_TEST_SUITE_P(Table, LexemeCell, testing::ValuesIn(TimesTypes(cell_cases::kLexemes)));

class JsonAndTyped : public CellDoors {};

TEST_P(JsonAndTyped, SayTheSameWords) {
  const auto& [cell, type] = GetParam();
  const Layout layout = OneColumn(type);
  EXPECT_EQ(Words(FromJson(layout, cell.json)), Words(FromCall(layout, *cell.direct)));
}
bool HasJsonAndDirect(const Door& door) {
  return HasJson(door) && HasDirect(door);
}
INSTANTIATE_TEST_SUITE_P(Typed, JsonAndTyped,
                         testing::ValuesIn(Where(TimesTypes(cell_cases::kTyped), HasJsonAndDirect)));
INSTANTIATE_TEST_SUITE_P(Texts, JsonAndTyped,
                         testing::ValuesIn(Where(TimesTypes(cell_cases::kTexts), HasJsonAndDirect)));
INSTANTIATE_TEST_SUITE_P(Others, JsonAndTyped,
                         testing::ValuesIn(Where(TimesTypes(cell_cases::kDirect), HasJsonAndDirect)));

class TableCell : public CellDoors {};

TEST_P(TableCell, HasTheOutcomeAndWordsOfARecord) {
  const auto& [cell, type] = GetParam();
  const Layout layout = OneColumn(type);
  const Decoded record = FromJson(layout, cell.json);
  EXPECT_EQ(OutcomeOf(FromRow(layout, cell.json), 0), ExpectedFor(cell, type));
  EXPECT_EQ(OutcomeOf(FromColumn(layout, cell.json), 0), ExpectedFor(cell, type));
  EXPECT_EQ(OutcomeOf(FromSplit(layout, cell.json), 0), ExpectedFor(cell, type));
  EXPECT_EQ(Words(FromRow(layout, cell.json)), Words(record));
  EXPECT_EQ(Words(FromColumn(layout, cell.json)), Words(record));
  EXPECT_EQ(Words(FromSplit(layout, cell.json)), Words(record));
}
INSTANTIATE_TEST_SUITE_P(Typed, TableCell, testing::ValuesIn(Where(TimesTypes(cell_cases::kTyped), HasJson)));
INSTANTIATE_TEST_SUITE_P(Texts, TableCell, testing::ValuesIn(Where(TimesTypes(cell_cases::kTexts), HasJson)));
INSTANTIATE_TEST_SUITE_P(Others, TableCell, testing::ValuesIn(Where(TimesTypes(cell_cases::kDirect), HasJson)));

class TimestampText : public testing::TestWithParam<cell_cases::TimestampCase> {};

TEST_P(TimestampText, MeansTheSameFromEveryDoor) {
  const auto& [text, outcome] = GetParam();
  const Layout layout = OneColumn(ScalarType::kTimestamp);
  const std::string quoted = "\"" + std::string(text) + "\"";
  EXPECT_EQ(OutcomeOf(FromJson(layout, quoted), 0), outcome);
  EXPECT_EQ(OutcomeOf(FromCsv(layout, quoted), 0), outcome);
  EXPECT_EQ(OutcomeOf(FromCall(layout, Cell::Text(text)), 0), outcome);
  EXPECT_EQ(Words(FromJson(layout, quoted)), Words(FromCsv(layout, quoted)));
}
INSTANTIATE_TEST_SUITE_P(Table, TimestampText, testing::ValuesIn(cell_cases::kTimestamps));

// Rows of several fields.

Layout Flights() {
  std::vector<Field> fields(4);
  fields[0].name = "carrier";
  fields[0].type.scalar = ScalarType::kString;
  fields[0].null_texts = {"NA", ""};
  fields[1].name = "distance";
  fields[2].name = "flight";
  fields[2].type.scalar = ScalarType::kInteger;
  fields[3].name = "grid";
  fields[3].type = {ScalarType::kNumber, {2, 2}};
  return Layout(fields);
}

Decoded JsonRow(const Layout& layout, std::string_view text) {
  Decoded decoded(layout);
  EXPECT_TRUE(JsonRowDecoder(layout).DecodeDocument(text, decoded)) << text;
  return decoded;
}

Decoded CsvRow(const Layout& layout, std::string_view text) {
  Decoded decoded(layout);
  CsvRowDecoder decoder(layout);
  EXPECT_TRUE(decoder.Feed(text, decoded));
  EXPECT_TRUE(decoder.Finish(decoded));
  return decoded;
}

std::string Codes(const Decoded& decoded) {
  std::string codes;
  for (const Violation& violation : decoded.violations) {
    codes += std::to_string(violation.row) + " " + violation.path + " " +
             std::string(ViolationCodeName(violation.code)) + "; ";
  }
  return codes;
}

TEST(Doors, TellAbsentFromNullFromEmptyText) {
  Field field;
  field.name = "x";
  field.type.scalar = ScalarType::kString;
  Field other = field;
  other.name = "y";
  const Layout layout({field, other});
  EXPECT_EQ(OutcomeOf(JsonRow(layout, R"({"y":"1"})"), 0), "absent");
  EXPECT_EQ(OutcomeOf(JsonRow(layout, R"({"x":null,"y":"1"})"), 0), "null");
  EXPECT_EQ(OutcomeOf(JsonRow(layout, R"({"x":"","y":"1"})"), 0), "''");
  EXPECT_EQ(OutcomeOf(CsvRow(layout, "y\n1\n"), 0), "absent");
  EXPECT_EQ(OutcomeOf(CsvRow(layout, "x,y\n,1\n"), 0), "null");
  EXPECT_EQ(OutcomeOf(CsvRow(layout, "x,y\n\"\",1\n"), 0), "''");
}

TEST(Doors, TakeNullTextsAsNull) {
  const Layout layout = Flights();
  EXPECT_EQ(OutcomeOf(JsonRow(layout, R"({"carrier":"NA"})"), 0), "null");
  EXPECT_EQ(OutcomeOf(JsonRow(layout, R"({"carrier":""})"), 0), "null");
  EXPECT_EQ(OutcomeOf(CsvRow(layout, "carrier\nNA\n"), 0), "null");
  EXPECT_EQ(OutcomeOf(CsvRow(layout, "carrier\n\"\"\n"), 0), "null");
  EXPECT_EQ(OutcomeOf(JsonRow(layout, R"({"carrier":"N"})"), 0), "'N'");
}

TEST(Doors, ReportAllFaultsOfARowInTheSameOrderAndWords) {
  const Layout layout = Flights();
  const Decoded json = JsonRow(layout, R"({"flight":1.5,"speed":1,"grid":[[1,2],[3]],"distance":true,"carrier":"AA"})");
  const Decoded csv = CsvRow(layout, "flight,speed,grid,distance,carrier\n1.5,1,\"[[1,2],[3]]\",true,AA\n");
  EXPECT_EQ(Codes(json),
            "0 speed schema.unknown_field; 0 distance schema.wrong_type; 0 flight schema.wrong_type; "
            "0 grid schema.shape; ");
  EXPECT_EQ(Words(json), Words(csv));
}

TEST(Doors, ReadTensorsAlike) {
  const Layout layout = Flights();
  const Decoded json = JsonRow(layout, R"({"grid":[[1,2.5],[-3,4e0]]})");
  const Decoded csv = CsvRow(layout, "grid\n\"[[1,2.5],[-3,4e0]]\"\n");
  std::string json_text;
  std::string csv_text;
  JsonRowEncoder(layout.fields()).AppendRow(json.table, 0, json_text);
  JsonRowEncoder(layout.fields()).AppendRow(csv.table, 0, csv_text);
  EXPECT_EQ(json_text, R"({"carrier":null,"distance":null,"flight":null,"grid":[[1.0,2.5],[-3.0,4.0]]})");
  EXPECT_EQ(csv_text, json_text);
}

}  // namespace
}  // namespace slipway::data
