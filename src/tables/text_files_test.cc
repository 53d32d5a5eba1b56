// CSV, JSON and .npy files.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstring>

#include "tables/table_files.h"
#include "tables/table_files_fixture.h"

namespace slipway::tables {
namespace {

using data::ScalarType;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class TextFiles : public TableTest {
 protected:
  data::Layout layout_{{Field("a", ScalarType::kInteger), Field("b", ScalarType::kString)}};
};

TEST_F(TextFiles, ReadCsvInBatchesOfAnySize) {
  const auto path = Store("t.csv", "a,b\n1,x\n2,\"two\nlines\"\n\n3,z");
  const std::string expected = "{\"a\":1,\"b\":\"x\"}\n{\"a\":2,\"b\":\"two\\nlines\"}\n{\"a\":3,\"b\":\"z\"}\n";
  EXPECT_EQ(ReadFileAs(path, layout_, 1), expected);
  EXPECT_EQ(ReadFileAs(path, layout_, 2), expected);
  EXPECT_EQ(ReadFileAs(path, layout_, 100), expected);
}

TEST_F(TextFiles, ReadCsvWithEveryLineEnd) {
  EXPECT_EQ(ReadFileAs(Store("t.csv", "a,b\r\n1,x\r\n2,y\r\n"), layout_, 1),
            "{\"a\":1,\"b\":\"x\"}\n{\"a\":2,\"b\":\"y\"}\n");
  EXPECT_EQ(ReadFileAs(Store("u.csv", "a,b\r1,x\r2,y\r"), layout_, 1),
            "{\"a\":1,\"b\":\"x\"}\n{\"a\":2,\"b\":\"y\"}\n");
}

TEST_F(TextFiles, ReadCsvLargerThanABlock) {
  std::string text = "a,b\n";
  for (int i = 0; i < 200000; ++i) text += std::to_string(i) + ",some text here\n";
  const auto source = *OpenSource(Store("t.csv", text), layout_);
  data::Decoded rows(layout_);
  int64_t count = 0, sum = 0;
  while (*source->Next(rows, 4096)) {
    count += rows.table.rows;
    sum += rows.table.columns[0].view().integers()[rows.table.rows - 1];
  }
  EXPECT_EQ(count, 200000);
  EXPECT_EQ(rows.table.rows, 0);
  EXPECT_EQ(source->progress().done, source->progress().total);
  EXPECT_GT(sum, 0);
}

TEST_F(TextFiles, KeepABrokenCsvRowToItself) {
  EXPECT_EQ(ReadFileAs(Store("t.csv", "a,b\n1,x\n2\nq,y\n4,z\n"), layout_),
            "{\"a\":1,\"b\":\"x\"}\nschema.malformed\nschema.wrong_type\n{\"a\":4,\"b\":\"z\"}\n");
}

TEST_F(TextFiles, ReadCsvAgainAfterRewind) {
  const auto source = *OpenSource(Store("t.csv", "a,b\n1,x\n"), layout_);
  const std::string first = ReadAll(*source, layout_);
  ASSERT_TRUE(source->Rewind().has_value());
  EXPECT_EQ(ReadAll(*source, layout_), first);
  EXPECT_THAT(source->header(), ElementsAre("a", "b"));
}

TEST_F(TextFiles, ReadBlankLinesOfOneColumnAsNulls) {
  const auto path = Store("t.csv", "a\n1\n\n\n2\n\"\"\n\n");
  const std::string expected =
      "{\"a\":1,\"b\":null}\n{\"a\":null,\"b\":null}\n{\"a\":null,\"b\":null}\n{\"a\":2,\"b\":null}\n"
      "{\"a\":null,\"b\":null}\n{\"a\":null,\"b\":null}\n";
  EXPECT_EQ(ReadFileAs(path, layout_, 1), expected);
  EXPECT_EQ(ReadFileAs(path, layout_, 2), expected);
  EXPECT_EQ(ReadFileAs(path, layout_), expected);
  EXPECT_EQ(ReadFileAs(Store("t.tsv", "a\r\n\r\n7\r\n"), layout_), "{\"a\":null,\"b\":null}\n{\"a\":7,\"b\":null}\n");
}

TEST_F(TextFiles, ReadTabs) {
  EXPECT_EQ(ReadFileAs(Store("t.tsv", "a\tb\n1\tx,y\n"), layout_), "{\"a\":1,\"b\":\"x,y\"}\n");
}

TEST_F(TextFiles, PointAtAFaultInCsv) {
  EXPECT_THAT(ReadFileAs(Store("t.csv", "a,a\n"), layout_), StartsWith("csv.header: " + PathOf("t.csv")));
  EXPECT_THAT(ReadFileAs(Store("u.csv", ""), layout_), StartsWith("csv.header: "));
  EXPECT_THAT(ReadFileAs(Store("v.csv", "a,b\n1,\"x"), layout_), StartsWith("csv.malformed: "));
}

TEST_F(TextFiles, ReadJsonLines) {
  const auto path =
      Store("t.jsonl", "\xEF\xBB\xBF{\"a\":1,\"b\":\"x\"}\r\n\n  {\"a\":2}\n{broken\n{\"a\":3,\"b\":\"z\"}");
  const std::string expected = "{\"a\":1,\"b\":\"x\"}\n{\"a\":2,\"b\":null}\nschema.malformed\n{\"a\":3,\"b\":\"z\"}\n";
  EXPECT_EQ(ReadFileAs(path, layout_, 1), expected);
  EXPECT_EQ(ReadFileAs(path, layout_), expected);
}

TEST_F(TextFiles, ReadJsonLinesOverBlockBorders) {
  const std::string filler(300000, 'x');
  std::string text, expected;
  for (int i = 0; i < 20; ++i) {
    expected += "{\"a\":" + std::to_string(i) + ",\"b\":\"" + filler + "\"}\n";
  }
  EXPECT_EQ(ReadFileAs(Store("t.jsonl", expected), layout_, 3), expected);
  EXPECT_EQ(ReadFileAs(Store("t.json", expected), layout_, 3), expected);
}

TEST_F(TextFiles, ReadJsonDocuments) {
  const std::string expected = "{\"a\":1,\"b\":\"]}\\\"\"}\n{\"a\":2,\"b\":\"y\"}\n";
  const std::string records = "{\"a\":1,\n\"b\":\"]}\\\"\"} ,\n {\"a\":2,\"b\":\"y\"}";
  EXPECT_EQ(ReadFileAs(Store("list.json", " [" + records + "]\n"), layout_, 1), expected);
  EXPECT_EQ(ReadFileAs(Store("wrapped.json", "{ \"records\" : [" + records + "] }"), layout_), expected);
  EXPECT_EQ(ReadFileAs(Store("one.json", "{\"a\":2,\n\"b\":\"y\"}\n"), layout_), "{\"a\":2,\"b\":\"y\"}\n");
  EXPECT_EQ(ReadFileAs(Store("empty.json", "[ ]"), layout_), "");
  EXPECT_EQ(ReadFileAs(Store("mixed.json", "[1, {\"a\":2,\"b\":\"y\"}]"), layout_),
            "schema.malformed\n{\"a\":2,\"b\":\"y\"}\n");
}

TEST_F(TextFiles, RefuseBrokenJsonDocumentsWithTheLine) {
  EXPECT_THAT(ReadFileAs(Store("t.json", "[{\"a\":1}\n{\"a\":2}]"), layout_),
              HasSubstr(":2: this is not a JSON document"));
  EXPECT_THAT(ReadFileAs(Store("u.json", "[{\"a\":1},"), layout_), HasSubstr("ends within the list"));
  EXPECT_THAT(ReadFileAs(Store("v.json", "[{\"a\":1"), layout_), HasSubstr("ends within a record"));
  EXPECT_THAT(ReadFileAs(Store("w.json", "[{\"a\":1}] x"), layout_), HasSubstr("nothing may follow"));
  EXPECT_THAT(ReadFileAs(Store("x.json", "[{\"a\":1},]"), layout_), HasSubstr("behind the comma"));
  EXPECT_THAT(ReadFileAs(Store("y.json", "{\"records\":[],\"a\":1}"), layout_), HasSubstr("stands alone"));
  EXPECT_THAT(ReadFileAs(Store("z.json", "}"), layout_), HasSubstr("schema.malformed"));
}

TEST_F(TextFiles, TakeNoNulByteForTheEndOfJson) {
  using namespace std::string_view_literals;
  EXPECT_THAT(ReadFileAs(Store("t.json", "[{\"a\":1}]\0[{\"a\":2}]"sv), layout_), HasSubstr("nothing may follow"));
  EXPECT_THAT(ReadFileAs(Store("u.json", "{\"a\":1}\n\0\n{\"a\":2}"sv), layout_),
              "{\"a\":1,\"b\":null}\nschema.malformed\n{\"a\":2,\"b\":null}\n");
  EXPECT_THAT(ReadFileAs(Store("v.json", "[{\"a\":1}\0]"sv), layout_), HasSubstr("a comma or the end"));
  EXPECT_EQ(ReadFileAs(Store("w.json", "\0"sv), layout_), "schema.malformed\n");
  EXPECT_EQ(ReadFileAs(Store("w.jsonl", "{\"a\":1}\0{\"a\":2}\n\0\n"sv), layout_),
            "schema.malformed\nschema.malformed\n");
}

TEST_F(TextFiles, SayWhatIsWrongWithAPath) {
  EXPECT_THAT(ReadFileAs(PathOf("none.csv"), layout_), StartsWith("tables.missing: cannot read "));
  EXPECT_THAT(ReadFileAs(PathOf(""), layout_, 1, {.format = Format::kCsv}), StartsWith("tables.not_a_file: "));
  EXPECT_THAT(ReadFileAs(Store("t.xml", ""), layout_), StartsWith("tables.format: "));
  EXPECT_THAT(ReadFileAs(Store("t.npy", ""), layout_), StartsWith("tables.unfit: "));
}

TEST_F(TextFiles, TellTheirColumns) {
  const auto csv = *ReadColumns(Store("t.csv", "b, a\n1,2\n"));
  EXPECT_THAT(csv, ElementsAre(::testing::Field(&StoredColumn::name, "b"), ::testing::Field(&StoredColumn::name, "a")));
  const auto json = *ReadColumns(Store("t.jsonl", "{\"b\":1}\n{bad\n{\"a\":2,\"b\":3}\n"));
  EXPECT_THAT(json,
              ElementsAre(::testing::Field(&StoredColumn::name, "b"), ::testing::Field(&StoredColumn::name, "a")));
}

/// Sinks, with a table of one column of each kind.
class TextSinks : public TableTest {
 protected:
  TextSinks() {
    table_.columns[0].AppendInteger(1);
    table_.columns[0].AppendNull();
    table_.columns[1].AppendNumber(0.5);
    table_.columns[1].AppendNumber(2);
    table_.rows = 2;
  }
  std::vector<data::Field> fields_ = {Field("a", ScalarType::kInteger), Field("b", ScalarType::kNumber)};
  data::Table table_ = data::Table::Make(fields_);
};

TEST_F(TextSinks, WriteCsv) {
  const auto sink = *OpenSink(PathOf("t.csv"), fields_);
  ASSERT_TRUE(sink->Write(table_).has_value());
  ASSERT_TRUE(sink->Write(table_).has_value());
  ASSERT_TRUE(sink->Finish().has_value());
  EXPECT_EQ(Content("t.csv"), "a,b\n1,0.5\n,2.0\n1,0.5\n,2.0\n");
}

TEST_F(TextSinks, WriteANullOfOneColumnAsAnEmptyTextThatReadersKeep) {
  const std::vector<data::Field> fields = {fields_[0]};
  data::Table table = data::Table::Make(fields);
  for (const bool valid : {true, false}) valid ? table.columns[0].AppendInteger(1) : table.columns[0].AppendNull();
  table.rows = 2;
  const auto sink = *OpenSink(PathOf("t.csv"), fields);
  ASSERT_TRUE(sink->Write(table).has_value());
  ASSERT_TRUE(sink->Finish().has_value());
  EXPECT_EQ(Content("t.csv"), "a\n1\n\"\"\n");
  EXPECT_EQ(ReadFileAs(PathOf("t.csv"), data::Layout(fields)), "{\"a\":1}\n{\"a\":null}\n");
}

TEST_F(TextSinks, WriteJsonLines) {
  const auto sink = *OpenSink(PathOf("t.jsonl"), fields_);
  ASSERT_TRUE(sink->Write(table_).has_value());
  ASSERT_TRUE(sink->Finish().has_value());
  EXPECT_EQ(Content("t.jsonl"), "{\"a\":1,\"b\":0.5}\n{\"a\":null,\"b\":2.0}\n");
}

TEST_F(TextSinks, LeaveNothingWithoutFinish) {
  const auto kept = Store("t.csv", "old");
  {
    const auto sink = *OpenSink(kept, fields_);
    ASSERT_TRUE(sink->Write(table_).has_value());
  }
  EXPECT_THAT(Files(), ElementsAre("t.csv"));
  EXPECT_EQ(Content("t.csv"), "old");
}

TEST_F(TextSinks, SayWhyTheyCannotWrite) {
  EXPECT_THAT(OpenSink(PathOf("no/such/t.csv"), fields_).error().message, HasSubstr("create its folder first"));
  EXPECT_EQ(OpenSink(PathOf(""), fields_, {.format = Format::kCsv}).error().reason, "tables.write");
  EXPECT_EQ(OpenSink(PathOf("t.json"), fields_).error().reason, "tables.unfit");
}

TEST_F(TextSinks, ReportAFullDisk) {
  const auto sink = *OpenSink("/dev/full", fields_, {.format = Format::kCsv});
  EXPECT_EQ(sink->Write(table_).error().reason, "tables.write");
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/full"));
}

TEST_F(TextSinks, WriteNpyWithItsShape) {
  const auto sink = *OpenSink(PathOf("t.npy"), fields_);
  ASSERT_TRUE(sink->Write(table_).has_value());
  ASSERT_TRUE(sink->Finish().has_value());
  const std::string bytes = Content("t.npy");
  ASSERT_EQ(bytes.size(), 128u + 4 * 8);
  EXPECT_THAT(bytes, StartsWith(std::string("\x93NUMPY\x01\x00\x76\x00", 10) +
                                "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2), }"));
  double row[4];
  std::memcpy(row, bytes.data() + 128, sizeof row);
  EXPECT_EQ(row[0], 1.0);
  EXPECT_EQ(row[1], 0.5);
  EXPECT_TRUE(std::isnan(row[2]));
  EXPECT_EQ(row[3], 2.0);
}

TEST_F(TextSinks, WriteNpyInSinglePrecision) {
  std::vector<data::Field> fields = {Field("v", ScalarType::kNumber, {2})};
  fields[0].single_precision = true;
  data::Table table = data::Table::Make(fields);
  table.columns[0].PushNumber(0.5);
  table.columns[0].PushNumber(-1);
  table.columns[0].CloseRow();
  table.rows = 1;
  const auto sink = *OpenSink(PathOf("t.npy"), fields);
  ASSERT_TRUE(sink->Write(table).has_value());
  ASSERT_TRUE(sink->Finish().has_value());
  EXPECT_THAT(Content("t.npy"), HasSubstr("'<f4', 'fortran_order': False, 'shape': (1, 2)"));
  EXPECT_EQ(Content("t.npy").size(), 128u + 2 * 4);
}

TEST_F(TextSinks, RefuseTextInNpy) {
  EXPECT_THAT(OpenSink(PathOf("t.npy"), {Field("s", ScalarType::kString)}).error().message,
              HasSubstr("s is of type string"));
  EXPECT_THAT(Files(), IsEmpty());
}

/// Standard input, by a file in its place.
class StandardInput : public TableTest {
 protected:
  void Redirect(const std::string& path) {
    const int descriptor = open(path.c_str(), O_RDONLY);
    dup2(descriptor, STDIN_FILENO);
    close(descriptor);
  }
};

TEST_F(StandardInput, IsReadOnce) {
  const data::Layout layout({Field("a", ScalarType::kInteger)});
  Redirect(Store("t", "a\n1\n"));
  const auto source = *OpenSource("-", layout, {.format = Format::kCsv});
  EXPECT_EQ(ReadAll(*source, layout), "{\"a\":1}\n");
  EXPECT_EQ(source->Rewind().error().reason, "tables.not_seekable");
  EXPECT_EQ(OpenSource("-", layout, {.format = Format::kParquet}).error().reason, "tables.unfit");
}

/// A pipe whose other end is still open.
class OpenPipe : public StandardInput {
 public:
  OpenPipe() {
    EXPECT_EQ(pipe(ends_), 0);
    dup2(ends_[0], STDIN_FILENO);
    close(ends_[0]);
  }
  ~OpenPipe() override { close(ends_[1]); }

 protected:
  void Send(std::string_view text) {
    EXPECT_EQ(write(ends_[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  int64_t RowsOfNext(RowSource& source) {
    data::Decoded rows(layout_);
    EXPECT_TRUE(*source.Next(rows, 100));
    return rows.table.rows;
  }
  data::Layout layout_{{Field("a", ScalarType::kInteger)}};

 private:
  int ends_[2];
};

TEST_F(OpenPipe, DeliversCsvRowsWithoutWaitingForMore) {
  Send("a\n1\n2\n");
  const auto source = *OpenSource("-", layout_, {.format = Format::kCsv});
  EXPECT_EQ(RowsOfNext(*source), 2);
  Send("3\n");
  EXPECT_EQ(RowsOfNext(*source), 1);
}

TEST_F(OpenPipe, DeliversJsonRowsWithoutWaitingForMore) {
  Send("{\"a\":1}\n{\"a\":2}\n");
  const auto source = *OpenSource("-", layout_, {.format = Format::kJsonLines});
  EXPECT_EQ(RowsOfNext(*source), 2);
}

}  // namespace
}  // namespace slipway::tables
