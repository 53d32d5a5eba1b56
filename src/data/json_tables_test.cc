#include "data/json_tables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace slipway::data {
namespace {

using testing::HasSubstr;
using Form = JsonTableForm;

Field Make(std::string name, ScalarType type, std::vector<int64_t> shape = {}) {
  Field field;
  field.name = std::move(name);
  field.type = {type, std::move(shape)};
  return field;
}

constexpr JsonTableFormat::Member kTables[] = {
    {"rows", Form::kRows}, {"records", Form::kRecords}, {"columns", Form::kColumns}, {"split", Form::kSplit}};
constexpr std::string_view kNotes[] = {"note", "params"};
constexpr JsonTableFormat kFormat = {.tables = kTables, .notes = kNotes};

class JsonTables : public testing::Test {
 protected:
  /// The rows as JSON records, the violations' messages, or the error's text.
  std::string Read(std::string_view text, const JsonTableFormat& format = kFormat) {
    return Read(decoder_, layout_, text, format);
  }
  std::string Read(JsonTableDecoder& decoder, const Layout& layout, std::string_view text,
                   const JsonTableFormat& format = kFormat) {
    Decoded out(layout);
    const auto table = decoder.Decode(text, format, out);
    if (!table) {
      EXPECT_EQ(out.table.rows, 0);
      return table.error().reason + ": " + table.error().message;
    }
    table_ = *table;
    std::string read;
    for (const Violation& violation : out.violations) {
      read += std::to_string(violation.row) + " " + std::string(ViolationCodeName(violation.code)) + " " +
              violation.message + "; ";
    }
    if (!read.empty()) return read;
    const JsonRowEncoder encoder(layout.fields());
    for (int64_t row = 0; row < out.table.rows; ++row) encoder.AppendRow(out.table, row, read);
    return read;
  }
  std::string ReadOne(const Field& field, std::string_view text, const JsonTableFormat& format = kFormat) {
    const Layout layout({field});
    JsonTableDecoder decoder(layout);
    return Read(decoder, layout, text, format);
  }

