#include "tables/parquet/join_files.h"

#include <gmock/gmock.h>

#include "base/files.h"
#include "base/hash.h"
#include "tables/parquet/thrift_value.h"
#include "tables/table_files.h"

namespace slipway::tables::parquet {
namespace {

class JoinFilesTest : public ::testing::Test {
 protected:
  std::string Write(const std::string& name, const std::vector<double>& values, const std::string& column = "x") {
    const auto path = (folder_.path() / name).string();
    const std::vector<data::Field> fields = {{.name = column, .type = {}, .labels = {}, .null_texts = {}}};
    auto table = data::Table::Make(fields);
    for (const double value : values) table.columns[0].AppendNumber(value);
    table.rows = static_cast<int64_t>(values.size());
    const auto sink = OpenSink(path, fields);
    EXPECT_TRUE(sink) << sink.error().Text();
    EXPECT_TRUE((*sink)->Write(table));
    EXPECT_TRUE((*sink)->Finish());
    return path;
  }

  std::vector<double> Read(const std::string& path) {
    const data::Layout layout({{.name = "x", .type = {}, .labels = {}, .null_texts = {}}});
    const auto source = OpenSource(path, layout);
    EXPECT_TRUE(source) << source.error().Text();
    data::Decoded rows(layout);
    std::vector<double> values;
    while (*(*source)->Next(rows, 100)) {
      const auto view = rows.table.columns[0].view();
      values.insert(values.end(), view.numbers(), view.numbers() + view.rows);
    }
    return values;
  }

  base::TemporaryFolder folder_ = *base::TemporaryFolder::Create();
};

TEST_F(JoinFilesTest, HoldsTheRowsOfItsPartsInOrder) {
  const std::vector<std::string> parts = {Write("1.parquet", {1, 2, 3}), Write("2.parquet", {}),
                                          Write("3.parquet", {4}), Write("4.parquet", {5, 6})};
  const auto path = (folder_.path() / "all.parquet").string();
  const auto joined = JoinFiles(parts, path);
  ASSERT_TRUE(joined) << joined.error().Text();
  EXPECT_EQ(joined->digest, base::Xxh3Digits(*base::ReadFile(path)));
  EXPECT_THAT(Read(path), ::testing::ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST_F(JoinFilesTest, RefusesPartsOfOtherColumns) {
  const auto joined =
      JoinFiles({Write("1.parquet", {1}), Write("2.parquet", {2}, "y")}, folder_.path() / "all.parquet");
  EXPECT_EQ(joined.error().reason, "tables.parquet");
}

TEST_F(JoinFilesTest, RefusesWhatIsNoParquet) {
  ASSERT_TRUE(base::WriteFileAtomically(folder_.path() / "1.parquet", "PAR1 and so on, but no index PAR1"));
  EXPECT_EQ(JoinFiles({folder_.path() / "1.parquet"}, folder_.path() / "all.parquet").error().reason, "tables.parquet");
}

TEST(ThriftValue, IsWrittenAsItWasRead) {
  using std::string_literals::operator""s;
  // {1: true, 2: -3, 20: "ab", 21: [1, 2], 22: {5: "x"}, 23: map {7: false}}
  const std::string text = "\x11\x15\x05"s + "\x08\x28\x02"s + "ab" + "\x19\x25\x02\x04" + "\x1c\x58\x01x\x00"s +
                           "\x1b\x01\x51\x0e\x02" + "\x00"s;
  const auto value = ReadThrift(text);
  ASSERT_TRUE(value) << value.error().Text();
  std::string back;
  AppendThrift(*value, back);
  EXPECT_EQ(back, text);
}

TEST(ThriftValue, WithATruthOrANumberThatIsNoneIsRefused) {
  using std::string_literals::operator""s;
  EXPECT_TRUE(ReadThrift("\x19\x11\x01\x00"s));
  EXPECT_FALSE(ReadThrift("\x19\x11\x0b\x00"s)) << "a list of one truth that is 11";
  EXPECT_FALSE(ReadThrift("\x05\x80\x80\x04\x02\x00"s)) << "member number 32,768";
}

TEST(ThriftValue, ThatBreaksOffIsRefused) {
  for (const char* text : {"", "\x15", "\x18\x7f", "\x19\xf5\xff\xff\x7f", "\x1d"}) EXPECT_FALSE(ReadThrift(text));
}

}  // namespace
}  // namespace slipway::tables::parquet
