#include "engine/onnx/wire.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace slipway::engine::onnx {
namespace {

std::vector<WireField> All(std::string_view message, bool* ok) {
  std::vector<WireField> fields;
  WireReader reader(message);
  WireField field;
  while (reader.Next(field)) fields.push_back(field);
  *ok = reader.ok();
  return fields;
}

TEST(WireReader, ReadsBackWhatWasWritten) {
  std::string message;
  AppendWireInteger(message, 1, 300);
  AppendWireBytes(message, 20, "text");
  AppendWireInteger(message, 3, ~uint64_t{0});

  bool ok = false;
  const auto fields = All(message, &ok);

  ASSERT_TRUE(ok);
  ASSERT_EQ(fields.size(), 3u);
  EXPECT_EQ(fields[0].value, 300u);
  EXPECT_TRUE(fields[1].Is(20, WireField::Type::kBytes));
  EXPECT_EQ(fields[1].bytes, "text");
  EXPECT_EQ(fields[2].value, ~uint64_t{0});
}

TEST(WireReader, WholeFieldsGluedTogetherAreTheMessage) {
  std::string message;
  AppendWireInteger(message, 1, 7);
  AppendWireBytes(message, 2, "abc");
  message += std::string("\x1d\x01\x02\x03\x04", 5);  // field 3, 32 bits

  bool ok = false;
  std::string glued;
  for (const WireField& field : All(message, &ok)) glued += field.whole;

  EXPECT_EQ(glued, message);
}

class BrokenWire : public testing::TestWithParam<std::string> {};

TEST_P(BrokenWire, IsNoticed) {
  bool ok = true;
  All(GetParam(), &ok);
  EXPECT_FALSE(ok);
}

INSTANTIATE_TEST_SUITE_P(Wire, BrokenWire,
                         testing::Values(std::string("\x0a\x05"
                                                     "abc"),  // longer than the message
                                         std::string("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
                                         std::string("\x08"),  // no value
                                         std::string("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
                                         std::string("\x0b"),           // a group
                                         std::string("\x0d\x01\x02"),   // half a fixed 32
                                         std::string("\x00\x01", 2)));  // field 0

TEST(WireReader, WalksOverListsFast) {
  std::string message;
  for (uint64_t value : {1, 300, 7}) AppendWireInteger(message, 8, value);
  AppendWireBytes(message, 9, "ab");
  AppendWireBytes(message, 9, "");
  message += std::string("\x3d\0\0\0\0\x3d\0\0\0\0", 10);
  AppendWireInteger(message, 1, 5);
  WireReader reader(message);
  std::vector<uint64_t> values;
  std::vector<std::string> texts;

  reader.EachVarint(8, [&](uint64_t value) { values.push_back(value); });
  reader.EachText(9, [&](std::string_view text) { texts.emplace_back(text); });
  const size_t floats = reader.SkipFixed32(7);

  WireField field;
  EXPECT_THAT(values, testing::ElementsAre(1, 300, 7));
  EXPECT_THAT(texts, testing::ElementsAre("ab", ""));
  EXPECT_EQ(floats, 2);
  ASSERT_TRUE(reader.Next(field));
  EXPECT_EQ(field.value, 5);
  EXPECT_TRUE(reader.ok());
}

TEST(WireReader, AListThatBreaksOffIsMalformed) {
  WireReader numbers(std::string_view("\x40\x01\x40\x80", 4));
  WireReader texts(std::string_view("\x4a\x05xy", 4));
  WireReader floats(std::string_view("\x3d\0\0", 3));
  WireField field;

  numbers.EachVarint(8, [](uint64_t) {});
  texts.EachText(9, [](std::string_view) {});

  EXPECT_FALSE(numbers.ok());
  EXPECT_FALSE(texts.ok());
  EXPECT_EQ(floats.SkipFixed32(7), 0);
  EXPECT_FALSE(floats.Next(field));
  EXPECT_FALSE(floats.ok());
}

}  // namespace
}  // namespace slipway::engine::onnx