  const Layout layout_{{Make("a", ScalarType::kNumber), Make("b", ScalarType::kString)}};
  JsonTableDecoder decoder_{layout_, {.bytes = 4096, .rows = 3, .nested = {.depth = 8, .string_bytes = 1000}}};
  JsonTable table_;
};

constexpr std::string_view kBoth = R"({"a":1.0,"b":"x"}{"a":2.0,"b":null})";

TEST_F(JsonTables, ReadsTheSameRowsInEveryForm) {
  EXPECT_EQ(Read(R"({"rows":[{"a":1,"b":"x"},{"b":null,"a":2}]})"), kBoth);
  EXPECT_EQ(Read(R"({"rows":[[1,"x"],[2,null]]})"), kBoth);
  EXPECT_EQ(Read(R"({"records":[{"a":1,"b":"x"},{"b":null,"a":2}]})"), kBoth);
  EXPECT_EQ(Read(R"({"columns":{"b":["x",null],"a":[1,2]}})"), kBoth);
  EXPECT_EQ(Read(R"({"columns":[[1,"x"],[2,null]]})"), kBoth);
  EXPECT_EQ(Read(R"({"columns":[{"a":1,"b":"x"},{"a":2,"b":null}]})"), kBoth);
  EXPECT_EQ(Read(R"({"split":{"index":[7,8],"columns":["b","a"],"data":[["x",1],[null,2]]}})"), kBoth);
  EXPECT_EQ(Read(R"({"split":{"data":[["x",1],[null,2]],"columns":["b","a"]}})"), kBoth);
  EXPECT_EQ(Read(R"({"split":{"data":[[1,"x"],[2,null]]}})"), kBoth);
  EXPECT_EQ(Read(R"({"split":{"columns":[0,1],"data":[[1,"x"],[2,null]]}})"), kBoth);
}

TEST_F(JsonTables, ReadsAnObjectWithoutListsAsOneRow) {
  EXPECT_EQ(Read(R"({"columns":{"b":"x","a":1}})"), R"({"a":1.0,"b":"x"})");
}

TEST_F(JsonTables, ReadsNoRows) {
  EXPECT_EQ(Read(R"({"rows":[]})"), "");
  EXPECT_EQ(Read(R"({"columns":{"a":[],"b":[]}})"), "");
  EXPECT_EQ(Read(R"({"split":{"columns":[],"data":[]}})"), "");
}

TEST_F(JsonTables, HandsOutNotesAndPassesOverOtherMembers) {
  EXPECT_EQ(Read(R"({"note" : "x\"y" , "other":{"a":[1,{}]}, "rows":[], "params": {"k": [1, 2]} })"), "");
  EXPECT_EQ(table_.notes[0], R"("x\"y")");
  EXPECT_EQ(table_.notes[1], R"({"k": [1, 2]})");
  EXPECT_EQ(table_.member, 0u);
}

TEST_F(JsonTables, TakesNamesWithEscapes) {
  EXPECT_EQ(Read(R"({"\u0072ows":[{"\u0061":1,"b":"x"}]})"), R"({"a":1.0,"b":"x"})");
  EXPECT_EQ(Read(R"({"columns":{"\u0061":[1],"b":["x"]}})"), R"({"a":1.0,"b":"x"})");
  EXPECT_EQ(Read(R"({"split":{"columns":["\u0061","b"],"data":[[1,"x"]]}})"), R"({"a":1.0,"b":"x"})");
}

TEST_F(JsonTables, WantsExactlyOneTable) {
  EXPECT_EQ(Read("{}"),
            "json.not_a_table: the body has exactly one of \"rows\", \"records\", \"columns\" and \"split\", and this "
            "one has none");
  EXPECT_THAT(Read(R"({"rows":[],"records":[]})"), HasSubstr("this one has \"rows\" and \"records\""));
  EXPECT_THAT(Read(R"({"rows":[],"rows":[]})"), HasSubstr("this one has \"rows\" and \"rows\" again"));
  EXPECT_THAT(Read(R"({"note":1,"rows":[],"note":2})"), HasSubstr("has \"note\" twice"));
  EXPECT_THAT(Read("[1]"), HasSubstr("json.not_a_table: the body is a JSON object"));
  EXPECT_THAT(Read("12"), HasSubstr("not a number"));
  EXPECT_THAT(Read("null"), HasSubstr("not null"));
}

TEST_F(JsonTables, SaysWhatAMemberShouldBe) {
  EXPECT_THAT(Read(R"({"rows":{"a":1}})"), HasSubstr("\"rows\" is a list of rows, not an object"));
  EXPECT_THAT(Read(R"({"columns":"x"})"), HasSubstr("\"columns\" is a list over the rows, or an object"));
  EXPECT_THAT(Read(R"({"split":[]})"), HasSubstr("\"split\" is an object with \"columns\" and \"data\", not a list"));
  EXPECT_THAT(Read(R"({"split":{"columns":["a"]}})"), HasSubstr("has no \"data\""));
  EXPECT_THAT(Read(R"({"split":{"columns":["a"],"data":[],"rows":[]}})"), HasSubstr("not \"rows\""));
  EXPECT_THAT(Read(R"({"split":{"data":[],"data":[]}})"), HasSubstr("not \"data\" twice"));
  EXPECT_THAT(Read(R"({"split":{"columns":{"a":1},"data":[]}})"), HasSubstr("is a list of names"));
  EXPECT_THAT(Read(R"({"split":{"columns":["a","a"],"data":[]}})"), HasSubstr("names \"a\" twice"));
  EXPECT_THAT(Read(R"({"split":{"columns":[1,0],"data":[]}})"), HasSubstr("the numbers 0, 1, …"));
  EXPECT_THAT(Read(R"({"split":{"columns":[0,"a"],"data":[]}})"), HasSubstr("the numbers 0, 1, …"));
  EXPECT_THAT(Read(R"({"split":{"columns":["a",1],"data":[]}})"), HasSubstr("the numbers 0, 1, …"));
  EXPECT_THAT(Read(R"({"split":{"columns":[null],"data":[]}})"), HasSubstr("the numbers 0, 1, …"));
  EXPECT_THAT(Read(R"({"split":{"data":{}}})"), HasSubstr("\"data\" is a list of rows"));
}

TEST_F(JsonTables, RefusesColumnsOfDifferentLengths) {
  EXPECT_EQ(
      Read(R"({"columns":{"a":[1,2],"b":["x"]}})"),
      "json.not_a_table: \"columns\" has lists of different lengths: \"b\" ends after 1, \"a\" goes on; give every "
      "row a value");
  EXPECT_THAT(Read(R"({"columns":{"a":[1],"b":["x","y"]}})"), HasSubstr("\"a\" ends after 1, \"b\" goes on"));
  EXPECT_THAT(Read(R"({"columns":{"a":[],"b":["x"]}})"), HasSubstr("\"a\" ends after 0"));
  EXPECT_THAT(Read(R"({"columns":{"a":[1],"b":"x"}})"), HasSubstr("mixes lists and single values at \"b\""));
}

TEST_F(JsonTables, RefusesRowsOfAnotherWidth) {
  EXPECT_THAT(Read(R"({"rows":[[1,"x"],[2]]})"),
              HasSubstr("1 schema.malformed this row has 1 values where there are 2 columns; give a value or null for "
                        "each of \"a\", \"b\""));
  EXPECT_THAT(Read(R"({"rows":[[1,"x",3]]})"), HasSubstr("0 schema.malformed this row has 3 values"));
  EXPECT_THAT(Read(R"({"split":{"columns":["b"],"data":[["x","y"]]}})"), HasSubstr("each of \"b\""));
  EXPECT_THAT(Read(R"({"rows":[5]})"),
              HasSubstr("a row is an object by field name, or a list of values, not a number"));
  EXPECT_THAT(Read(R"({"records":[[1,"x"]]})"), HasSubstr("a record is an object, not a list"));
  EXPECT_THAT(Read(R"({"split":{"columns":["b"],"data":[{"b":"x"}]}})"), HasSubstr("not an object"));
}

TEST_F(JsonTables, ReportsUnknownAndRepeatedFieldsByRow) {
  EXPECT_THAT(Read(R"({"columns":{"a":[1,2],"b":["x","y"],"c":[[1],{}]}})"),
              testing::AllOf(HasSubstr("0 schema.unknown_field"), HasSubstr("1 schema.unknown_field")));
  EXPECT_THAT(Read(R"({"split":{"columns":["a","q"],"data":[[1,[2,{"x":3}]]]}})"), HasSubstr("schema.unknown_field"));
  EXPECT_THAT(Read(R"({"columns":{"a":[1],"a":[2]}})"), HasSubstr("0 schema.duplicate_field"));
  EXPECT_THAT(Read(R"({"rows":[{"a":1,"a":2}]})"), HasSubstr("0 schema.duplicate_field"));
}

TEST_F(JsonTables, BoundsRowsBytesDepthAndStrangers) {
  EXPECT_THAT(Read(R"({"rows":[{},{},{},{}]})"), HasSubstr("json.limit: \"rows\" holds more than 3 rows"));
  EXPECT_THAT(Read(R"({"columns":{"a":[1,2,3,4]}})"), HasSubstr("json.limit: \"columns\" holds more than 3 rows"));
  EXPECT_THAT(Read(R"({"split":{"data":[[],[],[],[]]}})"), HasSubstr("json.limit: \"split\" holds more than 3 rows"));
  EXPECT_THAT(Read(std::string(5000, ' ')), HasSubstr("json.limit: a JSON document of 5000 bytes"));
  EXPECT_THAT(Read(R"({"rows":[[[[[[[[[1]]]]]]]]]})"), HasSubstr("json.limit: this JSON goes past a limit"));
  EXPECT_THAT(Read(R"({"columns":{"a":[[[[[[[[1]]]]]]]]}})"), HasSubstr("json.limit: this JSON goes past a limit"));
  EXPECT_THAT(Read(R"({"note":[[[[[[[[1]]]]]]]],"rows":[]})"), HasSubstr("json.limit"));
  const std::string long_text = "\"" + std::string(1001, 'a') + "\"";
  EXPECT_THAT(Read("{\"rows\":[[1," + long_text + "]]}"), HasSubstr("json.limit"));
  EXPECT_THAT(Read("{\"columns\":{\"b\":[" + long_text + "]}}"), HasSubstr("json.limit"));
  std::string many = R"({"columns":{)";
  for (int i = 0; i < 1100; ++i) many += (i == 0 ? "\"q" : ",\"q") + std::to_string(i) + "\":[]";
  JsonTableDecoder roomy(layout_);
  EXPECT_THAT(Read(roomy, layout_, many + "}}"), HasSubstr("json.limit: \"columns\" has more than 1026 columns"));
}

TEST_F(JsonTables, RefusesBrokenTextWhereverItIs) {
  for (const char* text : {"{",
                           R"({"rows")",
                           R"({"rows":)",
                           R"({"rows":[)",
                           R"({"rows":[}])",
                           R"({"rows":[]]})",
                           R"({"rows":[]} x)",
                           R"({"rows":[],})",
                           R"({"columns":{"a":[1,2}})",
                           R"({"columns":{"a":[1}],"b":[2]}})",
                           R"({"columns":{"a":[1 2]}})",
                           R"({"columns":{"a":[1],}})",
                           R"({"columns":{"a":[01]}})",
                           R"({"columns":{"a":}})",
                           R"({"columns":{"a":[tru]}})",
                           R"({"split":{"data":[[1,]],"columns":["a"]}})",
                           R"({"split":{"data":[[1}],"columns":["a"]}})",
                           R"({"split":{"columns":["a],"data":[]}})",
                           R"({"note":{]},"rows":[]})",
                           R"({"note":,"rows":[]})"}) {
    EXPECT_THAT(Read(text), HasSubstr("json.malformed")) << text;
  }
}

