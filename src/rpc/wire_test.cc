#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "rpc/wire_reader.h"
#include "rpc/wire_writer.h"

namespace slipway::rpc {
namespace {

using std::string_literals::operator""s;
using testing::ElementsAre;

/// Of one field: "3:varint=150", "3:bytes=text"; "broken" at the end of what is none.
std::vector<std::string> FieldsOf(std::string_view message) {
  std::vector<std::string> fields;
  WireReader reader(message);
  while (reader.Next()) {
    const std::string number = std::to_string(reader.field());
    switch (reader.type()) {
      case WireType::kVarint:
        fields.push_back(number + ":varint=" + std::to_string(reader.integer()));
        break;
      case WireType::kBytes:
        fields.push_back(number + ":bytes=" + std::string(reader.bytes()));
        break;
      case WireType::kFixed32:
        fields.push_back(number + ":single=" + std::to_string(reader.single()));
        break;
      case WireType::kFixed64:
        fields.push_back(number + ":real=" + std::to_string(reader.real()));
        break;
    }
  }
  if (reader.broken()) fields.emplace_back("broken");
  return fields;
}

std::vector<uint64_t> NumbersOf(std::string_view message, WireType type, bool* fine = nullptr) {
  std::vector<uint64_t> numbers;
  WireReader reader(message);
  bool read = true;
  while (reader.Next()) {
    read &= ForEachNumber(reader, type, [&](uint64_t number) {
      numbers.push_back(number);
      return true;
    });
  }
  if (fine != nullptr) *fine = read;
  return numbers;
}

// The examples of the encoding's own documentation.
TEST(WireReaderTest, ReadsTheDocumentedExamples) {
  EXPECT_THAT(FieldsOf("\x08\x96\x01"s), ElementsAre("1:varint=150"));
  EXPECT_THAT(FieldsOf("\x12\x07testing"s), ElementsAre("2:bytes=testing"));
  EXPECT_THAT(FieldsOf("\x1a\x03\x08\x96\x01"s), ElementsAre("3:bytes=\x08\x96\x01"));
}

TEST(WireReaderTest, ReadsWhatTheWriterWrites) {
  std::string out;
  WireWriter writer(out);
  writer.Text(1, "x");
  writer.Integer(2, -1);
  writer.Boolean(3, true);
  writer.Single(4, 0.5F);
  writer.Varint(200, std::numeric_limits<uint64_t>::max());
  EXPECT_THAT(FieldsOf(out),
              ElementsAre("1:bytes=x", "2:varint=-1", "3:varint=1", "4:single=0.500000", "200:varint=-1"));
}

TEST(WireReaderTest, GroupsAreSteppedOver) {
  // Field 5 as a group that holds a varint and another group, then field 1.
  EXPECT_THAT(FieldsOf("\x2b\x08\x01\x33\x10\x02\x34\x2c\x08\x07"s), ElementsAre("1:varint=7"));
  EXPECT_THAT(FieldsOf("\x2b\x08\x01\x34"s), ElementsAre("broken")) << "the end of another group";
  EXPECT_THAT(FieldsOf("\x2b\x08\x01"s), ElementsAre("broken")) << "no end";
  EXPECT_THAT(FieldsOf(std::string(1000, '\x2b')), ElementsAre("broken")) << "deeper than anybody writes";
}

TEST(WireReaderTest, WhatIsNoMessageIsBroken) {
  EXPECT_THAT(FieldsOf("\xff"s), ElementsAre("broken")) << "half a tag";
  EXPECT_THAT(FieldsOf("\x00\x01"s), ElementsAre("broken")) << "field 0";
  EXPECT_THAT(FieldsOf("\x08"s), ElementsAre("broken")) << "a varint that is not there";
  EXPECT_THAT(FieldsOf("\x0a\x05"
                       "ab"s),
              ElementsAre("broken"))
      << "bytes past the end";
  EXPECT_THAT(FieldsOf("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s), ElementsAre("broken")) << "a length of 2^64-1";
  EXPECT_THAT(FieldsOf("\x0d\x01\x02\x03"s), ElementsAre("broken")) << "three of four bytes";
  EXPECT_THAT(FieldsOf("\x0e\x01"s), ElementsAre("broken")) << "wire type 6";
  EXPECT_THAT(FieldsOf("\x0c"s), ElementsAre("broken")) << "the end of a group that never began";
  EXPECT_THAT(FieldsOf("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"s), ElementsAre("broken")) << "past 64 bits";
  EXPECT_THAT(FieldsOf("\x08\x07\xff"s), ElementsAre("1:varint=7", "broken"));
}

TEST(WireReaderTest, RepeatedNumbersComePackedOrOneByOne) {
  EXPECT_THAT(NumbersOf("\x0a\x03\x01\x96\x01\x08\x03"s, WireType::kVarint), ElementsAre(1, 150, 3));
  EXPECT_THAT(NumbersOf("\x0a\x04\x01\x00\x00\x00\x0d\x02\x00\x00\x00"s, WireType::kFixed32), ElementsAre(1, 2));
  bool fine = true;
  EXPECT_THAT(NumbersOf("\x0a\x03\x01\x00\x00"s, WireType::kFixed32, &fine), testing::IsEmpty());
  EXPECT_FALSE(fine) << "three of four bytes";
  NumbersOf("\x0a\x02\x01\x96"s, WireType::kVarint, &fine);
  EXPECT_FALSE(fine) << "half a number";
}

TEST(WireWriterTest, PartsOfAnySizeGetTheirLength) {
  for (const size_t size : {size_t{0}, size_t{1}, size_t{127}, size_t{128}, size_t{20000}}) {
    for (const size_t expected : {size_t{0}, size_t{127}, size_t{128}, size_t{20000}, size_t{1} << 22}) {
      std::string out = "\x08\x01"s;
      WireWriter writer(out);
      const auto outer = writer.Begin(2);
      const auto part = writer.Begin(3, expected);
      out.append(size, 'x');
      writer.End(part);
      writer.Boolean(4, true);
      writer.End(outer);
      std::string again;
      WireWriter straight(again);
      straight.Text(3, std::string(size, 'x'));
      straight.Boolean(4, true);
      EXPECT_THAT(FieldsOf(out), ElementsAre("1:varint=1", "2:bytes=" + again)) << size << " of " << expected;
    }
  }
}

}  // namespace
}  // namespace slipway::rpc
