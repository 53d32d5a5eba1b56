#include "fitting/text_distribution.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace slipway::fitting {
namespace {

base::Value Described(const TextDistribution& distribution) {
  auto value = base::Value::Map();
  distribution.Describe(value);
  return value;
}

TEST(TextDistribution, TellsTheMostFrequentFirst) {
  TextDistribution distribution;
  for (const char* text : {"b", "a", "c", "c", "", "a"}) distribution.Add(text);
  EXPECT_EQ(base::ToJson(Described(distribution)), R"({"values":{"a":2,"c":2,"":1,"b":1},"other":0})");
  EXPECT_EQ(base::ToJson(Described(TextDistribution())), "{}");
}

TEST(TextDistribution, SumsUpTheRare) {
  TextDistribution distribution;
  for (int i = 0; i < 1000; ++i) {
    for (int times = 0; times < 1 + (i < 3 ? 10 : 0); ++times) distribution.Add("text " + std::to_string(i));
  }
  const auto value = Described(distribution);
  EXPECT_EQ(value.Find("values")->map().size(), 3u) << "a text that came once stands for nobody else";
  EXPECT_EQ(value.Find("other")->integer(), 997);
  EXPECT_EQ(value.Find("error"), nullptr);
}

TEST(TextDistribution, CountsLongTextsAsOther) {
  TextDistribution distribution;
  distribution.Add(std::string(kLongestValue + 1, 'x'));
  EXPECT_EQ(base::ToJson(Described(distribution)), R"({"values":{},"other":1})");
}

TEST(TextDistribution, FindsFrequentTextsAmongAnyNumberOfOthers) {
  TextDistribution distribution;
  constexpr int kRows = 300'000;
  int64_t often = 0;
  for (int i = 0; i < kRows; ++i) {
    const bool is_often = i > kRows / 2 && i % 50 == 0;  // unknown among the first half
    often += is_often;
    distribution.Add(is_often ? "often" : "text " + std::to_string(i));
  }
  const auto value = Described(distribution);
  const int64_t error = value.Find("error")->integer();
  EXPECT_LE(error, 2 * kRows / static_cast<int64_t>(kCountedTexts));
  const int64_t counted = value.Find("values")->Find("often")->integer();
  EXPECT_LE(counted, often);
  EXPECT_GE(counted, often - error);
}

}  // namespace
}  // namespace slipway::fitting