// One field.

TEST_F(JsonTables, TakesPlainValuesOfAnOnlyField) {
  const Field scalar = Make("x", ScalarType::kNumber);
  EXPECT_EQ(ReadOne(scalar, R"({"rows":[1,[2],{"x":3}]})"), R"({"x":1.0}{"x":2.0}{"x":3.0})");
  EXPECT_EQ(ReadOne(scalar, R"({"columns":[1,2]})"), R"({"x":1.0}{"x":2.0})");
  const Field vector = Make("x", ScalarType::kNumber, {2});
  EXPECT_EQ(ReadOne(vector, R"({"rows":[[1,2],{"x":[3,4]}]})"), R"({"x":[1.0,2.0]}{"x":[3.0,4.0]})");
  EXPECT_EQ(ReadOne(vector, R"({"columns":{"x":[[1,2],[3,4]]}})"), R"({"x":[1.0,2.0]}{"x":[3.0,4.0]})");
}

TEST_F(JsonTables, RefusesRaggedTensorsAndOtherRanks) {
  const Field matrix = Make("x", ScalarType::kNumber, {2, 2});
  EXPECT_THAT(ReadOne(matrix, R"({"rows":[[[1,2],[3]]]})"), HasSubstr("0 schema.shape"));
  EXPECT_THAT(ReadOne(matrix, R"({"rows":[[1,2,3,4]]})"), HasSubstr("0 schema.shape"));
  EXPECT_THAT(ReadOne(matrix, R"({"rows":[[[[1,2],[3,4]]]]})"), HasSubstr("0 schema.shape"));
  EXPECT_THAT(ReadOne(matrix, R"({"rows":[7]})"), HasSubstr("0 schema.wrong_type"));
  EXPECT_THAT(ReadOne(matrix, R"({"rows":[[[1,"x"],[null,true]]]})"), HasSubstr("x[0][1]"));
}

