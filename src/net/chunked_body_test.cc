#include "net/chunked_body.h"

#include <gtest/gtest.h>

namespace slipway::net {
namespace {

struct Decoded {
  std::string body;
  size_t taken = 0;
  bool done = false;
  int status = 0;
};

Decoded Decode(std::string_view bytes, int64_t limit = 1000, int64_t chunks = 100) {
  ChunkedBody decoder;
  decoder.Reset(limit, chunks);
  Decoded decoded;
  decoded.taken = decoder.Feed(bytes, decoded.body);
  decoded.done = decoder.done();
  decoded.status = decoder.fault().status;
  return decoded;
}

TEST(ChunkedBody, JoinsChunksAndLeavesWhatFollows) {
  const auto decoded = Decode("4\r\nWiki\r\n6;a=\"b\"\r\npedia \r\n0\r\nX-Sum: 1\r\n\r\nGET /");
  EXPECT_TRUE(decoded.done);
  EXPECT_EQ(decoded.body, "Wikipedia ");
  EXPECT_EQ(decoded.taken, std::string_view("4\r\nWiki\r\n6;a=\"b\"\r\npedia \r\n0\r\nX-Sum: 1\r\n\r\n").size());
}

TEST(ChunkedBody, BytesMayComeOneByOne) {
  ChunkedBody decoder;
  decoder.Reset(1000, 100);
  std::string body;
  for (const char c : std::string_view("3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n")) decoder.Feed({&c, 1}, body);
  EXPECT_TRUE(decoder.done());
  EXPECT_EQ(body, "abc0123456789");
}

struct RefusedBody {
  const char* name;
  std::string_view bytes;
};

class RefusedBodies : public testing::TestWithParam<RefusedBody> {};

TEST_P(RefusedBodies, AreMalformed) {
  const auto decoded = Decode(GetParam().bytes);
  EXPECT_EQ(decoded.status, 400);
  EXPECT_FALSE(decoded.done);
}

INSTANTIATE_TEST_SUITE_P(
    Smuggling, RefusedBodies,
    testing::Values(
        RefusedBody{"PlusSize", "+3\r\nabc\r\n0\r\n\r\n"}, RefusedBody{"MinusSize", "-3\r\nabc\r\n0\r\n\r\n"},
        RefusedBody{"HexPrefix", "0x3\r\nabc\r\n0\r\n\r\n"},
        RefusedBody{"Underscore", "1_0\r\n0123456789abcdef\r\n0\r\n\r\n"},
        RefusedBody{"SpaceBeforeSize", " 3\r\nabc\r\n0\r\n\r\n"},
        RefusedBody{"SpaceAfterSize", "3 \r\nabc\r\n0\r\n\r\n"}, RefusedBody{"EmptySize", "\r\nabc\r\n0\r\n\r\n"},
        RefusedBody{"OnlyExtension", ";a\r\nabc\r\n"}, RefusedBody{"Overflow", "10000000000000003\r\nabc\r\n"},
        RefusedBody{"SizeEndsInLf", "3\nabc\r\n0\r\n\r\n"}, RefusedBody{"SizeEndsInCrOnly", "3\rabc\r\n0\r\n\r\n"},
        RefusedBody{"DataTooLong", "3\r\nabcd\r\n0\r\n\r\n"}, RefusedBody{"DataEndsInLf", "3\r\nabc\n0\r\n\r\n"},
        RefusedBody{"LfInExtension", "3;a\nb\r\nabc\r\n0\r\n\r\n"}, RefusedBody{"BareLfTrailer", "0\r\nX: y\n\r\n"},
        RefusedBody{"BareCrTrailer", "0\r\nX: y\rz\r\n\r\n"}, RefusedBody{"FoldedTrailer", "0\r\n X: y\r\n\r\n"},
        RefusedBody{"LfAfterLast", "0\r\n\n"}),
    [](const auto& info) { return info.param.name; });

TEST(ChunkedBody, LargerThanTheLimitIsRefusedBeforeItsDataComes) {
  EXPECT_EQ(Decode("5\r\n", 4).status, 413);
  EXPECT_EQ(Decode("3\r\nabc\r\n2\r\n", 4).status, 413);
  EXPECT_EQ(Decode("4\r\nabcd\r\n0\r\n\r\n", 4).body, "abcd");
}

TEST(ChunkedBody, TooManyChunksAreRefused) {
  EXPECT_EQ(Decode("1\r\na\r\n1\r\nb\r\n1\r\nc\r\n", 100, 2).status, 413);
}

TEST(ChunkedBody, EndlessExtensionsAndTrailersAreRefused) {
  EXPECT_EQ(Decode("1;" + std::string(9000, 'x')).status, 400);
  EXPECT_EQ(Decode("0\r\n" + std::string(9000, 'x')).status, 400);
}

}  // namespace
}  // namespace slipway::net
