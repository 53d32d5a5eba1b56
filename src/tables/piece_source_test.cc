#include "tables/piece_source.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "base/files.h"

namespace slipway::tables {
namespace {

class PieceSourceTest : public ::testing::Test {
 protected:
  TableHead Store(const std::string& name, const std::string& text) {
    const auto path = folder_.path() / name;
    EXPECT_TRUE(base::WriteFileAtomically(path, text));
    auto head = ReadHead(path.string(), {});
    EXPECT_TRUE(head) << head.error().Text();
    return *head;
  }

  static std::vector<Piece> Cut(const TableHead& head, const PieceBounds& bounds, const PiecePlace* from = nullptr) {
    auto source = OpenPieces(head);
    EXPECT_TRUE(source);
    if (from) {
      EXPECT_TRUE((*source)->MoveTo(*from));
    }
    std::vector<Piece> pieces(1);
    while (*(*source)->Next(bounds, pieces.back())) pieces.emplace_back();
    pieces.pop_back();
    return pieces;
  }

  /// The cells of column "a" of every piece, and the messages of its rows that cannot be read.
  std::vector<std::string> Decode(const TableHead& head, const std::vector<Piece>& pieces) {
    PieceRows rows(head, layout_, {});
    data::Decoded decoded(layout_);
    std::vector<std::string> cells;
    for (const auto& piece : pieces) {
      EXPECT_TRUE(rows.Begin(piece));
      while (*rows.Next(decoded, 2)) {
        for (int64_t row = 0; row < decoded.table.rows; ++row) cells.emplace_back(decoded.table.columns[0].string(row));
        for (const auto& violation : decoded.violations) cells.push_back(violation.message);
      }
    }
    return cells;
  }

  base::TemporaryFolder folder_ = *base::TemporaryFolder::Create();
  data::Layout layout_{
      {{.name = "a", .type = {data::ScalarType::kString, {}}, .labels = {}, .null_texts = {}, .as_text = true}},
      data::UnknownFields::kIgnore};
};

TEST_F(PieceSourceTest, CutsSeparatedCellsBehindRecords) {
  const auto head = Store("t.csv", "\xEF\xBB\xBF\"a\",b\n\"x\ny\",1\n\nz,2\n\"\"\"q\",3");
  EXPECT_EQ(head.columns[0].name, "a");
  const auto pieces = Cut(head, {.rows = 1, .bytes = 1000});
  ASSERT_EQ(pieces.size(), 3u);
  EXPECT_EQ(pieces[2].begin.row, 2);
  EXPECT_EQ(pieces[2].begin.line, 6);
  EXPECT_THAT(Decode(head, pieces), ::testing::ElementsAre("x\ny", "z", "\"q"));
}

TEST_F(PieceSourceTest, NamesTheLineOfARowThatCannotBeRead) {
  const auto head = Store("t.csv", "a,b\n1,2\n3,4\n5\n");
  EXPECT_THAT(Decode(head, Cut(head, {.rows = 2, .bytes = 1000}))[3], ::testing::HasSubstr("line 4 has 1 cells"));
}

TEST_F(PieceSourceTest, CountsLinesOfJson) {
  const auto head = Store("t.jsonl", "{\"a\":\"1\"}\n\n  \n{\"a\":\"2\"}\r\n{\"a\":\"3\"}");
  const auto pieces = Cut(head, {.rows = 2, .bytes = 1000});
  ASSERT_EQ(pieces.size(), 2u);
  EXPECT_EQ(pieces[1].begin.row, 2);
  EXPECT_THAT(Decode(head, pieces), ::testing::ElementsAre("1", "2", "3"));
}

TEST_F(PieceSourceTest, MakesLinesOfADocument) {
  const auto head = Store("t.json", "[{\"a\":\n\"1\"},\n{\"a\":\"2\"}, {\"a\":\"3\"}]");
  const auto pieces = Cut(head, {.rows = 2, .bytes = 1000});
  ASSERT_EQ(pieces.size(), 2u);
  EXPECT_THAT(Decode(head, pieces), ::testing::ElementsAre("1", "2", "3"));
}

TEST_F(PieceSourceTest, GoesOnWhereAPieceEnded) {
  for (const auto* name : {"t.csv", "t.jsonl", "t.json"}) {
    const std::string text = std::string(name) == "t.csv"
                                 ? "a,b\n1,\n2,\n3,\n4,\n5,\n"
                                 : "{\"a\":\"1\"}\n{\"a\":\"2\"}\n{\"a\":\"3\"}\n{\"a\":\"4\"}\n{\"a\":\"5\"}\n";
    const auto head = Store(name, text);
    const PieceBounds bounds{.rows = 2, .bytes = 1000};
    const auto all = Cut(head, bounds);
    ASSERT_EQ(all.size(), 3u) << name;
    const auto rest = Cut(head, bounds, &all[0].end);
    ASSERT_EQ(rest.size(), 2u) << name;
    EXPECT_EQ(rest[0].text, all[1].text);
    EXPECT_EQ(rest[1].end, all[2].end);
  }
}

TEST_F(PieceSourceTest, HandsOnARecordThatNobodyCanTake) {
  const auto head = Store("t.csv", "a,b\n1,2\n\"" + std::string(size_t{70} << 20, 'x'));
  const auto pieces = Cut(head, {.rows = 1, .bytes = 1 << 20});
  ASSERT_GE(pieces.size(), 2u);
  PieceRows rows(head, layout_, {});
  data::Decoded decoded(layout_);
  ASSERT_TRUE(rows.Begin(pieces[1]));
  const auto next = rows.Next(decoded, 10);
  EXPECT_EQ(next.error().reason, "csv.limit");
  EXPECT_THAT(next.error().message, ::testing::HasSubstr("quote that is not closed"));
}

TEST_F(PieceSourceTest, CutsParquetBetweenRowGroups) {
  TableHead head;
  head.format = Format::kParquet;
  head.rows = 2000;
  head.group_ends = {90, 180, 800, 950, 1100, 2000};
  const auto ends = [&](const PieceBounds& bounds, const PiecePlace* from = nullptr) {
    std::vector<int64_t> rows;
    for (const auto& piece : Cut(head, bounds, from)) rows.push_back(piece.end.row);
    return rows;
  };
  using ::testing::ElementsAre;
  EXPECT_THAT(ends({.rows = 100}), ElementsAre(180, 380, 580, 780, 950, 1100, 1300, 1500, 1700, 1900, 2000));
  const PiecePlace place{.offset = 780, .row = 780, .line = 1};
  EXPECT_THAT(ends({.rows = 100}, &place), ElementsAre(950, 1100, 1300, 1500, 1700, 1900, 2000));
  EXPECT_THAT(ends({.rows = 250}), ElementsAre(180, 680, 1100, 1600, 2000));
  EXPECT_THAT(ends({.rows = 500, .by_groups = false}), ElementsAre(500, 1000, 1500, 2000));
  EXPECT_THAT(ends({.rows = 500}), ElementsAre(500, 1000, 1500, 2000)) << "few pieces are of the same size";
  head.group_ends.clear();
  EXPECT_THAT(ends({.rows = 250}), ElementsAre(500, 1000, 1500, 2000));
}

}  // namespace
}  // namespace slipway::tables