TEST_F(JsonTables, ReadsOneRowWhereTheModelHasNoBatch) {
  JsonTableFormat format = kFormat;
  format.one_row = true;
  EXPECT_EQ(ReadOne(Make("x", ScalarType::kInteger, {2}), R"({"columns":[1,2]})", format), R"({"x":[1,2]})");
  EXPECT_EQ(ReadOne(Make("x", ScalarType::kInteger, {2}), R"({"columns":{"x":[1,2]}})", format), R"({"x":[1,2]})");
}

TEST_F(JsonTables, UnwrapsListsOfOneWhereTheFieldStandsForATensor) {
  const Layout layout({Make("x", ScalarType::kNumber), Make("y", ScalarType::kNumber)});
  JsonTableDecoder decoder(layout, {}, {2, 0});
  const std::string_view expected = R"({"x":1.0,"y":2.0})";
  EXPECT_EQ(Read(decoder, layout, R"({"rows":[{"x":[[1]],"y":2}]})"), expected);
  EXPECT_EQ(Read(decoder, layout, R"({"columns":{"x":[[1]],"y":[2]}})"), expected);
  EXPECT_THAT(Read(decoder, layout, R"({"rows":[{"x":1,"y":[2]}]})"), HasSubstr("0 schema.wrong_type"));
  EXPECT_THAT(Read(decoder, layout, R"({"rows":[{"x":[1,2],"y":2}]})"), HasSubstr("0 schema.wrong_type"));
  EXPECT_THAT(Read(decoder, layout, R"({"rows":[{"x":[[[1]]],"y":2}]})"), HasSubstr("0 schema.wrong_type"));
  JsonTableFormat any = kFormat;
  any.any_list = true;
  EXPECT_EQ(Read(decoder, layout, R"({"rows":[{"x":1,"y":[2]}]})", any), expected);
}

