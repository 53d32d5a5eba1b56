#include "serving/cache/redis/shared_answer.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "base/hash.h"

namespace slipway::serving {
namespace {

CachedAnswer Answer() {
  CachedAnswer answer;
  answer.body = R"({"request_id":"","prediction":{"sum":3.0}})";
  answer.hole = 15;
  answer.content_type = "application/json";
  answer.headers = "Slipway-Rows: 1\r\nX-Other: two words\r\n";
  answer.rows = 7;
  return answer;
}

bool Reads(std::string_view value, std::string_view request = "request") {
  CachedAnswer answer;
  return ReadSharedAnswer(value, request, answer);
}

/// As if whoever wrote the value had wanted it so.
std::string Sealed(std::string value) {
  value.resize(value.size() - 8);
  const uint64_t sum = base::Xxh3(value);
  for (int shift = 0; shift < 64; shift += 8) value += static_cast<char>(sum >> shift & 0xFF);
  return value;
}

TEST(SharedAnswer, ComesBackAsItWas) {
  const CachedAnswer put = Answer();
  CachedAnswer found;
  ASSERT_TRUE(ReadSharedAnswer(WriteSharedAnswer("request", put), "request", found));
  EXPECT_EQ(found.body, put.body);
  EXPECT_EQ(found.hole, put.hole);
  EXPECT_EQ(found.content_type, put.content_type);
  EXPECT_EQ(found.headers, put.headers);
  EXPECT_EQ(found.rows, put.rows);
}

TEST(SharedAnswer, OfAnotherRequestIsNone) {
  // As two requests whose hashes are the same would find it.
  const std::string value = WriteSharedAnswer("request", Answer());
  EXPECT_FALSE(Reads(value, "requesT"));
  EXPECT_FALSE(Reads(value, "reques"));
  EXPECT_FALSE(Reads(value, ""));
}

TEST(SharedAnswer, CutOrLengthenedAnywhereIsNone) {
  const std::string value = WriteSharedAnswer("request", Answer());
  for (size_t size = 0; size < value.size(); ++size) EXPECT_FALSE(Reads(value.substr(0, size))) << size;
  EXPECT_FALSE(Reads(value + "x"));
}

TEST(SharedAnswer, WithAnyBitTurnedIsNone) {
  const std::string value = WriteSharedAnswer("request", Answer());
  for (size_t bit = 0; bit < value.size() * 8; ++bit) {
    std::string turned = value;
    turned[bit / 8] = static_cast<char>(turned[bit / 8] ^ 1 << bit % 8);
    EXPECT_FALSE(Reads(turned)) << bit;
  }
}

TEST(SharedAnswer, MayNotAddHeadersOfItsOwnMaking) {
  for (const char* headers : {"X: a\r\n\r\nbody", "X: a\nY: b\r\n", "X a\r\n", ": a\r\n", "X: a", "X Y: a\r\n"}) {
    CachedAnswer answer = Answer();
    answer.headers = headers;
    EXPECT_FALSE(Reads(WriteSharedAnswer("request", answer))) << headers;
  }
  CachedAnswer answer = Answer();
  answer.content_type = "text/plain\r\nX: a";
  EXPECT_FALSE(Reads(WriteSharedAnswer("request", answer)));
}

TEST(SharedAnswer, WithNumbersThatDoNotFitIsNone) {
  const std::string value = WriteSharedAnswer("request", Answer());
  for (size_t number = 0; number < 6; ++number) {
    std::string huge = value;
    for (size_t i = 0; i < 8; ++i) huge[8 + number * 8 + i] = '\xFF';
    EXPECT_FALSE(Reads(Sealed(huge))) << number;
  }
  EXPECT_TRUE(Reads(Sealed(value)));
}

TEST(SharedAnswer, FieldsNeverRunIntoOneAnother) {
  std::string one, two;
  AppendFields(one, std::array<std::string_view, 2>{"ab", "c"});
  AppendFields(two, std::array<std::string_view, 2>{"a", "bc"});
  EXPECT_NE(one, two);
}

TEST(SharedAnswer, MediaTypesFromOutsideAreBounded) {
  MediaTypes types;
  EXPECT_FALSE(types.Kept(std::string(MediaTypes::kLongest + 1, 'x')));
  size_t kept = 0;
  for (size_t i = 0; i < MediaTypes::kMost * 2; ++i) kept += types.Kept("test/" + std::to_string(i)) ? 1 : 0;
  EXPECT_EQ(kept, MediaTypes::kMost);
  EXPECT_EQ(types.Kept("test/1"), "test/1");
}

}  // namespace
}  // namespace slipway::serving
