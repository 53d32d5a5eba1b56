#include "data/json_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

#include "data/cell_cases.h"

namespace slipway::data {
namespace {

using testing::HasSubstr;
using Form = JsonRowDecoder::Form;

Field Make(std::string name, ScalarType type, std::vector<int64_t> shape = {}) {
  Field field;
  field.name = std::move(name);
  field.type = {type, std::move(shape)};
  return field;
}

class JsonRows : public testing::Test {
 protected:
  base::Result<Form> Decode(std::string_view text) { return decoder_.DecodeDocument(text, out_); }
  double Distance(int64_t row) const { return out_.table.columns[1].view().numbers()[row]; }
  std::string Fault(std::string_view text) {
    const auto result = Decode(text);
    return result ? "accepted" : result.error().reason + ": " + result.error().message;
  }
  std::string LineFault(std::string_view line) {
    out_.Clear();
    decoder_.DecodeLine(line, out_);
    return out_.violations.empty() ? "accepted" : out_.violations[0].message;
  }
  std::string Codes() const {
    std::string codes;
    for (const Violation& violation : out_.violations) {
      codes += std::to_string(violation.row) + " " + violation.path + " ";
      codes += std::string(ViolationCodeName(violation.code)) + "; ";
    }
    return codes;
  }

  const Layout layout_{{Make("carrier", ScalarType::kString), Make("distance", ScalarType::kNumber),
                        Make("grid", ScalarType::kNumber, {2, 2}), Make("any", ScalarType::kInteger, {-1, -1})}};
  JsonRowDecoder decoder_{layout_, {.bytes = 4096, .rows = 100, .nested = {.depth = 8, .string_bytes = 100}}};
  Decoded out_{layout_};
};

TEST_F(JsonRows, ReadsOneObjectAsOneRecord) {
  EXPECT_EQ(Decode(R"( {"carrier": "AA", "distance": 1400} )"), Form::kRecord);
  EXPECT_EQ(out_.table.rows, 1);
  EXPECT_EQ(out_.table.columns[0].string(0), "AA");
  EXPECT_EQ(Distance(0), 1400);
  EXPECT_TRUE(out_.IsAbsent(2, 0));
}

TEST_F(JsonRows, ReadsRecordsAndTopLevelLists) {
  EXPECT_EQ(Decode(R"({"records":[{"distance":1},{"distance":2}]})"), Form::kRecords);
  EXPECT_EQ(Decode(R"([{"distance":3}])"), Form::kRecords);
  EXPECT_EQ(Decode("[]"), Form::kRecords);
  EXPECT_EQ(Decode(R"({"records" : [ ] })"), Form::kRecords);
  EXPECT_EQ(Decode(R"({"r\u0065cords":[{"distance":4}]})"), Form::kRecords);
  EXPECT_EQ(out_.table.rows, 4);
  EXPECT_EQ(Distance(3), 4);
}

TEST_F(JsonRows, ReadsAnEmptyObjectAsARecordWithoutFields) {
  EXPECT_EQ(Decode("{}"), Form::kRecord);
  EXPECT_TRUE(out_.IsAbsent(0, 0));
  EXPECT_TRUE(out_.violations.empty());
}

TEST_F(JsonRows, RefusesMembersBesideRecords) {
  EXPECT_THAT(Fault(R"({"records":[],"id":1})"), HasSubstr("json.not_a_record: \"records\" stands alone"));
  EXPECT_THAT(Fault(R"({"id":1,"records":[]})"), HasSubstr("json.not_a_record: \"records\" stands alone"));
  EXPECT_THAT(Fault(R"({"records":[}})"), HasSubstr("json.malformed"));
  EXPECT_THAT(Fault(R"({"records":[]]})"), HasSubstr("json.malformed"));
  EXPECT_THAT(Fault(R"({"records":[])"), HasSubstr("json.malformed"));
  EXPECT_THAT(Fault(R"({"records":[]])"), HasSubstr("json.malformed"));
}

TEST_F(JsonRows, TreatsRecordsAsAFieldWhenTheLayoutHasIt) {
  const Layout layout({Make("records", ScalarType::kInteger, {-1})});
  Decoded out(layout);
  EXPECT_EQ(JsonRowDecoder(layout).DecodeDocument(R"({"records":[1,2]})", out), Form::kRecord);
  EXPECT_EQ(out.table.columns[0].view().row_offsets[1], 2);
}

TEST_F(JsonRows, ReportsListElementsThatAreNoObjects) {
  EXPECT_EQ(Decode(R"([{"distance":1}, 5, [1], "x", null, true, {"distance":2}])"), Form::kRecords);
  EXPECT_EQ(out_.table.rows, 7);
  EXPECT_EQ(
      Codes(),
      "1  schema.malformed; 2  schema.malformed; 3  schema.malformed; 4  schema.malformed; 5  schema.malformed; ");
  EXPECT_THAT(out_.violations[1].message, HasSubstr("a record is an object, not a list"));
  EXPECT_FALSE(out_.table.columns[1].IsValid(1));
  EXPECT_FALSE(out_.IsAbsent(1, 1));
}

TEST_F(JsonRows, RefusesDocumentsThatAreNoRecord) {
  EXPECT_THAT(Fault("12"), HasSubstr("json.not_a_record"));
  EXPECT_THAT(Fault(" \"text\""), HasSubstr("not a string"));
  EXPECT_THAT(Fault("null"), HasSubstr("not null"));
}

TEST_F(JsonRows, KeepsTheFirstOfRepeatedFields) {
  EXPECT_EQ(Decode(R"({"distance":1,"distance":2,"d\u0069stance":3,"\u0064istance":null})"), Form::kRecord);
  EXPECT_EQ(Distance(0), 1);
  EXPECT_EQ(
      Codes(),
      "0 distance schema.duplicate_field; 0 distance schema.duplicate_field; 0 distance schema.duplicate_field; ");
  EXPECT_EQ(out_.violations[0].value, base::Value(2));
}

TEST_F(JsonRows, FindsFieldsInAnyOrderAndSpelling) {
  EXPECT_TRUE(Decode(R"({"distance":1,"carrier":"a"})"));
  EXPECT_TRUE(Decode(R"({"carrier":"b","distance":2})"));
  EXPECT_TRUE(Decode(R"({"c\u0061rrier":"c","\u0064\u0069stance":3})"));
  EXPECT_EQ(out_.table.columns[0].string(2), "c");
  EXPECT_EQ(Distance(2), 3);
  EXPECT_TRUE(out_.violations.empty());
}

TEST_F(JsonRows, NeverTakesARawSpellingForAnEscapedOne) {
  const Layout layout({Make("a\\b", ScalarType::kNumber)});
  Decoded out(layout);
  JsonRowDecoder decoder(layout);
  EXPECT_TRUE(decoder.DecodeDocument(R"({"a\\b":1})", out));
  EXPECT_TRUE(decoder.DecodeDocument(R"({"a\b":1})", out));
  EXPECT_TRUE(out.table.columns[0].IsValid(0));
  EXPECT_TRUE(out.IsAbsent(0, 1));
}

TEST_F(JsonRows, ReadsVariableTensors) {
  EXPECT_TRUE(Decode(R"([{"any":[[1,2,3],[4,5,6]]},{"any":[]},{"any":[[],[]]},{"any":null}])"));
  const ColumnView any = out_.table.columns[3].view();
  EXPECT_EQ(any.row_offsets[1], 6);
  EXPECT_EQ(std::vector<int64_t>(any.row_shapes, any.row_shapes + 8), (std::vector<int64_t>{2, 3, 0, 0, 2, 0, 0, 0}));
  EXPECT_EQ(any.integers()[5], 6);
  EXPECT_TRUE(out_.violations.empty());
}

TEST_F(JsonRows, ReportsTensorsOfAnotherShape) {
  EXPECT_TRUE(
      Decode(R"([{"grid":[1,2,3,4]},{"grid":[[1,2]]},{"grid":[[1,2],[3]]},{"grid":[[1],2]},{"grid":[[[1,2],[3,4]]]},
                         {"grid":[[1,2,3],[4,5,6]]},{"grid":[]},{"any":[[1],[2,3]]},{"grid":[[],1]}])"));
  EXPECT_EQ(out_.violations.size(), 9);
  EXPECT_EQ(out_.violations[0].value, base::Value("[4]"));
  EXPECT_THAT(out_.violations[2].message, HasSubstr("grid takes the shape number[2,2], not uneven lists"));
  EXPECT_THAT(Codes(), Not(HasSubstr("wrong_type")));
}

TEST_F(JsonRows, PointsAtElementsOfAWrongType) {
  EXPECT_TRUE(Decode(R"({"grid":[[1,null],["2",{}]]})"));
  EXPECT_EQ(Codes(), "0 grid[0][1] schema.null; 0 grid[1][0] schema.wrong_type; 0 grid[1][1] schema.wrong_type; ");
  EXPECT_EQ(out_.violations[1].message, "grid[1][0] takes a number, not the text \"2\"; send it without quotes");
  EXPECT_FALSE(out_.table.columns[2].IsValid(0));
}

TEST_F(JsonRows, ReportsAtMostSixteenElementsOfATensor) {
  std::string text = "{\"any\":[[null";
  for (int i = 0; i < 200; ++i) text += ",\"x\"";
  EXPECT_TRUE(Decode(text + "]]}"));
  EXPECT_EQ(out_.violations.size(), 16);
}

TEST_F(JsonRows, ReportsAtMostSixtyFourUnknownFieldsOfARecord) {
  std::string text = "{\"a0\":1";
  for (int i = 1; i < 300; ++i) text += ",\"a" + std::to_string(i) + "\":1";
  EXPECT_TRUE(Decode(text + "}"));
  EXPECT_EQ(out_.violations.size(), 64);
}

TEST_F(JsonRows, HoldsItsLimits) {
  std::string rows = "[{}";
  for (int i = 0; i < 100; ++i) rows += ",{}";
  EXPECT_THAT(Fault(rows + "]"), HasSubstr("json.limit: a JSON document holds at most 100 records"));
  EXPECT_THAT(Fault("[" + std::string(5000, ' ') + "]"), HasSubstr("json.limit: a JSON document of 5002 bytes"));
  EXPECT_THAT(Fault(R"({"x":[[[[[[[[1]]]]]]]]})"),
              HasSubstr("json.limit: this JSON goes past a limit at line 1, column 13"));
  EXPECT_THAT(Fault(R"({"grid":[[[[[[[[1]]]]]]]]})"), HasSubstr("at most 8 levels"));
  EXPECT_EQ(Fault(R"({"x":[[[[[[[1]]]]]]]})"), "accepted");
}

TEST_F(JsonRows, RefusesStringsThatAreTooLongWhereverTheyStand) {
  const std::string fits = "\"" + std::string(100, 'a') + "\"", long_one = "\"" + std::string(101, 'a') + "\"";
  EXPECT_EQ(Fault("{\"carrier\":" + fits + "}"), "accepted");
  EXPECT_EQ(Fault("{\"carrier\":" + long_one + "}"),
            "json.limit: this JSON goes past a limit at line 1, column 12: a string is too long, at most 100 bytes are "
            "read");
  EXPECT_THAT(Fault("{\"unknown\":[" + long_one + "]}"), HasSubstr("json.limit"));
  EXPECT_THAT(Fault("{\"any\":[[" + long_one + "]]}"), HasSubstr("json.limit"));
  EXPECT_THAT(Fault("{" + long_one + ":1}"), HasSubstr("json.limit"));
  EXPECT_THAT(LineFault("{\"carrier\":" + long_one + "}"), HasSubstr("a string is too long"));
}

TEST_F(JsonRows, BoundsRowsByTheirWidth) {
  const Layout wide({Make("image", ScalarType::kNumber, {64, 64})});
  Decoded out(wide);
  const auto result = JsonRowDecoder(wide, {.table_bytes = 100'000}).DecodeDocument("[{},{},{},{}]", out);
  EXPECT_EQ(result.error().reason, "json.limit");
}

TEST_F(JsonRows, LeavesTheTableAsItWasOnAFault) {
  ASSERT_TRUE(Decode(R"([{"carrier":"AA","distance":1,"any":[[1]],"x":0},{"distance":null}])"));
  EXPECT_FALSE(Decode(R"([{"carrier":"BB"},{"carrier":1,"y":0},{"distance":2,"any":[[1,2)"));
  EXPECT_FALSE(Decode(R"([{"carrier":"BB","distance":7,"any":[[5,6]]},{"any":[[1,2],[3}]}])"));
  EXPECT_EQ(out_.table.rows, 2);
  EXPECT_EQ(out_.violations.size(), 1);
  ASSERT_TRUE(Decode(R"({"carrier":"CC","distance":3,"any":[[7,8]]})"));
  EXPECT_EQ(out_.table.columns[0].string(2), "CC");
  EXPECT_EQ(out_.table.columns[3].view().integers()[1], 7);
  EXPECT_FALSE(out_.IsAbsent(0, 2));
  EXPECT_TRUE(out_.table.columns[1].IsValid(2));
}

TEST_F(JsonRows, TakesEveryLineAsOneRow) {
  decoder_.DecodeLine(R"({"distance":1})", out_);
  decoder_.DecodeLine(R"({"distance":2,"any":[[1,2)", out_);
  decoder_.DecodeLine("", out_);
  decoder_.DecodeLine("[{}]", out_);
  decoder_.DecodeLine("\xEF\xBB\xBF{\"distance\":3}\r", out_);
  EXPECT_EQ(out_.table.rows, 5);
  EXPECT_EQ(Codes(), "1  schema.malformed; 2  schema.malformed; 3  schema.malformed; ");
  EXPECT_EQ(Distance(4), 3);
  EXPECT_FALSE(out_.table.columns[1].IsValid(1));
}

TEST_F(JsonRows, KeepsOnlyTheFaultOfAMalformedLine) {
  decoder_.DecodeLine(R"({"distance":"a","carrier":5,"x":1,})", out_);
  EXPECT_EQ(out_.violations.size(), 1);
  EXPECT_EQ(out_.violations[0].message,
            "this is not valid JSON at line 1, column 35: a field name in double quotes is expected");
}

TEST_F(JsonRows, TakesNoLineThatOnlyEndsLikeAnObject) {
  EXPECT_THAT(LineFault("$}"), HasSubstr("an object is expected"));
  EXPECT_THAT(LineFault(":}"), HasSubstr("an object is expected"));
}

TEST_F(JsonRows, SkipsAByteOrderMark) {
  EXPECT_EQ(Fault("\xEF\xBB\xBF{}"), "accepted");
  EXPECT_THAT(Fault("\xEF\xBB\xBF\xEF\xBB\xBF{}"), HasSubstr("json.malformed"));
  EXPECT_THAT(Fault("{}\xEF\xBB\xBF"), HasSubstr("json.malformed"));
}

TEST_F(JsonRows, ShowsNothingOfAMalformedText) {
  EXPECT_THAT(LineFault(R"({"carrier": secret})"), Not(HasSubstr("secret")));
}

struct Broken {
  std::string_view text;
  std::string_view problem;
};
void PrintTo(const Broken& broken, std::ostream* out) {
  *out << broken.text;
}

class BrokenJson : public testing::TestWithParam<Broken> {};

TEST_P(BrokenJson, IsRefusedWholeWithItsReason) {
  const Layout layout({Make("a", ScalarType::kNumber)});
  Decoded out(layout);
  JsonRowDecoder decoder(layout);
  const auto result = decoder.DecodeDocument(GetParam().text, out);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().reason, "json.malformed");
  EXPECT_THAT(result.error().message, HasSubstr(std::string(GetParam().problem)));
  EXPECT_EQ(out.table.rows, 0);
  EXPECT_EQ(out.table.columns[0].rows(), 0);
  EXPECT_TRUE(out.violations.empty());
}

using namespace std::string_view_literals;
INSTANTIATE_TEST_SUITE_P(
    Table, BrokenJson,
    testing::Values(
        Broken{"", "empty"}, Broken{" \n", "empty"}, Broken{"{", "does not end"}, Broken{"[", "the text"},
        Broken{"$}", "an object is expected"}, Broken{"x{}", "an object is expected"}, Broken{"\t$1\"}", "not closed"},
        Broken{"x[]", "an object is expected"}, Broken{":}", "an object is expected"},
        Broken{"}", "an object is expected"}, Broken{"]", ""}, Broken{"{]", "field name"},
        Broken{"[}", "value is expected"}, Broken{"{}}", "nothing may follow"}, Broken{"{} {}", "nothing may follow"},
        Broken{"[][]", "nothing may follow"}, Broken{"{},", "does not end"}, Broken{"{} x", "does not end"},
        Broken{"{\"a\":1", "does not end"}, Broken{"{\"a\":1]", "end of the object"},
        Broken{"[{\"a\":1]", "end of the object"}, Broken{"[{\"a\":1}", "too early"}, Broken{"{\"a\"}", "colon"},
        Broken{"{\"a\" 1}", "colon"}, Broken{"{\"a\":}", "value is expected"}, Broken{"{\"a\":,}", "value is expected"},
        Broken{"{\"a\":1,}", "field name"}, Broken{"{,\"a\":1}", "field name"}, Broken{"{a:1}", "field name"},
        Broken{"{'a':1}", "field name"}, Broken{"{1:1}", "field name"}, Broken{"{\"a\":1 \"b\":2}", "comma"},
        Broken{"{\"a\":1,,\"b\":2}", "field name"}, Broken{"[{} {}]", "comma"}, Broken{"[{},]", "value is expected"},
        Broken{"[,{}]", "value is expected"}, Broken{"[{}:{}]", "comma"}, Broken{"{\"a\"::1}", "value is expected"},
        Broken{"{\"a\":'1'}", "double quotes"}, Broken{"{\"a\":NaN}", "send null"}, Broken{"{\"a\":nan}", "send null"},
        Broken{"{\"a\":-Infinity}", "send null"}, Broken{"{\"a\":Infinity}", "send null"},
        Broken{"{\"a\":True}", "small letters"}, Broken{"{\"a\":None}", "small letters"},
        Broken{"{\"a\":+1}", "leading plus"}, Broken{"{\"a\":.5}", "before its point"}, Broken{"{\"a\":5.}", "number"},
        Broken{"{\"a\":01}", "leading zeros"}, Broken{"{\"a\":-01}", "leading zeros"}, Broken{"{\"a\":-}", "number"},
        Broken{"{\"a\":1e}", "number"}, Broken{"{\"a\":1e+}", "number"}, Broken{"{\"a\":1.e5}", "number"},
        Broken{"{\"a\":0x10}", "decimal"}, Broken{"{\"a\":1_000}", "number"}, Broken{"{\"a\":1.5f}", "number"},
        Broken{"{\"a\":--1}", "number"}, Broken{"{\"a\":1 2}", "comma"}, Broken{"{\"a\":1\"x\"}", "number"},
        Broken{"{\"a\":truex}", "value is expected"}, Broken{"{\"a\":tru}", "value is expected"},
        Broken{"{\"a\":true\"x\"}", "value is expected"}, Broken{"{\"a\":nul}", "value is expected"},
        Broken{"{\"a\":\"x}", "not closed"}, Broken{"{\"a\":\"x\\\"}", "not closed"}, Broken{"{\"a\":\"x\"y}", "comma"},
        Broken{"{\"a\":\"x\"\"y\"}", "comma"}, Broken{"{\"a\"\"b\":1}", "colon"},
        Broken{"{\"a\":\"\\x\"}", "backslash"}, Broken{"{\"a\":\"\\u12\"}", "four hexadecimal"},
        Broken{"{\"a\":\"\\u12g4\"}", "four hexadecimal"}, Broken{"{\"a\":\"\\ud800\"}", "surrogate"},
        Broken{"{\"a\":\"\\udc00\"}", "surrogate"}, Broken{"{\"a\":\"\\ud800\\u0041\"}", "surrogate"},
        Broken{"{\"a\":\"\\ud800x\"}", "surrogate"}, Broken{"{\"\\q\":1}", "backslash"},
        Broken{"{\"a\":\"line\nbreak\"}", "control character"}, Broken{"{\"a\":\"\0\"}"sv, "control character"},
        Broken{"{\"a\":\"\xff\"}", "UTF-8"}, Broken{"{\"a\":\"\xc3\"}", "UTF-8"},
        Broken{"{\"a\":\"\xed\xa0\x80\"}", "UTF-8"}, Broken{"{\"a\":\"\xc0\x80\"}", "UTF-8"},
        Broken{"{\"a\":\"\xf4\x90\x80\x80\"}", "UTF-8"}, Broken{"{\"\xff\":1}", "UTF-8"}, Broken{"{\"a\":1}\0"sv, ""},
        Broken{"{\"a\":1}\0{\"a\":2}"sv, "nothing may follow"}, Broken{"[{}]\0[]"sv, "nothing may follow"},
        Broken{"{\"a\":\"x\"\0}"sv, "comma"}, Broken{"{\"a\"\0:1}"sv, "colon"}, Broken{"{\"a\":1\0}"sv, "number"},
        Broken{"\0{}"sv, ""}, Broken{"{\"a\":1} // note", ""}, Broken{"{\"a\":/*x*/1}", "comments"},
        Broken{"{\"a\":1\f}", "number"}, Broken{"{\"a\":1\xc2\xa0}", "number"},
        // The same in fields that nobody asked for.
        Broken{"{\"x\":tru}", "value is expected"}, Broken{"{\"x\":[1 2]}", "comma"}, Broken{"{\"x\":[1,]}", "value"},
        Broken{"{\"x\":{\"y\" 1}}", "colon"}, Broken{"{\"x\":{\"y\":1,}}", "field name"},
        Broken{"{\"x\":{\"y\":01}}", "leading zeros"}, Broken{"{\"x\":[[1,{}}]]}", "comma"},
        Broken{"{\"x\":\"\\q\"}", "backslash"}, Broken{"{\"x\":{\"\\ud800\":1}}", "surrogate"},
        Broken{"{\"x\":[}", "value is expected"}, Broken{"{\"x\":{]}", "field name"}, Broken{"[1,nul]", "value"},
        Broken{"[{},[1}]", "end of the list"}, Broken{"{\"a\":[1,2}", "end of the list"},
        Broken{"{\"a\":[1,tru]}", "value is expected"}, Broken{"{\"a\":[\"\\q\"]}", "backslash"}));

TEST_F(JsonRows, NamesLineAndColumn) {
  EXPECT_THAT(Fault("{\n  \"carrier\": \"AA\",\n  \"distance\": 1,4\n}"), HasSubstr("line 3, column 17"));
}

// Decodes every prefix of a text laid against a page that must not be touched.
void DecodePrefixesAtAPagesEnd(std::string_view text) {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  void* pages = mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(pages, MAP_FAILED);
  ASSERT_EQ(mprotect(static_cast<char*>(pages) + page, page, PROT_NONE), 0);
  const Layout layout({Make("a", ScalarType::kNumber), Make("b", ScalarType::kString)});
  Decoded out(layout);
  JsonRowDecoder decoder(layout);
  for (size_t size = 0; size <= text.size(); ++size) {
    char* begin = static_cast<char*>(pages) + page - size;
    std::memcpy(begin, text.data(), size);
    out.Clear();
    EXPECT_EQ(decoder.DecodeDocument({begin, size}, out).has_value(), size == text.size());
    decoder.DecodeLine({begin, size}, out);
  }
  munmap(pages, 2 * page);
}

TEST_F(JsonRows, ReadsNoByteBeyondTheText) {
  DecodePrefixesAtAPagesEnd(
      R"({"a": -123456789.123456789e-12, "b": "text \u00e9 \ud83d\ude00 that is longer than one vector of sixty-four bytes", "x": [true, false, null, 12345678901234567890, {"y": "z"}]})");
}

TEST_F(JsonRows, ReadsLongTextsAfterShortOnesAndBack) {
  const Layout layout({Make("b", ScalarType::kString)});
  JsonRowDecoder decoder(layout);
  Decoded out(layout);
  const std::string text(3 << 20, 'x');
  EXPECT_TRUE(decoder.DecodeDocument(R"({"b":"short"})", out));
  EXPECT_TRUE(decoder.DecodeDocument("{\"b\":\"" + text + "\"}", out));
  EXPECT_TRUE(decoder.DecodeDocument(R"({"b":"short"})", out));
  EXPECT_EQ(out.table.columns[0].string(1), text);
  EXPECT_EQ(out.table.columns[0].string(2), "short");
}

std::string Encode(const std::vector<Field>& fields, const Table& table, int64_t row) {
  std::string text;
  JsonRowEncoder(fields).AppendRow(table, row, text);
  return text;
}

TEST(JsonRowEncoder, WritesEveryType) {
  std::vector<Field> fields = {Make("b", ScalarType::kBoolean), Make("i\"", ScalarType::kInteger),
                               Make("n", ScalarType::kNumber), Make("s", ScalarType::kString),
                               Make("t", ScalarType::kTimestamp)};
  Table table = Table::Make(fields);
  table.columns[0].AppendBoolean(true);
  table.columns[1].AppendInteger(INT64_MIN);
  table.columns[2].AppendNumber(1400);
  table.columns[3].AppendString("a\"b\n");
  table.columns[4].AppendInteger(0);
  EXPECT_EQ(Encode(fields, table, 0),
            R"({"b":true,"i\"":-9223372036854775808,"n":1400.0,"s":"a\"b\n","t":"1970-01-01T00:00:00Z"})");
}

TEST(JsonRowEncoder, WritesNullForNullAndForWhatJsonLacks) {
  std::vector<Field> fields = {Make("a", ScalarType::kNumber), Make("b", ScalarType::kNumber)};
  Table table = Table::Make(fields);
  table.columns[0].AppendNull();
  table.columns[1].AppendNumber(cell_cases::kInfinity);
  EXPECT_EQ(Encode(fields, table, 0), R"({"a":null,"b":null})");
}

TEST(JsonRowEncoder, WritesSinglePrecisionShort) {
  std::vector<Field> fields = {Make("p", ScalarType::kNumber)};
  fields[0].single_precision = true;
  Table table = Table::Make(fields);
  table.columns[0].AppendNumber(0.1F);
  EXPECT_EQ(Encode(fields, table, 0), R"({"p":0.1})");
}

TEST(JsonRowEncoder, WritesLabelsAsAnObjectAndTensorsAsLists) {
  std::vector<Field> fields = {Make("p", ScalarType::kNumber, {2}), Make("g", ScalarType::kInteger, {2, 2}),
                               Make("v", ScalarType::kString, {-1})};
  fields[0].labels = {"no", "yes"};
  const Layout layout(fields);
  Decoded decoded(layout);
  ASSERT_TRUE(JsonRowDecoder(layout).DecodeDocument(R"([{"p":[0.25,0.75],"g":[[1,2],[3,4]],"v":["x","y"]},{"v":[]}])",
                                                    decoded));
  EXPECT_EQ(Encode(fields, decoded.table, 0), R"({"p":{"no":0.25,"yes":0.75},"g":[[1,2],[3,4]],"v":["x","y"]})");
  EXPECT_EQ(Encode(fields, decoded.table, 1), R"({"p":null,"g":null,"v":[]})");
}

}  // namespace
}  // namespace slipway::data
