#include "data/csv_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

#include "data/json_rows.h"

namespace slipway::data {
namespace {

using testing::HasSubstr;

// Cells in <>, quoted ones in [], records with their line: `1:<a>[b];`.
class Recorder {
 public:
  CsvReader::OnRecord on_record = [this](const std::vector<CsvReader::Cell>& cells, int64_t line) {
    text += std::to_string(line) + ":";
    for (const CsvReader::Cell& cell : cells) {
      text += cell.quoted ? '[' : '<';
      text += cell.text;
      text += cell.quoted ? ']' : '>';
    }
    text += ';';
  };
  std::string text;
};

// Reads `text` in blocks of `block` bytes.
std::string Cells(std::string_view text, size_t block, CsvLimits limits = {}, char delimiter = ',') {
  Recorder recorder;
  CsvReader reader(delimiter, limits);
  base::Result<void> result;
  for (size_t at = 0; at < text.size() && result; at += block) {
    result = reader.Feed(text.substr(at, block), recorder.on_record);
  }
  if (result) result = reader.Finish(recorder.on_record);
  return result ? recorder.text : recorder.text + result.error().reason + ": " + result.error().message;
}

struct Split {
  std::string_view text;
  std::string_view cells;
};
void PrintTo(const Split& split, std::ostream* out) {
  *out << testing::PrintToString(std::string(split.text));
}

class CsvText : public testing::TestWithParam<Split> {};

// The outcome for every size of block, or the first that differs from the outcome in one block.
std::string CellsInAnyBlocks(std::string_view text) {
  std::string whole = Cells(text, text.size() + 1);
  for (size_t block = 1; block <= text.size(); ++block) {
    if (std::string cells = Cells(text, block); cells != whole)
      return "in blocks of " + std::to_string(block) + ": " + cells;
  }
  return whole;
}

TEST_P(CsvText, SplitsAlikeInBlocksOfAnySize) {
  EXPECT_EQ(CellsInAnyBlocks(GetParam().text), GetParam().cells);
}

INSTANTIATE_TEST_SUITE_P(
    Table, CsvText,
    testing::Values(
        Split{"", ""}, Split{"a", "1:<a>;"}, Split{"a\n", "1:<a>;"}, Split{"a,b\n1,2\n", "1:<a><b>;2:<1><2>;"},
        Split{"a,b\n1,2", "1:<a><b>;2:<1><2>;"}, Split{"a,b\r\n1,2\r\n", "1:<a><b>;2:<1><2>;"},
        Split{"a,b\r1,2\r", "1:<a><b>;2:<1><2>;"}, Split{"a\r\r\nb", "1:<a>;2:<>;3:<b>;"},
        Split{",\n,,\n", "1:<><>;2:<><><>;"}, Split{"a,", "1:<a><>;"}, Split{"\n\na\n", "1:<>;2:<>;3:<a>;"},
        Split{"\"a\"", "1:[a];"}, Split{"\"\"", "1:[];"}, Split{"\"\",\"\"\n", "1:[][];"},
        Split{"\"a,b\",c\n", "1:[a,b]<c>;"}, Split{"\"a\"\"b\"\n", "1:[a\"b];"}, Split{"\"\"\"\"\n", "1:[\"];"},
        Split{"\"a\nb\",c\nd\n", "1:[a\nb]<c>;3:<d>;"}, Split{"\"a\r\nb\"\r\nd", "1:[a\r\nb];3:<d>;"},
        Split{"a\"b,c\"\n", "1:<a\"b><c\">;"}, Split{"a,b\"\"c\n", "1:<a><b\"\"c>;"}, Split{" \"a\"\n", "1:< \"a\">;"},
        Split{"\xEF\xBB\xBF"
              "a,b\n",
              "1:<a><b>;"},
        Split{"\xEF\xBB\xBF\"a\",b\n", "1:[a]<b>;"}, Split{"\xEF\xBB\xBF", ""}, Split{"\xEF\xBB", "1:<\xEF\xBB>;"},
        Split{"\xEF\xBB,b", "1:<\xEF\xBB><b>;"},
        Split{"\xEF"
              "a\n",
              "1:<\xEF"
              "a>;"},
        Split{"a\xEF\xBB\xBF\n", "1:<a\xEF\xBB\xBF>;"}, Split{"é,€\n😀\n", "1:<é><€>;2:<😀>;"},
        Split{"a,b\n\"x\",y\np,q\n\"r\"\"\",s\nt,u\n", "1:<a><b>;2:[x]<y>;3:<p><q>;4:[r\"]<s>;5:<t><u>;"},
        Split{"0123456789012345678901234567890123456789012345678901234567890123,x\n1,2\r\n\"3\",4\n",
              "1:<0123456789012345678901234567890123456789012345678901234567890123><x>;2:<1><2>;3:[3]<4>;"},
        Split{"\"a",
              "csv.malformed: this CSV cannot be read at line 1: a quoted cell is not closed by a double quote "
              "before the end of the text"},
        Split{"x\n\"a\nb",
              "1:<x>;csv.malformed: this CSV cannot be read at line 3: a quoted cell is not closed by a "
              "double quote before the end of the text"},
        Split{"x\n\"a\"b\ny\n",
              "1:<x>;csv.malformed: this CSV cannot be read at line 2: text follows the closing quote "
              "of a cell; double the quotes that belong to a cell's text"}));

TEST(CsvReader, TakesOtherDelimiters) {
  EXPECT_EQ(Cells("a;b,c\n", 100, {}, ';'), "1:<a><b,c>;");
  EXPECT_EQ(Cells("a\tb\n", 100, {}, '\t'), "1:<a><b>;");
}

TEST(CsvReader, HoldsItsLimits) {
  const CsvLimits limits{.cell_bytes = 8, .record_bytes = 20, .columns = 4};
  EXPECT_EQ(Cells("a,b,c,d\n12345678\n", 100, limits), "1:<a><b><c><d>;2:<12345678>;");
  EXPECT_THAT(Cells("a,b,c,d,e\n", 100, limits),
              HasSubstr("csv.limit: this CSV cannot be read at line 1: a record has"));
  EXPECT_THAT(Cells("123456789\n", 100, limits), HasSubstr("csv.limit"));
  EXPECT_THAT(Cells("\"123456789\n", 3, limits), HasSubstr("look for a quote that is not closed"));
  EXPECT_THAT(Cells("12345678,12345678,12345\n", 5, limits), HasSubstr("a record is longer than 20 bytes"));
  EXPECT_THAT(Cells("12345678,12345678,12345\n", 100, limits), HasSubstr("a record is longer than 20 bytes"));
}

TEST(CsvReader, StaysFailed) {
  Recorder recorder;
  CsvReader reader;
  EXPECT_FALSE(reader.Feed("\"a\"b\n", recorder.on_record));
  EXPECT_FALSE(reader.Feed("x\n", recorder.on_record));
  EXPECT_FALSE(reader.Finish(recorder.on_record));
  EXPECT_EQ(recorder.text, "");
}

Field Make(std::string name, ScalarType type, std::vector<int64_t> shape = {}) {
  Field field;
  field.name = std::move(name);
  field.type = {type, std::move(shape)};
  return field;
}

class CsvRows : public testing::Test {
 protected:
  base::Result<void> Decode(std::string_view text, CsvLimits limits = {}) {
    CsvRowDecoder decoder(layout_, ',', limits);
    SLIPWAY_TRY(decoder.Feed(text, out_));
    return decoder.Finish(out_);
  }
  std::string Codes() const {
    std::string codes;
    for (const Violation& violation : out_.violations) {
      codes += std::to_string(violation.row) + " " + violation.path + " ";
      codes += std::string(ViolationCodeName(violation.code)) + "; ";
    }
    return codes;
  }

