#include "features/learn/tokenizer.h"

#include <gtest/gtest.h>

namespace slipway::features {
namespace {

using Unit = TokenOptions::Unit;

std::string Tokens(TokenOptions options, std::string_view text) {
  TextMemory memory;
  std::string joined;
  Tokenizer(std::move(options)).ForEach(text, memory, [&](std::string_view gram) {
    joined += std::string(gram) + "|";
  });
  return joined;
}

TEST(TokenizerTest, WordsHaveTwoLettersOrMore) {
  EXPECT_EQ(Tokens({}, "A big_dog, 42 x7!"), "big_dog|42|x7|");
}

TEST(TokenizerTest, WordsAreUnicode) {
  EXPECT_EQ(Tokens({}, "ÉTÉ à Zürich – 東京"), "été|zürich|東京|");
}

TEST(TokenizerTest, FoldsAsPythonDoes) {
  // "ΣΟΦΟΣ İstanbul".lower(): a final sigma at the word's end, a dot above after the i (which is no word character).
  TextMemory memory;
  EXPECT_EQ(Tokenizer({}).Fold("ΣΟΦΟΣ İstanbul ΑΣ.", memory), "σοφος i\u0307stanbul ας.");
}

TEST(TokenizerTest, JoinsWordsToNgrams) {
  EXPECT_EQ(Tokens({.shortest = 1, .longest = 2}, "one two three"), "one|two|three|one two|two three|");
}

TEST(TokenizerTest, LeavesStopWordsOutBeforeJoining) {
  EXPECT_EQ(Tokens({.shortest = 2, .longest = 2, .stop_words = {"the"}}, "to the moon"), "to moon|");
}

TEST(TokenizerTest, CutsCharactersAcrossCollapsedSpace) {
  EXPECT_EQ(Tokens({.unit = Unit::kCharacter, .shortest = 2, .longest = 3}, "É  b\n"), "é | b|b\n|é b| b\n|");
}

TEST(TokenizerTest, CutsCharactersInsidePaddedWords) {
  EXPECT_EQ(Tokens({.unit = Unit::kCharacterInWord, .shortest = 2, .longest = 4}, "ab c"),
            " a|ab|b | ab|ab | ab | c|c | c |");
}

TEST(TokenizerTest, NothingGivesNothing) {
  EXPECT_EQ(Tokens({}, ""), "");
  EXPECT_EQ(Tokens({.unit = Unit::kCharacter}, ""), "");
  EXPECT_EQ(Tokens({.unit = Unit::kCharacterInWord}, " \n "), "");
}

TEST(TokenizerTest, InvalidUtf8IsKeptByteByByte) {
  EXPECT_EQ(Tokens({.unit = Unit::kCharacter}, "a\xff"), "a|\xff|");
}

TEST(TokenizerTest, TrimsUnicodeSpace) {
  TextMemory memory;
  EXPECT_EQ(Tokenizer({.trim = true}).Fold("\xc2\xa0 Hi \xe2\x80\x83", memory), "hi");
}

}  // namespace
}  // namespace slipway::features
