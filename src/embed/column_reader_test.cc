#include "embed/column_reader.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <span>

#include "data/cell_cases.h"
#include "data/json_rows.h"
#include "embed/made_arrow_fixture.h"

namespace slipway::embed {
namespace {

using data::Cell;
using data::CellCase;
using data::ScalarType;
using testing::ElementsAre;
using testing::HasSubstr;

data::Field FieldOf(ScalarType type, std::vector<int64_t> shape = {}, int zone_minutes = 0) {
  data::Field field;
  field.name = "x";
  field.type = {type, std::move(shape)};
  field.zone_minutes = zone_minutes;
  return field;
}

/// The column as the field takes it; by the short way where there is one, if asked for.
data::Decoded Read(const Made& made, const data::Field& field, bool fast = true) {
  const Table table(made);
  const data::Layout layout({field});
  data::Decoded rows(layout);
  const auto column = ColumnReader::Create(*table.schema, *table.array, "x", field.zone_minutes);
  EXPECT_TRUE(column.has_value()) << column.error().Text();
  data::RowBuilder builder(layout, rows);
  if (!fast || !column->AppendTo(field, 0, made.length, rows.table.columns[0])) {
    for (int64_t row = 0; row < made.length; ++row) {
      builder.MoveTo(row);
      column->Deliver(row, 0, builder);
    }
  }
  builder.EndColumns(made.length);
  return rows;
}

std::vector<std::string> Outcomes(const Made& made, const data::Field& field) {
  const auto rows = Read(made, field);
  const auto slow = Read(made, field, false);
  std::vector<std::string> outcomes;
  for (int64_t row = 0; row < made.length; ++row) {
    outcomes.push_back(OutcomeOf(rows, row));
    EXPECT_EQ(OutcomeOf(slow, row), outcomes.back());
  }
  return outcomes;
}

std::string Fault(const Made& made) {
  const Table table(made);
  const auto column = ColumnReader::Create(*table.schema, *table.array, "x", 0);
  return column ? "" : column.error().reason + ": " + column.error().message;
}

Made Sliced(Made made, int64_t offset, int64_t length) {
  made.offset = offset;
  made.length = length;
  return made;
}

// The conversion table, through this door.

std::vector<CellCase> CasesOf(Cell::Kind kind) {
  std::vector<CellCase> cases;
  const auto take = [&](std::span<const CellCase> all) {
    for (const auto& one : all) {
      if (one.direct && one.direct->kind == kind) cases.push_back(one);
    }
  };
  take(data::cell_cases::kTyped);
  take(data::cell_cases::kTexts);
  take(data::cell_cases::kDirect);
  return cases;
}

Made MadeOf(const std::vector<CellCase>& cases, Cell::Kind kind) {
  std::vector<int> flags;
  std::vector<int64_t> integers;
  std::vector<double> numbers;
  std::vector<std::string> texts;
  for (const auto& one : cases) {
    flags.push_back(kind == Cell::Kind::kBoolean && one.direct->boolean);
    integers.push_back(one.direct->integer);
    numbers.push_back(one.direct->number);
    texts.emplace_back(one.direct->text);
  }
  switch (kind) {
    case Cell::Kind::kBoolean:
      return {.format = "b", .length = static_cast<int64_t>(flags.size()), .buffers = {kMissing, Bits(flags)}};
    case Cell::Kind::kInteger:
      return Values("l", integers);
    case Cell::Kind::kUnsigned:
      return Values("L", integers);
    case Cell::Kind::kNumber:
      return Values("g", numbers);
    case Cell::Kind::kTimestamp:
      return Values("tsu:UTC", integers);
    default:
      return Texts(texts);
  }
}

class ArrowDoor : public testing::TestWithParam<Cell::Kind> {
 protected:
  static std::string Words(const data::Decoded& rows, int64_t row) {
    std::string words;
    for (const auto& violation : rows.violations) {
      if (violation.row == row) words += base::ToJson(data::ToValue(violation)) + "\n";
    }
    return words;
  }
};

TEST_P(ArrowDoor, AnswersAsTheTableSays) {
  const auto cases = CasesOf(GetParam());
  ASSERT_FALSE(cases.empty());
  for (const ScalarType type : data::kScalarTypes) {
    const auto outcomes = Outcomes(MadeOf(cases, GetParam()), FieldOf(type));
    for (size_t i = 0; i < cases.size(); ++i) EXPECT_EQ(outcomes[i], ExpectedFor(cases[i], type)) << cases[i].json;
  }
}

TEST_P(ArrowDoor, SaysTheSameAsJson) {
  auto cases = CasesOf(GetParam());
  std::erase_if(cases, [](const CellCase& one) { return one.json.empty(); });
  for (const ScalarType type : data::kScalarTypes) {
    const auto rows = Read(MadeOf(cases, GetParam()), FieldOf(type));
    const data::Layout layout({FieldOf(type)});
    for (size_t i = 0; i < cases.size(); ++i) {
      data::Decoded json(layout);
      data::JsonRowDecoder(layout).DecodeLine(fmt::format("{{\"x\": {}}}", cases[i].json), json);
      EXPECT_EQ(Words(rows, static_cast<int64_t>(i)), Words(json, 0)) << cases[i].json;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, ArrowDoor,
                         testing::Values(Cell::Kind::kBoolean, Cell::Kind::kInteger, Cell::Kind::kUnsigned,
                                         Cell::Kind::kNumber, Cell::Kind::kText, Cell::Kind::kTimestamp));

// Widths and forms.

TEST(ColumnReaderTest, ReadsIntegersOfEveryWidth) {
  const auto integer = FieldOf(ScalarType::kInteger);
  EXPECT_THAT(Outcomes(Values<int8_t>("c", {-128, 127}), integer), ElementsAre("-128", "127"));
  EXPECT_THAT(Outcomes(Values<int16_t>("s", {-32768, 1}), integer), ElementsAre("-32768", "1"));
  EXPECT_THAT(Outcomes(Values<int32_t>("i", {INT32_MIN, 1}), integer), ElementsAre("-2147483648", "1"));
  EXPECT_THAT(Outcomes(Values<uint8_t>("C", {255}), integer), ElementsAre("255"));
  EXPECT_THAT(Outcomes(Values<uint16_t>("S", {65535}), integer), ElementsAre("65535"));
  EXPECT_THAT(Outcomes(Values<uint32_t>("I", {UINT32_MAX}), integer), ElementsAre("4294967295"));
  EXPECT_THAT(Outcomes(Values<uint64_t>("L", {UINT64_MAX, 7}), integer), ElementsAre("wrong_type", "7"));
}

TEST(ColumnReaderTest, ReadsFloatsOfEveryWidth) {
  const auto number = FieldOf(ScalarType::kNumber);
  EXPECT_THAT(Outcomes(Values<uint16_t>("e", {0x3E00, 0xC000, 0x7C00}), number), ElementsAre("1.5", "-2", "inf"));
  EXPECT_THAT(Outcomes(Values<float>("f", {0.1F}), number), ElementsAre("0.10000000149011612"));
  EXPECT_THAT(Outcomes(Values<float>("f", {4.0F, 0.5F}), FieldOf(ScalarType::kInteger)),
              ElementsAre("4", "wrong_type"));
}

TEST(ColumnReaderTest, ReadsNullsAndSlices) {
  const auto number = FieldOf(ScalarType::kNumber);
  const auto made = Nullable(Values<double>("g", {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}), {1, 0, 1, 1, 1, 1, 1, 1, 0, 1});
  EXPECT_THAT(Outcomes(Sliced(made, 7, 3), number), ElementsAre("8", "null", "10"));
  EXPECT_THAT(Outcomes(Sliced(Texts({"a", "bc", "", "d"}), 1, 2), FieldOf(ScalarType::kString)),
              ElementsAre("'bc'", "''"));
  const Made flags{
      .format = "b", .length = 3, .buffers = {kMissing, Bits({1, 1, 1, 1, 1, 1, 1, 0, 1, 0})}, .offset = 7};
  EXPECT_THAT(Outcomes(flags, FieldOf(ScalarType::kBoolean)), ElementsAre("false", "true", "false"));
  EXPECT_THAT(Outcomes({.format = "n", .length = 2, .buffers = {}}, number), ElementsAre("null", "null"));
  EXPECT_THAT(Outcomes({.format = "n", .length = 1, .buffers = {kMissing}}, number), ElementsAre("null")) << "polars";
}

std::string View(std::string_view text, int32_t buffer = 0, int32_t begin = 0) {
  const auto size = static_cast<int32_t>(text.size());
  if (size <= 12) return Bytes<int32_t>({size}) + std::string(text) + std::string(12 - text.size(), '\0');
  return Bytes<int32_t>({size}) + std::string(text.substr(0, 4)) + Bytes<int32_t>({buffer, begin});
}

TEST(ColumnReaderTest, ReadsTextsInEveryForm) {
  const auto text = FieldOf(ScalarType::kString);
  EXPECT_THAT(Outcomes(Texts<int64_t>({"a", "é"}), text), ElementsAre("'a'", "'é'"));
  const std::string longer = "longer than twelve";
  const Made views{.format = "vu",
                   .length = 3,
                   .buffers = {kMissing, View("short") + View(longer, 1, 2) + View(longer, 1, 3), "none", "xx" + longer,
                               Bytes<int64_t>({4, static_cast<int64_t>(longer.size() + 2)})}};
  EXPECT_THAT(Outcomes(views, text), ElementsAre("'short'", "'" + longer + "'", "wrong_type"));
  auto indices = Nullable(Values<int8_t>("c", {1, 0, 0, 2, -1}), {1, 1, 0, 1, 1});
  indices.dictionary = {Texts({"a", "b"})};
  EXPECT_THAT(Outcomes(indices, text), ElementsAre("'b'", "'a'", "null", "wrong_type", "wrong_type"));
  auto numbers = Values<uint16_t>("S", {1, 0});
  numbers.dictionary = {Nullable(Values<double>("g", {0.5, 2}), {0, 1})};
  EXPECT_THAT(Outcomes(numbers, FieldOf(ScalarType::kNumber)), ElementsAre("2", "null"));
}

TEST(ColumnReaderTest, ReadsDecimalsAsTheNearestDouble) {
  const auto number = FieldOf(ScalarType::kNumber);
  EXPECT_THAT(Outcomes(Values<int32_t>("d:9,2,32", {12345}), number), ElementsAre("123.45"));
  EXPECT_THAT(Outcomes(Values<int64_t>("d:18,1,64", {-5}), number), ElementsAre("-0.5"));
  const std::vector<uint64_t> wide = {10, 0, static_cast<uint64_t>(-10), ~uint64_t{0}, 0, 1};
  auto made = Values("d:38,0", wide);
  made.length = 3;
  EXPECT_THAT(Outcomes(made, FieldOf(ScalarType::kInteger)), ElementsAre("10", "-10", "wrong_type"));
  EXPECT_THAT(Outcomes(made, number), ElementsAre("10", "-10", "18446744073709551616"));
  made.format = "d:38,-2";
  EXPECT_THAT(Outcomes(made, number), testing::Contains("1000"));
}

TEST(ColumnReaderTest, ReadsTimesInTheirUnitAndOnTheirClock) {
  const auto utc = FieldOf(ScalarType::kTimestamp);
  EXPECT_THAT(Outcomes(Values<int32_t>("tdD", {0, -1}), utc),
              ElementsAre("1970-01-01T00:00:00Z", "1969-12-31T00:00:00Z"));
  EXPECT_THAT(Outcomes(Values<int64_t>("tdm", {86400000}), utc), ElementsAre("1970-01-02T00:00:00Z"));
  EXPECT_THAT(Outcomes(Values<int64_t>("tss:", {-1}), utc), ElementsAre("1969-12-31T23:59:59Z"));
  EXPECT_THAT(Outcomes(Values<int64_t>("tsn:", {1999, -1}), utc),
              ElementsAre("1970-01-01T00:00:00.000001Z", "1969-12-31T23:59:59.999999Z"));
  const auto paris = FieldOf(ScalarType::kTimestamp, {}, 60);
  EXPECT_THAT(Outcomes(Values<int64_t>("tsm:", {0}), paris), ElementsAre("1969-12-31T23:00:00Z"));
  EXPECT_THAT(Outcomes(Values<int64_t>("tsm:America/New_York", {0}), paris), ElementsAre("1970-01-01T00:00:00Z"));
  EXPECT_THAT(Outcomes(Values<int64_t>("tss:", {INT64_MAX}), utc), ElementsAre("wrong_type"));
}

// Tensors.

Made ListOf(Made elements, std::vector<int32_t> offsets) {
  return {.format = "+l",
          .length = static_cast<int64_t>(offsets.size()) - 1,
          .buffers = {kMissing, Bytes(offsets)},
          .children = {std::move(elements)}};
}

std::vector<double> NumbersOf(const data::Decoded& rows) {
  const auto view = rows.table.columns[0].view();
  return {view.numbers(), view.numbers() + view.rows * view.width};
}

TEST(ColumnReaderTest, ReadsListsAsTensors) {
  const auto pair = FieldOf(ScalarType::kNumber, {2});
  const auto flat = ListOf(Values<float>("f", {9, 1, 2, 3, 4, 5}), {1, 3, 5, 6});
  const auto rows = Read(flat, pair);
  EXPECT_THAT(NumbersOf(rows), ElementsAre(1, 2, 3, 4, 0, 0));
  EXPECT_EQ(OutcomeOf(rows, 2), "shape");
  const Made fixed{.format = "+w:2",
                   .length = 2,
                   .buffers = {kMissing},
                   .children = {Values<int32_t>("i", {1, 2, 3, 4, 5, 6})},
                   .offset = 1};
  EXPECT_THAT(NumbersOf(Read(fixed, pair)), ElementsAre(3, 4, 5, 6));
  const auto square = FieldOf(ScalarType::kNumber, {2, 2});
  auto nested = ListOf(ListOf(Values<double>("g", {1, 2, 3, 4, 5, 6, 7}), {0, 2, 4, 6, 7}), {0, 2, 4});
  const auto nested_rows = Read(nested, square);
  EXPECT_THAT(NumbersOf(nested_rows), ElementsAre(1, 2, 3, 4, 0, 0, 0, 0));
  EXPECT_EQ(OutcomeOf(nested_rows, 1), "shape") << "its lists are uneven";
}

TEST(ColumnReaderTest, NamesTheElementThatIsWrong) {
  auto elements = Nullable(Values<double>("g", {1, 2}), {1, 0});
  const auto rows = Read(ListOf(elements, {0, 2}), FieldOf(ScalarType::kNumber, {2}));
  ASSERT_EQ(rows.violations.size(), 1U);
  EXPECT_EQ(rows.violations[0].path, "x[1]");
}

TEST(ColumnReaderTest, TellsHowMuchMemoryRowsTake) {
  const Table table(ListOf(Values<double>("g", {1, 2, 3, 4, 5}), {0, 1, 5}));
  const auto column = *ColumnReader::Create(*table.schema, *table.array, "x", 0);
  EXPECT_EQ(column.BytesOf(0, 1), 16);
  EXPECT_EQ(column.BytesOf(0, 2), 56);
}

// What cannot be read.

TEST(ColumnReaderTest, RefusesTypesThatNoInputTakesWithACast) {
  EXPECT_THAT(Fault(Values<int32_t>("z", {0, 0})), HasSubstr("arrow.type: the column \"x\" has Arrow's type binary"));
  EXPECT_THAT(Fault(Values<int32_t>("z", {0, 0})), HasSubstr("cast it to utf8"));
  EXPECT_THAT(Fault(Values<int64_t>("ttu", {0})), HasSubstr("time64[us]"));
  EXPECT_THAT(Fault(Values<int64_t>("d:50,2,256", {0})), HasSubstr("cast it to float64"));
  for (const char* format : {"tDn", "tin", "w:16", "+s", "+m", "+ud:0,1", "+r", "+vl", "vz", "Z", "", "no such",
                             "d:", "d:1", "d:x,y", "tsx:", "ts", "+w:-1", "+w:x"}) {
    EXPECT_THAT(Fault(Values<int64_t>(format, {0})), HasSubstr("arrow.type")) << format;
  }
}

Made With(Made made, auto change) {
  change(made);
  return made;
}

class MalformedArray : public testing::TestWithParam<std::pair<const char*, Made>> {};

TEST_P(MalformedArray, IsRefused) {
  const auto& [words, made] = GetParam();
  EXPECT_THAT(Fault(made), testing::AllOf(HasSubstr("arrow.malformed"), HasSubstr(words)));
  EXPECT_EQ(Exported(), 0);
}

const Made kDoubles = Values<double>("g", {1, 2});

INSTANTIATE_TEST_SUITE_P(
    Faults, MalformedArray,
    testing::Values(
        std::pair("length or offset", With(kDoubles, [](Made& made) { made.length = -1; })),
        std::pair("length or offset", With(kDoubles, [](Made& made) { made.offset = INT64_MAX; })),
        std::pair("length or offset", With(kDoubles, [](Made& made) { made.length = INT64_MAX; })),
        std::pair("more nulls", With(kDoubles, [](Made& made) { made.null_count = 3; })),
        std::pair("more nulls", With(kDoubles, [](Made& made) { made.null_count = -2; })),
        std::pair("nulls, but no bits", With(kDoubles, [](Made& made) { made.null_count = 1; })),
        std::pair("has 1 buffers", With(kDoubles, [](Made& made) { made.buffers.pop_back(); })),
        std::pair("values are missing", With(kDoubles, [](Made& made) { made.buffers[1] = kMissing; })),
        std::pair("has children", With(kDoubles, [](Made& made) { made.children = {kDoubles}; })),
        std::pair("do not ascend",
                  With(Texts({"a", "b"}), [](Made& made) { made.buffers[1] = Bytes<int32_t>({0, 2, 1}); })),
        std::pair("do not ascend", With(Texts({"a"}), [](Made& made) { made.buffers[1] = Bytes<int32_t>({-1, 1}); })),
        std::pair("bytes are missing", With(Texts({"a"}), [](Made& made) { made.buffers[2] = kMissing; })),
        std::pair("one child", With(ListOf(kDoubles, {0, 1}), [](Made& made) { made.children.clear(); })),
        std::pair("ends behind", ListOf(kDoubles, {0, 3})),
        std::pair("ends behind",
                  Made{.format = "+w:2147483647", .length = 2, .buffers = {kMissing}, .children = {kDoubles}}),
        std::pair(
            "ends behind",
            Made{.format = "+w:2147483647", .length = int64_t{1} << 47, .buffers = {kMissing}, .children = {kDoubles}}),
        std::pair("indices", With(kDoubles, [](Made& made) { made.dictionary = {kDoubles}; })),
        std::pair("dictionary of lists",
                  With(Values<int8_t>("c", {0}), [](Made& made) { made.dictionary = {ListOf(kDoubles, {0, 1})}; }))));

}  // namespace
}  // namespace slipway::embed