// Dialects.

TEST_F(JsonTables, TakesBareNonFiniteTokensWhereTheDialectDoes) {
  JsonTableFormat format = kFormat;
  EXPECT_THAT(ReadOne(Make("x", ScalarType::kNumber), R"({"rows":[NaN]})"), HasSubstr("json.malformed"));
  format.dialect.non_finite = JsonDialect::NonFinite::kNumber;
  const Layout layout({Make("x", ScalarType::kNumber)});
  Decoded out(layout);
  JsonTableDecoder decoder(layout);
  ASSERT_TRUE(decoder.Decode(R"({"rows":[NaN,Infinity,-Infinity , -1]})", format, out));
  const double* values = out.table.columns[0].view().numbers();
  EXPECT_TRUE(std::isnan(values[0]));
  EXPECT_EQ(values[1], INFINITY);
  EXPECT_EQ(values[2], -INFINITY);
  EXPECT_THAT(ReadOne(Make("x", ScalarType::kInteger), R"({"rows":[NaN]})", format), HasSubstr("schema.wrong_type"));
  EXPECT_THAT(ReadOne(Make("x", ScalarType::kNumber), R"({"rows":[NaNs]})", format), HasSubstr("json.malformed"));
  EXPECT_THAT(ReadOne(Make("x", ScalarType::kNumber), R"({"rows":[+Infinity]})", format), HasSubstr("json.malformed"));
  format.dialect.non_finite = JsonDialect::NonFinite::kNull;
  EXPECT_EQ(ReadOne(Make("x", ScalarType::kString), R"({"rows":[{"x":NaN},["a"]]})", format), R"({"x":null}{"x":"a"})");
  EXPECT_THAT(ReadOne(Make("x", ScalarType::kNumber, {2}), R"({"rows":[[NaN,1]]})", format), HasSubstr("null"));
}

