#include "net/head_parser.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace slipway::net {
namespace {

struct Parsed {
  HeadState state;
  RequestHead head;
  std::vector<HeaderField> headers;
  HttpFault fault;
};

Parsed Parse(std::string_view text, const HttpLimits& limits = {}) {
  Parsed parsed;
  parsed.state = ParseHead(text, limits, parsed.head, parsed.headers, parsed.fault);
  return parsed;
}

TEST(HeadParser, ReadsAnOrdinaryHead) {
  const auto parsed =
      Parse("POST /predict/iris?a=1 HTTP/1.1\r\nHost: x:80\r\nContent-Length: 12\r\nAccept:  */* \r\n\r\n{...");
  ASSERT_EQ(parsed.state, HeadState::kComplete) << parsed.fault.detail;
  EXPECT_EQ(parsed.head.method, Method::kPost);
  EXPECT_EQ(parsed.head.path, "/predict/iris");
  EXPECT_EQ(parsed.head.query, "a=1");
  EXPECT_EQ(parsed.head.content_length, 12);
  EXPECT_TRUE(parsed.head.keep_alive);
  ASSERT_EQ(parsed.headers.size(), 3u);
  EXPECT_EQ(parsed.headers[2].value, "*/*");
}

TEST(HeadParser, EveryPrefixOfAHeadIsIncomplete) {
  const std::string head = "GET /livez HTTP/1.1\r\nHost: x\r\nX-Y: z\r\n\r\n";
  for (size_t size = 0; size < head.size(); ++size) {
    EXPECT_EQ(Parse(head.substr(0, size)).state, HeadState::kIncomplete) << size;
  }
  EXPECT_EQ(Parse(head).state, HeadState::kComplete);
}

TEST(HeadParser, AByteByByteHeadIsParsedOnlyAtItsEnd) {
  const std::string head = "GET /livez HTTP/1.1\r\nHost: x\r\nX-Y: z\r\n\r\n";
  for (size_t size = 2; size < head.size(); ++size) {
    EXPECT_FALSE(MayEndHead(std::string_view(head).substr(0, size), size - 1, {})) << size;
  }
  EXPECT_TRUE(MayEndHead(head, head.size() - 1, {}));
  EXPECT_TRUE(MayEndHead("GET / HTTP/1.1\n", 10, {}));
}

TEST(HeadParser, AbsoluteFormIsTakenApart) {
  const auto parsed = Parse("GET http://host:80/models?x HTTP/1.1\r\nHost: host\r\n\r\n");
  EXPECT_EQ(parsed.head.path, "/models");
  EXPECT_EQ(parsed.head.query, "x");
  EXPECT_EQ(Parse("GET http://host HTTP/1.1\r\nHost: host\r\n\r\n").head.path, "/");
}

TEST(HeadParser, ConnectionOptionsDecideOverKeepAlive) {
  EXPECT_FALSE(Parse("GET / HTTP/1.0\r\n\r\n").head.keep_alive);
  EXPECT_TRUE(Parse("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").head.keep_alive);
  EXPECT_FALSE(Parse("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").head.keep_alive);
  EXPECT_FALSE(Parse("GET / HTTP/1.1\r\nHost: x\r\nConnection: close, keep-alive\r\n\r\n").head.keep_alive);
}

TEST(HeadParser, OneEmptyLineBeforeTheRequestIsIgnored) {
  EXPECT_EQ(Parse("\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n").state, HeadState::kComplete);
  EXPECT_EQ(Parse("\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n").state, HeadState::kRefused);
}

TEST(HeadParser, BytesPastAsciiAreFineInValuesOnly) {
  EXPECT_EQ(Parse("GET / HTTP/1.1\r\nHost: x\r\nX: \xc3\xa9\r\n\r\n").state, HeadState::kComplete);
  EXPECT_EQ(Parse("GET /\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n").state, HeadState::kRefused);
}

struct RefusedHead {
  const char* name;
  std::string text;
  int status;
  std::string_view code;
};

class RefusedHeads : public testing::TestWithParam<RefusedHead> {};

TEST_P(RefusedHeads, AreRefusedWithTheirReason) {
  const auto parsed = Parse(GetParam().text);
  EXPECT_EQ(parsed.state, HeadState::kRefused);
  EXPECT_EQ(parsed.fault.status, GetParam().status);
  EXPECT_EQ(parsed.fault.code, GetParam().code);
}

std::string Post(const std::string& headers) {
  return "POST /predict/m HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n";
}

INSTANTIATE_TEST_SUITE_P(
    Smuggling, RefusedHeads,
    testing::Values(
        RefusedHead{"TwoContentLengths", Post("Content-Length: 3\r\nContent-Length: 4\r\n"), 400,
                    "http.content_length"},
        RefusedHead{"TwoEqualContentLengths", Post("Content-Length: 3\r\nContent-Length: 3\r\n"), 400,
                    "http.content_length"},
        RefusedHead{"ContentLengthList", Post("Content-Length: 3, 3\r\n"), 400, "http.content_length"},
        RefusedHead{"PlusContentLength", Post("Content-Length: +3\r\n"), 400, "http.content_length"},
        RefusedHead{"MinusContentLength", Post("Content-Length: -3\r\n"), 400, "http.content_length"},
        RefusedHead{"EmptyContentLength", Post("Content-Length: \r\n"), 400, "http.content_length"},
        RefusedHead{"HexContentLength", Post("Content-Length: 0x3\r\n"), 400, "http.content_length"},
        RefusedHead{"OverflowingContentLength", Post("Content-Length: 18446744073709551617\r\n"), 400,
                    "http.content_length"},
        RefusedHead{"ContentLengthAndChunked", Post("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"), 400,
                    "http.framing"},
        RefusedHead{"ChunkedAndContentLength", Post("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"), 400,
                    "http.framing"},
        RefusedHead{"TransferEncodingList", Post("Transfer-Encoding: gzip, chunked\r\n"), 400,
                    "http.transfer_encoding"},
        RefusedHead{"ChunkedTwice", Post("Transfer-Encoding: chunked, chunked\r\n"), 400, "http.transfer_encoding"},
        RefusedHead{"TwoTransferEncodings", Post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400,
                    "http.transfer_encoding"},
        RefusedHead{"IdentityEncoding", Post("Transfer-Encoding: identity\r\n"), 400, "http.transfer_encoding"},
        RefusedHead{"ObscuredChunked", Post("Transfer-Encoding: xchunked\r\n"), 400, "http.transfer_encoding"},
        RefusedHead{"VerticalTabChunked",
                    Post("Transfer-Encoding: \x0b"
                         "chunked\r\n"),
                    400, "http.header_value"},
        RefusedHead{"ChunkedInHttp10", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "http.framing"},
        RefusedHead{"SpaceBeforeColon", Post("Content-Length : 3\r\n"), 400, "http.header_name"},
        RefusedHead{"TabBeforeColon", Post("Content-Length\t: 3\r\n"), 400, "http.header_name"},
        RefusedHead{"FoldedHeader", Post("X: a\r\n b\r\n"), 400, "http.folded_header"},
        RefusedHead{"FoldedFirstHeader", "GET / HTTP/1.1\r\n Host: x\r\n\r\n", 400, "http.folded_header"},
        RefusedHead{"NulInName", Post(std::string("X\0Y: a\r\n", 8)), 400, "http.header_name"},
        RefusedHead{"NulInValue", Post(std::string("X: a\0b\r\n", 8)), 400, "http.header_value"},
        RefusedHead{"BareLf", Post("X: a\nContent-Length: 3\r\n"), 400, "http.bare_line_feed"},
        RefusedHead{"BareLfEndsHead", "GET / HTTP/1.1\r\nHost: x\r\n\n", 400, "http.bare_line_feed"},
        RefusedHead{"BareCr", Post("X: a\rContent-Length: 3\r\n"), 400, "http.header_value"},
        RefusedHead{"NoColon", Post("Nonsense\r\n"), 400, "http.header"},
        RefusedHead{"EmptyName", Post(": x\r\n"), 400, "http.header_name"},
        RefusedHead{"NoHost", "GET / HTTP/1.1\r\n\r\n", 400, "http.host"},
        RefusedHead{"TwoHosts", Post("Host: y\r\n"), 400, "http.host"},
        RefusedHead{"HostWithPath", "GET / HTTP/1.1\r\nHost: x/y\r\n\r\n", 400, "http.host"},
        RefusedHead{"TwoSpaces", "GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400, "http.target"},
        RefusedHead{"TabInRequestLine", "GET\t/ HTTP/1.1\r\nHost: x\r\n\r\n", 400, "http.request_line"},
        RefusedHead{"NoVersion", "GET /\r\nHost: x\r\n\r\n", 400, "http.request_line"},
        RefusedHead{"LowerCaseVersion", "GET / http/1.1\r\nHost: x\r\n\r\n", 400, "http.request_line"},
        RefusedHead{"TrailingSpace", "GET / HTTP/1.1 \r\nHost: x\r\n\r\n", 400, "http.request_line"},
        RefusedHead{"Http2Preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "http.version"},
        RefusedHead{"Fragment", "GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n", 400, "http.target"},
        RefusedHead{"RelativeTarget", "GET models HTTP/1.1\r\nHost: x\r\n\r\n", 400, "http.target"},
        RefusedHead{"Connect", "CONNECT host:443 HTTP/1.1\r\nHost: x\r\n\r\n", 501, "http.method_not_implemented"},
        RefusedHead{"AuthorityForm", "GET host:443 HTTP/1.1\r\nHost: x\r\n\r\n", 400, "http.target"},
        RefusedHead{"AbsoluteWithUser", "GET http://u@x/ HTTP/1.1\r\nHost: x\r\n\r\n", 400, "http.target"},
        RefusedHead{"AbsoluteWithoutHost", "GET http:///a HTTP/1.1\r\nHost: x\r\n\r\n", 400, "http.target"},
        RefusedHead{"AbsoluteOfOtherScheme", "GET ftp://x/a HTTP/1.1\r\nHost: x\r\n\r\n", 400, "http.target"},
        RefusedHead{"HostWithUser", "GET / HTTP/1.1\r\nHost: u@x\r\n\r\n", 400, "http.host"},
        RefusedHead{"HostList", "GET / HTTP/1.1\r\nHost: x, y\r\n\r\n", 400, "http.host"},
        RefusedHead{"HostWithBlank", "GET / HTTP/1.1\r\nHost: x y\r\n\r\n", 400, "http.host"},
        RefusedHead{"HostWithTextPort", "GET / HTTP/1.1\r\nHost: x:http\r\n\r\n", 400, "http.host"},
        RefusedHead{"HostWithLargePort", "GET / HTTP/1.1\r\nHost: x:65536\r\n\r\n", 400, "http.host"},
        RefusedHead{"HostWithOpenBracket", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400, "http.host"},
        RefusedHead{"HostOfPortAlone", "GET / HTTP/1.1\r\nHost: :80\r\n\r\n", 400, "http.host"},
        RefusedHead{"Http12", "GET / HTTP/1.2\r\nHost: x\r\n\r\n", 505, "http.version"},
        RefusedHead{"Http20", "GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505, "http.version"},
        RefusedHead{"Http09", "GET /\r\n\r\n", 400, "http.request_line"},
        RefusedHead{"NulInTarget", std::string("GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n", 28), 400, "http.target"},
        RefusedHead{"BareCrInRequestLine", "GET /\r HTTP/1.1\r\nHost: x\r\n\r\n", 400, "http.target"},
        RefusedHead{"BareLfInRequestLine", "GET / HTTP/1.1\nHost: x\r\n\r\n", 400, "http.bare_line_feed"},
        RefusedHead{"SignedContentLengthWithBlank", Post("Content-Length: + 3\r\n"), 400, "http.content_length"},
        RefusedHead{"ContentLengthWithInnerBlank", Post("Content-Length: 3 3\r\n"), 400, "http.content_length"},
        RefusedHead{"ContentLengthWithUnderscore", Post("Content-Length: 1_0\r\n"), 400, "http.content_length"},
        RefusedHead{"ContentLengthOfFraction", Post("Content-Length: 3.0\r\n"), 400, "http.content_length"},
        RefusedHead{"EmptyTransferEncoding", Post("Transfer-Encoding:\r\n"), 400, "http.transfer_encoding"},
        RefusedHead{"ChunkedWithParameter", Post("Transfer-Encoding: chunked;q=1\r\n"), 400, "http.transfer_encoding"},
        RefusedHead{"QuotedChunked", Post("Transfer-Encoding: \"chunked\"\r\n"), 400, "http.transfer_encoding"},
        RefusedHead{"ChunkedThenIdentity", Post("Transfer-Encoding: chunked, identity\r\n"), 400,
                    "http.transfer_encoding"},
        RefusedHead{"LeadingCommaChunked", Post("Transfer-Encoding: ,chunked\r\n"), 400, "http.transfer_encoding"},
        RefusedHead{"FormFeedChunked",
                    Post("Transfer-Encoding: \x0c"
                         "chunked\r\n"),
                    400, "http.header_value"},
        RefusedHead{"OtherExpectation", Post("Expect: 200-ok\r\n"), 417, "http.expectation"}),
    [](const auto& info) { return info.param.name; });

TEST(HeadParser, LimitsHaveTheirOwnAnswers) {
  HttpLimits limits;
  limits.target_bytes = 100;
  limits.head_bytes = 400;
  limits.header_count = 2;
  const std::string host = "Host: x\r\n";
  EXPECT_EQ(Parse("GET /" + std::string(100, 'a') + " HTTP/1.1\r\n" + host + "\r\n", limits).fault.status, 414);
  EXPECT_EQ(Parse("GET /" + std::string(200, 'a'), limits).fault.status, 414);
  EXPECT_EQ(Parse("GET / HTTP/1.1\r\n" + host + "X: " + std::string(500, 'a'), limits).fault.status, 431);
  EXPECT_EQ(Parse("GET / HTTP/1.1\r\n" + host + "X: " + std::string(400, 'a') + "\r\n\r\n", limits).fault.status, 431);
  EXPECT_EQ(Parse("GET / HTTP/1.1\r\n" + host + "A: b\r\nC: d\r\n\r\n", limits).fault.code, "http.too_many_headers");
}

}  // namespace
}  // namespace slipway::net
