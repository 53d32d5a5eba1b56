#include "data/number_text.h"

#include <gtest/gtest.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <random>
#include <string>

namespace slipway::data {
namespace {

// Of `count` random doubles of every magnitude, written in several ways, those that read back as another one.
int Misread(int count) {
  std::mt19937_64 random(7);
  int misread = 0;
  for (int i = 0; i < count; ++i) {
    const double value = std::bit_cast<double>(random());
    if (!std::isfinite(value)) continue;
    for (const char* format : {"%.17g", "%.16e", "%.18g", "%.25g", "%.800g"}) {
      char text[900];
      const int size = snprintf(text, sizeof text, format, value);
      const NumberText json = ReadJsonNumber(text, text + size);
      const NumberText lexeme = ReadNumberText({text, static_cast<size_t>(size)});
      const auto as_double = [](const NumberText& number) {
        return number.kind == NumberText::Kind::kNumber    ? number.number
               : number.kind == NumberText::Kind::kInteger ? static_cast<double>(number.integer)
                                                           : static_cast<double>(number.unsigned_integer);
      };
      misread += as_double(json) != value || as_double(lexeme) != value || json.end != text + size;
    }
  }
  return misread;
}

// Of `count` random decimals of 15 to 21 digits, those that are not read as std::from_chars reads them.
int Disagreeing(int count) {
  std::mt19937_64 random(8);
  int disagreeing = 0;
  for (int i = 0; i < count; ++i) {
    std::string text = std::to_string(random() % 1000) + "." + std::to_string(random());
    if (i % 2 == 0) text += "e" + std::to_string(static_cast<int>(random() % 660) - 330);
    double expected = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), expected).ec != std::errc{}) continue;
    disagreeing += ReadJsonNumber(text.data(), text.data() + text.size()).number != expected;
    disagreeing += ReadNumberText(text).number != expected;
  }
  return disagreeing;
}

// Of `count` random short texts, those that are read otherwise than with a blank behind them, which takes the long way.
int ReadOtherwiseThanWithABlank(int count) {
  std::mt19937_64 random(9);
  constexpr std::string_view kCharacters = "0123456789012345678901234567890123456789....--+e xn";
  int otherwise = 0;
  for (int i = 0; i < count; ++i) {
    std::string text;
    for (size_t left = random() % 10; left > 0; --left) text += kCharacters[random() % kCharacters.size()];
    const NumberText number = ReadNumberText(text), expected = ReadNumberText(text + " ");
    const bool same = number.kind == expected.kind &&
                      (number.kind == NumberText::Kind::kNone || number.unsigned_integer == expected.unsigned_integer);
    otherwise += !same;
  }
  return otherwise;
}

TEST(NumberText, ReadsShortTextsAsItReadsAllOthers) {
  EXPECT_EQ(ReadOtherwiseThanWithABlank(1'000'000), 0);
}

TEST(NumberText, ReadsBackEveryDouble) {
  EXPECT_EQ(Misread(20'000), 0);
}

TEST(NumberText, RoundsAsTheStandardLibraryDoes) {
  EXPECT_EQ(Disagreeing(50'000), 0);
}

TEST(NumberText, StopsWhereAJsonNumberEnds) {
  const std::string_view text = "12.5,7";
  const NumberText number = ReadJsonNumber(text.data(), text.data() + text.size());
  EXPECT_EQ(number.number, 12.5);
  EXPECT_EQ(number.end - text.data(), 4);
}

TEST(NumberText, ReadsPlainNumbersUpToTheEndOfTheText) {
  const std::string_view text = "123456789.25";
  NumberText number;
  ASSERT_TRUE(ReadPlainNumber(text.data(), text.data() + text.size(), number));
  EXPECT_EQ(number.number, 123456789.25);
  EXPECT_FALSE(ReadPlainNumber(text.data(), text.data(), number));
  EXPECT_FALSE(ReadPlainNumber(text.data(), text.data() + 10, number));
}

}  // namespace
}  // namespace slipway::data