  const Layout layout_{{Make("name", ScalarType::kString), Make("size", ScalarType::kNumber),
                        Make("grid", ScalarType::kInteger, {-1, 2})}};
  Decoded out_{layout_};
};

TEST_F(CsvRows, MatchesColumnsByName) {
  ASSERT_TRUE(Decode("size, name \n1,a\n2.5,b\n"));
  EXPECT_EQ(out_.table.rows, 2);
  EXPECT_EQ(out_.table.columns[0].string(1), "b");
  EXPECT_EQ(out_.table.columns[1].view().numbers()[1], 2.5);
  EXPECT_TRUE(out_.IsAbsent(2, 1));
}

TEST_F(CsvRows, SkipsBlankLines) {
  ASSERT_TRUE(Decode("\nname,size\n\na,1\n\r\nb,2\n\n"));
  EXPECT_EQ(out_.table.rows, 2);
}

// Sizes of a table of the one column "size": numbers, null for a missing one.
std::string Sizes(const Decoded& decoded) {
  std::string text;
  const ColumnView column = decoded.table.columns[1].view();
  for (int64_t row = 0; row < decoded.table.rows; ++row) {
    text += column.IsValid(row) ? std::to_string(static_cast<int>(column.numbers()[row])) : "null";
    text += ';';
  }
  return text;
}

TEST_F(CsvRows, ABlankLineOfATableOfOneColumnIsARowOfNull) {
  const std::string expected = "null;1;null;null;2;";
  for (const std::string_view text : {"size\n\n1\n\n\n2\n", "size\n\n1\n\n\n2", "\n\nsize\n\n1\n\n\n2\n",
                                      "size\r\n\r\n1\r\n\r\n\r\n2\r\n", "size\r\r1\r\r\r2\r"}) {
    out_.Clear();
    ASSERT_TRUE(Decode(text)) << text;
    EXPECT_EQ(Sizes(out_), expected) << text;
  }
}

TEST_F(CsvRows, OnlyTheLineBreakBehindTheLastRecordMakesNoRow) {
  ASSERT_TRUE(Decode("size\n"));
  EXPECT_EQ(out_.table.rows, 0);
  ASSERT_TRUE(Decode("size\n1\n\n"));
  EXPECT_EQ(Sizes(out_), "1;null;");
}

TEST_F(CsvRows, AnEmptyCellInQuotesIsNullButForAString) {
  ASSERT_TRUE(Decode("name,size,grid\n\"\",\"\",\"\"\n"));
  EXPECT_EQ(Codes(), "");
  EXPECT_TRUE(out_.table.columns[0].IsValid(0));
  EXPECT_FALSE(out_.table.columns[1].IsValid(0));
  EXPECT_FALSE(out_.table.columns[2].IsValid(0));
  EXPECT_FALSE(out_.IsAbsent(1, 0));
}

TEST_F(CsvRows, ReportsRecordsOfAnotherLength) {
  ASSERT_TRUE(Decode("name,size\na\nb,2\nc,3,4\n"));
  EXPECT_EQ(Codes(), "0  schema.malformed; 2  schema.malformed; ");
  EXPECT_EQ(out_.violations[0].message,
            "line 2 has 1 cells where the header has 2; quote the cells that hold delimiters or line breaks");
  EXPECT_EQ(out_.table.columns[1].view().numbers()[1], 2);
}

TEST_F(CsvRows, ReportsUnknownColumnsInEveryRow) {
  ASSERT_TRUE(Decode("name,sise\na,1\nb,2\n"));
  EXPECT_EQ(Codes(), "0 sise schema.unknown_field; 1 sise schema.unknown_field; ");
  EXPECT_THAT(out_.violations[0].message, HasSubstr("did you mean \"size\"?"));
}

TEST_F(CsvRows, IgnoresUnknownColumnsWhenTheLayoutSaysSo) {
  const Layout layout(layout_.fields(), UnknownFields::kIgnore);
  CsvRowDecoder decoder(layout);
  ASSERT_TRUE(decoder.Feed("name,other\na,1\n", out_));
  EXPECT_EQ(out_.table.rows, 1);
  EXPECT_TRUE(out_.violations.empty());
}

TEST_F(CsvRows, RefusesHeadersThatMislead) {
  EXPECT_EQ(Decode("name,size,name\n").error().reason, "csv.header");
  EXPECT_THAT(Decode("name;size\na;1\n").error().message, HasSubstr("another delimiter"));
  EXPECT_THAT(Decode("").error().message, HasSubstr("its first line must name the columns"));
  EXPECT_EQ(out_.table.rows, 0);
}

TEST_F(CsvRows, ReadsListsForTensors) {
  ASSERT_TRUE(Decode("grid\n\"[[1,2],[3,4],[5,6]]\"\n[]\n\"\"\n\" \"\n"));
  EXPECT_EQ(out_.table.columns[2].view().row_offsets[1], 6);
  EXPECT_EQ(out_.table.columns[2].view().row_shapes[0], 3);
  EXPECT_FALSE(out_.table.columns[2].IsValid(2));
  EXPECT_EQ(Codes(), "3 grid schema.wrong_type; ");
}

TEST_F(CsvRows, ReportsCellsThatAreNoList) {
  ASSERT_TRUE(Decode(
      "grid\n\"[[1,2],[3,4]\"\n\"[[1,2]],[3]\"\n\"[[1,x]]\"\n7\nabc\n\"[[1,2.5]]\"\n\"[[1,2],\"\n[\n\"[[1,null]\"\n"));
  EXPECT_EQ(out_.table.rows, 9);
  EXPECT_EQ(Codes(),
            "0 grid schema.wrong_type; 1 grid schema.wrong_type; 2 grid schema.wrong_type; 3 grid schema.wrong_type; "
            "4 grid schema.wrong_type; 5 grid[0][1] schema.wrong_type; 6 grid schema.wrong_type; "
            "7 grid schema.wrong_type; 8 grid schema.wrong_type; ");
  EXPECT_EQ(out_.table.columns[2].rows(), 9);
}

TEST_F(CsvRows, BoundsTheTable) {
  EXPECT_EQ(Decode("name\na\nb\nc\nd\n", {.table_bytes = 100}).error().reason, "csv.limit");
}

TEST_F(CsvRows, ReadsALastRowWithoutLineBreak) {
  ASSERT_TRUE(Decode("name,size\na,1"));
  EXPECT_EQ(out_.table.rows, 1);
}

// Reads every prefix of a text laid against a page that must not be touched.
void SplitPrefixesAtAPagesEnd(std::string_view text) {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  void* pages = mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(pages, MAP_FAILED);
  ASSERT_EQ(mprotect(static_cast<char*>(pages) + page, page, PROT_NONE), 0);
  for (size_t size = 0; size <= text.size(); ++size) {
    char* begin = static_cast<char*>(pages) + page - size;
    std::memcpy(begin, text.data(), size);
    EXPECT_EQ(Cells({begin, size}, size + 1), Cells(std::string(text.substr(0, size)), 1));
  }
  munmap(pages, 2 * page);
}

TEST(CsvReader, ReadsNoByteBeyondTheBlock) {
  SplitPrefixesAtAPagesEnd(
      "name,size,comment\r\nabc,1.5,0123456789012345678901234567890123456789012345678901234567890123456789\r\n"
      "\"quoted, with \"\"quotes\"\"\",2,\"and\nlines\"\nplain,3,\n");
}

std::string Encode(const std::vector<Field>& fields, const Table& table) {
  const CsvRowEncoder encoder(fields);
  std::string text;
  encoder.AppendHeader(text);
  for (int64_t row = 0; row < table.rows; ++row) {
    encoder.AppendRow(table, row, text);
    text += '\n';
  }
  return text;
}

TEST(CsvRowEncoder, WritesWhatTheDecoderReads) {
  const std::vector<Field> fields = {Make("s", ScalarType::kString),    Make("n", ScalarType::kNumber),
                                     Make("i", ScalarType::kInteger),   Make("b", ScalarType::kBoolean),
                                     Make("t", ScalarType::kTimestamp), Make("g", ScalarType::kNumber, {2})};
  const Layout layout(fields);
  const std::string text =
      "s,n,i,b,t,g\n"
      "\"a,\"\"b\"\"\n\r\",-0.0,-9223372036854775808,true,2013-07-04T08:15:00Z,\"[1.0,2.5]\"\n"
      "\"\",nan,,false,,\n"
      ",inf,0,,1969-12-31T23:59:59.500000Z,\"[0.1,-1e+100]\"\n"
      "\"x;y\",-inf,1,true,,\n";
  Decoded decoded(layout);
  CsvRowDecoder decoder(layout);
  ASSERT_TRUE(decoder.Feed(text, decoded));
  EXPECT_TRUE(decoded.violations.empty());
  Decoded again(layout);
  CsvRowDecoder second(layout);
  ASSERT_TRUE(second.Feed(Encode(fields, decoded.table), again));
  EXPECT_EQ(Encode(fields, again.table), Encode(fields, decoded.table));
  EXPECT_THAT(Encode(fields, decoded.table), HasSubstr("\"\",nan,,false,,\n,inf,0,,1969"));
}

// A table of one column with a value, a null and, for strings, an empty text; read back from what was written.
std::string WrittenAndReadBack(const Field& field, std::string_view cells) {
  const std::vector<Field> fields = {field};
  const Layout layout(fields);
  Decoded first(layout);
  CsvRowDecoder decoder(layout);
  EXPECT_TRUE(decoder.Feed("x\n" + std::string(cells), first) && decoder.Finish(first));
  const CsvRowEncoder encoder(fields);
  std::string text = "x\n";
  for (int64_t row = 0; row < first.table.rows; ++row) encoder.AppendLine(first.table, row, text);
  Decoded second(layout);
  CsvRowDecoder again(layout);
  EXPECT_TRUE(again.Feed(text, second) && again.Finish(second));
  EXPECT_EQ(Encode(fields, second.table), Encode(fields, first.table));
  EXPECT_EQ(second.table.rows, 3);
  return text;
}

TEST(CsvRowEncoder, KeepsEveryRowOfATableOfOneColumn) {
  EXPECT_EQ(WrittenAndReadBack(Make("x", ScalarType::kNumber), "1.5\n\n2.5\n"), "x\n1.5\n\"\"\n2.5\n");
  EXPECT_EQ(WrittenAndReadBack(Make("x", ScalarType::kTimestamp), "\n2013-07-04\n\"\"\n"),
            "x\n\"\"\n2013-07-04T00:00:00Z\n\"\"\n");
  EXPECT_EQ(WrittenAndReadBack(Make("x", ScalarType::kNumber, {2}), "\"[1,2]\"\n\n\n"),
            "x\n\"[1.0,2.0]\"\n\"\"\n\"\"\n");
  EXPECT_EQ(WrittenAndReadBack(Make("x", ScalarType::kString), "a\n\n\"\"\n"), "x\na\n\n\"\"\n");
  EXPECT_EQ(WrittenAndReadBack(Make("x", ScalarType::kString), "\"\"\na\n\n"), "x\n\"\"\na\n\n");
}

TEST(CsvRowEncoder, GivesEveryLabelAColumn) {
  std::vector<Field> fields = {Make("probability", ScalarType::kNumber, {2}), Make("late", ScalarType::kBoolean)};
  fields[0].labels = {"no", "yes,maybe"};
  Table table = Table::Make(fields);
  table.columns[0].PushNumber(0.25);
  table.columns[0].PushNumber(0.75);
  table.columns[0].CloseRow();
  table.columns[0].AppendNull();
  table.columns[1].AppendBoolean(true);
  table.columns[1].AppendNull();
  table.rows = 2;
  EXPECT_EQ(Encode(fields, table), "probability.no,\"probability.yes,maybe\",late\n0.25,0.75,true\n,,\n");
}

}  // namespace
}  // namespace slipway::data
