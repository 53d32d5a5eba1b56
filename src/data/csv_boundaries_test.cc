#include "data/csv_boundaries.h"

#include <gmock/gmock.h>

#include <random>
#include <string>
#include <vector>

#include "data/csv_rows.h"

namespace slipway::data {
namespace {

struct Piece {
  std::string text;
  int64_t rows;
  int64_t lines;
};

/// Cuts `text` into pieces of `rows` rows, fed `step` bytes at a time.
std::vector<Piece> Cut(std::string text, size_t step, int64_t rows, bool blank_rows = false,
                       size_t bytes = size_t{1} << 30) {
  std::vector<Piece> pieces;
  CsvBoundaries boundaries(',', blank_rows);
  while (!text.empty()) {
    boundaries.Restart();
    size_t given = 0;
    do {
      given = std::min(given + step, text.size());
    } while (!boundaries.Scan(std::string_view(text).substr(0, given), given == text.size(), rows, bytes));
    const auto& cut = boundaries.cut();
    pieces.push_back({text.substr(0, cut.end), cut.rows, cut.lines});
    text.erase(0, cut.end);
  }
  return pieces;
}

std::vector<std::string> Texts(const std::vector<Piece>& pieces) {
  std::vector<std::string> texts;
  for (const auto& piece : pieces) texts.push_back(piece.text);
  return texts;
}

TEST(CsvBoundaries, KeepsQuotedLineBreaksInsideTheirRecord) {
  EXPECT_THAT(Texts(Cut("a,\"x\ny\"\nb,\"\"\"\n\"\nc,d\n", 1000, 1)),
              ::testing::ElementsAre("a,\"x\ny\"\n", "b,\"\"\"\n\"\n", "c,d\n"));
}

TEST(CsvBoundaries, TakesAQuoteInsideAnUnquotedCellAsText) {
  EXPECT_THAT(Texts(Cut("5\" pipe,1\n6\" pipe,2\n", 1000, 1)), ::testing::ElementsAre("5\" pipe,1\n", "6\" pipe,2\n"));
}

TEST(CsvBoundaries, KnowsAllLineBreaks) {
  EXPECT_THAT(Texts(Cut("a\r\nb\rc\nd", 1000, 1)), ::testing::ElementsAre("a\r\n", "b\r", "c\n", "d"));
}

TEST(CsvBoundaries, CountsBlankLinesWhereTheyAreRows) {
  EXPECT_EQ(Cut("1\n\n\r\n2\n", 1000, 100)[0].rows, 2);
  EXPECT_EQ(Cut("1\n\n\r\n2\n", 1000, 100, true)[0].rows, 4);
}

TEST(CsvBoundaries, EndsAPieceWithTheRecordThatFillsIt) {
  EXPECT_THAT(Texts(Cut("aaaa\nbbbb\ncccc\n", 1000, 100, false, 6)), ::testing::ElementsAre("aaaa\nbbbb\n", "cccc\n"));
}

/// Records and lines as the reader that splits cells sees them.
Piece Reference(const std::string& text) {
  Piece whole{text, 0, 0};
  CsvReader reader;
  const auto count = [&](const std::vector<CsvReader::Cell>& cells, int64_t line) {
    whole.rows += cells.size() > 1 || cells[0].quoted || !cells[0].text.empty();
    whole.lines = line;
  };
  if (!reader.Feed(text, count) || !reader.Finish(count)) whole.rows = -1;  // the text is no CSV
  return whole;
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
    const Piece whole = Reference(text);
    if (whole.rows < 0) continue;
    ++compared;
    std::string joined;
    int64_t rows = 0, line = 1;
    for (const auto& piece : Cut(text, 1 + random() % 150, 1 + static_cast<int64_t>(random() % 3))) {
      const Piece alone = Reference(piece.text);
      ASSERT_EQ(alone.rows, piece.rows) << ::testing::PrintToString(text) << " at line " << line;
      joined += piece.text;
      rows += piece.rows;
      line += piece.lines;
    }
    ASSERT_EQ(joined, text);
    ASSERT_EQ(rows, whole.rows) << ::testing::PrintToString(text);
  }
  EXPECT_GT(compared, 1000);
}

}  // namespace
}  // namespace slipway::data