TEST_F(JsonTables, TakesTextInBase64WhereTheDialectDoes) {
  JsonTableFormat format = kFormat;
  const Field text = Make("x", ScalarType::kString);
  EXPECT_THAT(ReadOne(text, R"({"rows":[{"x":{"b64":"aGk="}}]})"), HasSubstr("schema.wrong_type"));
  format.dialect.base64 = true;
  EXPECT_EQ(ReadOne(text, R"({"rows":[{"b64":"aGk="},{"x":{"b64":"aGk"}},[{"b64":"aG\u006b="}]]})", format),
            R"({"x":"hi"}{"x":"hi"}{"x":"hi"})");
  EXPECT_EQ(ReadOne(text, R"({"columns":{"b64":"aGk="}})", format), R"({"x":"hi"})");
  EXPECT_EQ(ReadOne(Make("x", ScalarType::kString, {2}), R"({"rows":[[{"b64":"aGk="},"ho"]]})", format),
            R"({"x":["hi","ho"]})");
  EXPECT_THAT(ReadOne(text, R"({"rows":[{"b64":"!"}]})", format), HasSubstr("whose b64 is not base64"));
  EXPECT_THAT(ReadOne(text, R"({"rows":[{"b64":"/w=="}]})", format), HasSubstr("schema.wrong_type"));
  EXPECT_THAT(ReadOne(text, R"({"rows":[{"x":{"b64":"aGk=","c":1}}]})", format), HasSubstr("not an object"));
  EXPECT_THAT(ReadOne(Make("x", ScalarType::kNumber), R"({"rows":[{"b64":"aGk="}]})", format),
              HasSubstr("schema.wrong_type"));
}

// Context.

class JsonContext : public JsonTables {
 protected:
  std::string With(std::string_view text) {
    JsonTableFormat format = kFormat;
    format.context = "context";
    return Read(text, format);
  }
};

TEST_F(JsonContext, FillsTheFieldsThatRowsLack) {
  EXPECT_EQ(With(R"({"context":{"b":"x"},"rows":[{"a":1},{"a":2,"b":"y"},{"a":3,"b":null}]})"),
            R"({"a":1.0,"b":"x"}{"a":2.0,"b":"y"}{"a":3.0,"b":null})");
  EXPECT_EQ(With(R"({"rows":[{"a":1}],"context":{"b":"x"}})"), R"({"a":1.0,"b":"x"})");
  EXPECT_EQ(With(R"({"rows":[{"a":1,"b":"y"}]})"), R"({"a":1.0,"b":"y"})");
}

TEST_F(JsonContext, RefusesAContextThatIsNone) {
  EXPECT_THAT(With(R"({"context":[],"rows":[]})"), HasSubstr("\"context\" is an object by field name, not a list"));
  EXPECT_THAT(With(R"({"context":{},"context":{},"rows":[]})"), HasSubstr("has \"context\" twice"));
  EXPECT_THAT(With(R"({"context":{"a":"x"},"rows":[]})"), HasSubstr("schema.violation: \"context\": "));
  EXPECT_THAT(With(R"({"context":{"a":1]},"rows":[]})"), HasSubstr("json.malformed"));
  EXPECT_THAT(With(R"({"context":{"a":1},"rows":[}]})"), HasSubstr("json.malformed"));
}

TEST_F(JsonContext, BoundsWhatItRepeats) {
  JsonTableFormat format = kFormat;
  format.context = "context";
  JsonTableDecoder decoder(layout_, {.rows = 1000, .table_bytes = 4096});
  const std::string context = R"({"context":{"b":")" + std::string(400, 'x') + R"("},"rows":[)";
  EXPECT_THAT(Read(decoder, layout_, context + "{}]}", format), HasSubstr("xxx"));
  EXPECT_THAT(Read(decoder, layout_, context + "{},{},{}]}", format), HasSubstr("json.limit"));
}

TEST_F(JsonTables, KeepsWhatWasReadBefore) {
  Decoded out(layout_);
  ASSERT_TRUE(decoder_.Decode(R"({"rows":[[1,"x"]]})", kFormat, out));
  EXPECT_FALSE(decoder_.Decode(R"({"rows":[[2,"y"],[3,)", kFormat, out));
  EXPECT_FALSE(decoder_.Decode(R"({"columns":{"a":[1,2],"b":["x"]}})", kFormat, out));
  EXPECT_EQ(out.table.rows, 1);
  ASSERT_TRUE(decoder_.Decode(R"({"rows":[[4,"z"]]})", kFormat, out));
  EXPECT_EQ(out.table.columns[1].string(1), "z");
}

}  // namespace
}  // namespace slipway::data
