#include "tables/parquet/hybrid_reader.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace slipway::tables::parquet {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

std::vector<uint32_t> Take(HybridReader& reader, int64_t count) {
  std::vector<uint32_t> values(static_cast<size_t>(count), 77);
  return reader.Read(values.data(), count) ? values : std::vector<uint32_t>{};
}

/// A bit-packed run as Encodings.md draws it: from the least bit of each byte up.
std::string Packed(const std::vector<uint32_t>& values, int width) {
  std::string bytes(1, static_cast<char>(values.size() / 8 << 1 | 1));
  uint64_t bits = 0;
  int held = 0;
  for (const uint32_t value : values) {
    for (int bit = 0; bit < width; ++bit) {
      bits |= uint64_t{value >> bit & 1} << held;
      if (++held == 8) {
        bytes += static_cast<char>(bits);
        bits = 0;
        held = 0;
      }
    }
  }
  return bytes;
}

TEST(HybridReaderTest, ReadsTheExampleOfTheFormat) {
  HybridReader reader(std::string_view("\x03\x88\xc6\xfa", 4), 3);  // 0 to 7 in 3 bits each
  EXPECT_THAT(Take(reader, 8), ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
}

TEST(HybridReaderTest, ReadsPackedValuesOfEveryWidthInAnyPortions) {
  for (int width = 1; width <= 32; ++width) {
    std::vector<uint32_t> values;
    for (uint32_t i = 0; i < 64; ++i)
      values.push_back(i * 2654435761u & static_cast<uint32_t>((uint64_t{1} << width) - 1));
    const std::string bytes = Packed(values, width);
    for (const int64_t portion : {1, 7, 64}) {
      HybridReader reader(bytes, width);
      std::vector<uint32_t> read;
      for (int64_t left = 64; left > 0; left -= portion) {
        const auto taken = Take(reader, std::min(left, portion));
        read.insert(read.end(), taken.begin(), taken.end());
      }
      EXPECT_THAT(read, ElementsAreArray(values)) << width << " bits, by " << portion;
    }
    HybridReader reader(bytes, width);
    EXPECT_TRUE(reader.Skip(13));
    EXPECT_THAT(Take(reader, 2), ElementsAre(values[13], values[14]));
  }
}

TEST(HybridReaderTest, ReadsRepeatedValuesAndGoesOnBehindThem) {
  const std::string bytes = std::string("\x0a\x2c\x01", 3) + Packed({1, 2, 3, 4, 5, 6, 7, 8}, 9);  // 5 times 300
  HybridReader reader(bytes, 9);
  EXPECT_EQ(reader.Ahead(300, 100), 5);
  EXPECT_EQ(reader.Ahead(300, 2), 2);
  EXPECT_EQ(reader.Ahead(1, 100), 0);
  EXPECT_THAT(Take(reader, 7), ElementsAre(300, 300, 300, 300, 300, 1, 2));
  EXPECT_EQ(reader.Ahead(3, 1), 0);  // packed values are not looked at
}

TEST(HybridReaderTest, ReadsNothingButZerosOfNoBits) {
  HybridReader reader(std::string_view("\x03\x06", 2), 0);
  EXPECT_THAT(Take(reader, 11), ElementsAreArray(std::vector<uint32_t>(11, 0)));
}

TEST(HybridReaderTest, TellsWhenTheBytesEnd) {
  EXPECT_TRUE(Take(*std::make_unique<HybridReader>("", 3), 1).empty());
  EXPECT_TRUE(Take(*std::make_unique<HybridReader>(std::string_view("\x03\x88", 2), 3), 8).empty());
  EXPECT_TRUE(Take(*std::make_unique<HybridReader>(std::string_view("\x04", 1), 9), 1).empty());
  EXPECT_TRUE(Take(*std::make_unique<HybridReader>("\xff\xff\xff\xff\xff\xff", 3), 1).empty());
  EXPECT_TRUE(Take(*std::make_unique<HybridReader>(std::string_view("\x00\x00", 2), 3), 1).empty());
  EXPECT_FALSE(std::make_unique<HybridReader>(std::string_view("\x02\x01", 2), 3)->Skip(2));
}

}  // namespace
}  // namespace slipway::tables::parquet
