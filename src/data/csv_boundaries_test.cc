#include "data/csv_boundaries.h"

#include <gmock/gmock.h>

#include <random>
#include <string>
#include <vector>

#include "data/csv_pieces_test.h"

namespace slipway::data {
namespace {

std::vector<std::string> Texts(const std::vector<CsvPiece>& pieces) {
  std::vector<std::string> texts;
  for (const auto& piece : pieces) texts.emplace_back(piece.text);
  return texts;
}

TEST(CsvBoundaries, KeepsQuotedLineBreaksInsideTheirRecord) {
  EXPECT_THAT(Texts(CutCsv("a,\"x\ny\"\nb,\"\"\"\n\"\nc,d\n", 1000, {.rows = 1})),
              ::testing::ElementsAre("a,\"x\ny\"\n", "b,\"\"\"\n\"\n", "c,d\n"));
}

TEST(CsvBoundaries, TakesAQuoteInsideAnUnquotedCellAsText) {
  EXPECT_THAT(Texts(CutCsv("5\" pipe,1\n6\" pipe,2\n", 1000, {.rows = 1})),
              ::testing::ElementsAre("5\" pipe,1\n", "6\" pipe,2\n"));
}

TEST(CsvBoundaries, KnowsAllLineBreaks) {
  EXPECT_THAT(Texts(CutCsv("a\r\nb\rc\nd", 1000, {.rows = 1})), ::testing::ElementsAre("a\r\n", "b\r", "c\n", "d"));
}

TEST(CsvBoundaries, CountsBlankLinesWhereTheyAreRows) {
  EXPECT_EQ(CutCsv("1\n\n\r\n2\n", 1000, {.rows = 100})[0].rows, 2);
  EXPECT_EQ(CutCsv("1\n\n\r\n2\n", 1000, {.rows = 100, .blank_rows = true})[0].rows, 4);
}

TEST(CsvBoundaries, EndsAPieceWithTheRecordThatFillsIt) {
  EXPECT_THAT(Texts(CutCsv("aaaa\nbbbb\ncccc\n", 1000, {.rows = 100, .bytes = 6})),
              ::testing::ElementsAre("aaaa\nbbbb\n", "cccc\n"));
}

/// Whatever the text and the size of blocks, the pieces are the text, and the rows are those of the reader.
TEST(CsvBoundaries, AgreesWithTheReaderOnRandomTexts) {
  std::mt19937 random(7);
  const std::string_view letters = "aab,,\"\"\"\n\n\r";
  int compared = 0;
  for (int round = 0; round < 60000; ++round) {
    std::string text;
    const size_t length = 1 + random() % 200;
    while (text.size() < length) text += letters[random() % letters.size()];
    const auto whole = ReadCsv(text);
    if (!whole) continue;
    ++compared;
    std::string joined;
    int64_t rows = 0, line = 1;
    for (const auto& piece : CutCsv(text, 1 + random() % 150, {.rows = 1 + static_cast<int64_t>(random() % 3)})) {
      const auto alone = ReadCsv(piece.text);
      ASSERT_TRUE(alone) << ::testing::PrintToString(text) << " at line " << line;
      ASSERT_EQ(alone->rows, piece.rows) << ::testing::PrintToString(text) << " at line " << line;
      joined += piece.text;
      rows += piece.rows;
      line += piece.lines;
    }
    ASSERT_EQ(joined, text);
    ASSERT_EQ(rows, whole->rows) << ::testing::PrintToString(text);
  }
  EXPECT_GT(compared, 1000);
}

}  // namespace
}  // namespace slipway::data
