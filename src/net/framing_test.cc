// What must never be read in two ways, through a server: one refusal, then the end, and the request hidden behind is
// not answered. The reader's own cases stand in head_parser_test and chunked_body_test.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/server_fixture.h"

namespace slipway::net {
namespace {

struct Hostile {
  const char* name;
  std::string bytes;  ///< up to the hidden request
  int status = 400;
};

class HostileFraming : public ServerFixture, public testing::WithParamInterface<Hostile> {};

TEST_P(HostileFraming, IsRefusedOnceAndEndsTheConnection) {
  AddEcho();
  Start();
  auto client = Connect();
  client.Send(GetParam().bytes + std::string(kHello));
  const auto answer = client.Read();
  EXPECT_EQ(answer.status, GetParam().status) << answer.body;
  EXPECT_EQ(answer.Header("Connection"), "close");
  EXPECT_TRUE(client.IsClosed()) << "the hidden request was answered";
}

std::string With(std::string_view lines, std::string_view body = "") {
  return "POST /echo HTTP/1.1\r\nHost: x\r\n" + std::string(lines) + "\r\n" + std::string(body);
}
std::string Chunks(std::string_view bytes) {
  return With("Transfer-Encoding: chunked\r\n", bytes);
}

INSTANTIATE_TEST_SUITE_P(
    Lengths, HostileFraming,
    testing::Values(
        Hostile{"Twice", With("Content-Length: 3\r\nContent-Length: 3\r\n", "abc")},
        Hostile{"TwiceDiffering", With("Content-Length: 0\r\nContent-Length: 3\r\n", "abc")},
        Hostile{"Signed", With("Content-Length: +3\r\n", "abc")}, Hostile{"Negative", With("Content-Length: -1\r\n")},
        Hostile{"Empty", With("Content-Length:\r\n")}, Hostile{"Hex", With("Content-Length: 0x3\r\n", "abc")},
        Hostile{"Underscore", With("Content-Length: 0_3\r\n", "abc")},
        Hostile{"InnerBlank", With("Content-Length: 3 0\r\n", "abc")},
        Hostile{"List", With("Content-Length: 3,3\r\n", "abc")},
        Hostile{"Overflow", With("Content-Length: 18446744073709551619\r\n", "abc")},
        Hostile{"Huge", With("Content-Length: 999999999999999999\r\n"), 413},
        Hostile{"SpaceBeforeColon", With("Content-Length : 3\r\n", "abc")},
        Hostile{"LengthThenChunked", With("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")},
        Hostile{"ChunkedThenLength", With("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n")},
        Hostile{"FoldedChunked", With("Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n")},
        Hostile{"List2", With("Transfer-Encoding: identity, chunked\r\n", "0\r\n\r\n")},
        Hostile{"ChunkedTwice", With("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n")},
        Hostile{"TwoTransferEncodings",
                With("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n")},
        Hostile{"SuffixedChunked", With("Transfer-Encoding: chunkedx\r\n", "0\r\n\r\n")},
        Hostile{"NulBehindChunked", With(std::string("Transfer-Encoding: chunked\0\r\n", 29), "0\r\n\r\n")},
        Hostile{"NamePrefixedByCr", With("X: y\r\n\rTransfer-Encoding: chunked\r\n", "0\r\n\r\n")},
        Hostile{"NameBehindLf", With("X: y\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")},
        Hostile{"NameBehindNul", With(std::string("\0Transfer-Encoding: chunked\r\n", 29), "0\r\n\r\n")}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    ChunkedBodies, HostileFraming,
    testing::Values(Hostile{"Plus", Chunks("+3\r\nabc\r\n0\r\n\r\n")}, Hostile{"Minus", Chunks("-0\r\n\r\n")},
                    Hostile{"HexPrefix", Chunks("0x0\r\n\r\n")}, Hostile{"Underscore", Chunks("0_0\r\n\r\n")},
                    Hostile{"Overflow", Chunks("10000000000000003\r\nabc\r\n0\r\n\r\n")},
                    Hostile{"LeadingBlank", Chunks(" 3\r\nabc\r\n0\r\n\r\n")},
                    Hostile{"TrailingBlank", Chunks("3 \r\nabc\r\n0\r\n\r\n")},
                    Hostile{"TrailingTab", Chunks("3\t\r\nabc\r\n0\r\n\r\n")},
                    Hostile{"NoSize", Chunks("\r\nabc\r\n0\r\n\r\n")}, Hostile{"OnlyExtension", Chunks(";a\r\n\r\n")},
                    Hostile{"BareLfBehindSize", Chunks("3\nabc\r\n0\r\n\r\n")},
                    Hostile{"BareCrBehindSize", Chunks("3\rabc\r\n0\r\n\r\n")},
                    Hostile{"BareLfInExtension", Chunks("3;a\nabc\r\n0\r\n\r\n")},
                    Hostile{"BareCrInExtension", Chunks("3;a\rb\r\nabc\r\n0\r\n\r\n")},
                    Hostile{"NulInExtension", Chunks(std::string("3;\0\r\nabc\r\n0\r\n\r\n", 15))},
                    Hostile{"BareLfBehindData", Chunks("3\r\nabc\n0\r\n\r\n")},
                    Hostile{"NothingBehindData", Chunks("3\r\nabc0\r\n\r\n")},
                    Hostile{"LongerThanSaid", Chunks("3\r\nabcd\r\n0\r\n\r\n")},
                    Hostile{"BareLfBehindLast", Chunks("0\n\n")}, Hostile{"BareLfEndsTrailers", Chunks("0\r\n\n")},
                    Hostile{"TrailerWithoutColon", Chunks("0\r\nGET / HTTP/1.1\r\n\r\n")},
                    Hostile{"TrailerBlankBeforeColon", Chunks("0\r\nX : y\r\n\r\n")},
                    Hostile{"TrailerWithoutName", Chunks("0\r\n: y\r\n\r\n")},
                    Hostile{"FoldedTrailer", Chunks("0\r\nX: y\r\n z\r\n\r\n")}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Heads, HostileFraming,
    testing::Values(Hostile{"Http09", "GET /hello\r\n"},
                    Hostile{"Http12", "GET /hello HTTP/1.2\r\nHost: x\r\n\r\n", 505},
                    Hostile{"Http2Preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
                    Hostile{"BareLfLines", "GET /hello HTTP/1.1\nHost: x\n\n"},
                    Hostile{"TwoBlankLinesBefore", "\r\n\r\nGET /hello HTTP/1.1\r\nHost: x\r\n\r\n"},
                    Hostile{"NoHost", "GET /hello HTTP/1.1\r\n\r\n"},
                    Hostile{"TwoHosts", "GET /hello HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n"},
                    Hostile{"HostWithPath", "GET /hello HTTP/1.1\r\nHost: x/y\r\n\r\n"},
                    Hostile{"HostWithUser", "GET /hello HTTP/1.1\r\nHost: a@x\r\n\r\n"},
                    Hostile{"AuthorityForm", "GET x:80 HTTP/1.1\r\nHost: x\r\n\r\n"},
                    Hostile{"Connect", "CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", 501},
                    Hostile{"UnknownExpectation", With("Content-Length: 0\r\nExpect: magic\r\n"), 417}),
    [](const auto& info) { return info.param.name; });

class FramingTest : public ServerFixture {};

TEST_F(FramingTest, AbsoluteTargetsArePathsWhateverTheScheme) {
  AddEcho();
  Start();
  auto client = Connect();
  EXPECT_EQ(client.Ask("GET http://y.example:80/hello HTTP/1.1\r\nHost: x\r\n\r\n").status, 200);
  EXPECT_EQ(client.Ask("GET HTTPS://[::1]/hello HTTP/1.1\r\nHost: x\r\n\r\n").status, 200);
  EXPECT_EQ(client.Ask("GET http://y HTTP/1.1\r\nHost: x\r\n\r\n").status, 404);
  EXPECT_EQ(client.Ask("GET /hello HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n").status, 200);
  EXPECT_EQ(client.Ask("GET /hello HTTP/1.1\r\nHost:\r\n\r\n").status, 200) << "no authority is a fine Host";
}

TEST_F(FramingTest, ChunkedIsAnyCaseAndExtensionsAndTrailersAreDropped) {
  AddEcho();
  Start();
  auto client = Connect();
  const auto answer =
      client.Ask(With("transfer-ENCODING:\tChUnKeD \r\n", "3;a=\"b c\"\r\nabc\r\n0;last\r\nX-Sum: 1\r\n\r\n"));
  EXPECT_EQ(answer.body, "abc");
  EXPECT_EQ(client.Ask(kHello).status, 200);
}

TEST_F(FramingTest, Http10IgnoresExpectations) {
  AddEcho();
  Start();
  auto client = Connect();
  client.Send("POST /echo HTTP/1.0\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.Ask("abc").status, 200) << "an interim answer means nothing to HTTP/1.0";
  EXPECT_EQ(Connect().Ask("GET /hello HTTP/1.0\r\nExpect: magic\r\n\r\n").status, 200);
}

TEST_F(FramingTest, APathTellsWhatItTakesToMethodsThatNobodyImplements) {
  AddEcho();
  Start();
  auto client = Connect();
  EXPECT_EQ(client.Ask("BREW /none HTTP/1.1\r\nHost: x\r\n\r\n").status, 501);
  EXPECT_EQ(client.Ask("QUERY /hello HTTP/1.1\r\nHost: x\r\n\r\n").status, 405);
  EXPECT_EQ(client.Ask("get /hello HTTP/1.1\r\nHost: x\r\n\r\n").status, 405) << "methods are case-sensitive";
  EXPECT_EQ(client.Ask("TRACE /hello HTTP/1.1\r\nHost: x\r\n\r\n").Header("Allow"), "GET, HEAD, OPTIONS");
  const auto wrong = client.Ask("PUT /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.Header("Allow"), "GET, HEAD, OPTIONS");
}

}  // namespace
}  // namespace slipway::net
