#include "features/learn/category_index.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace slipway::features {
namespace {

using ::testing::ElementsAre;

TEST(CategoryIndexTest, FindsEveryOneOfManyTexts) {
  CategoryIndex index(data::ScalarType::kString);
  for (int i = 0; i < 10'000; ++i) index.FindOrAddText(fmt::format("key {}", i));
  int64_t wrong = 0;
  for (int i = 0; i < 10'000; ++i) wrong += index.FindText(fmt::format("key {}", i)) != i;
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(index.FindText("key 10000"), CategoryIndex::kUnseen);
}

TEST(CategoryIndexTest, SortsTextsByCodePoint) {
  CategoryIndex index(data::ScalarType::kString);
  for (const char* text : {"z", "É", "", "a", "B"}) index.FindOrAddText(text);
  EXPECT_THAT(index.Sorted(), ElementsAre(2, 4, 3, 0, 1));
}

TEST(CategoryIndexTest, SortsNumbersByValue) {
  CategoryIndex index(data::ScalarType::kInteger);
  for (const int64_t key : {int64_t{10}, int64_t{9}, int64_t{-1}}) index.AddKey(key);
  EXPECT_THAT(index.Sorted(), ElementsAre(2, 1, 0));
}

TEST(CategoryIndexTest, ZeroHasOneSignAndNanIsNoKey) {
  const double values[] = {0.0, -0.0, std::nan("")};
  const data::ColumnView column{.type = data::ScalarType::kNumber, .rows = 3, .values = values};
  CategoryIndex index(data::ScalarType::kNumber);
  EXPECT_EQ(index.FindOrAdd(column, 0), 0);
  EXPECT_EQ(index.FindOrAdd(column, 1), 0);
  EXPECT_EQ(index.FindOrAdd(column, 2), CategoryIndex::kNull);
}

TEST(CategoryIndexTest, KeysSurviveAFile) {
  CategoryIndex index(data::ScalarType::kNumber);
  EXPECT_TRUE(index.AddKey(0.1));
  EXPECT_FALSE(index.AddKey(0.1));
  EXPECT_FALSE(index.AddKey("0.2"));
  EXPECT_TRUE(index.AddKey("Infinity"));
  EXPECT_EQ(base::ToJson(index.Key(0)), "0.1");
}

}  // namespace
}  // namespace slipway::features
