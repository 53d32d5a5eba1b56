#include "net/content_coding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "net/server_fixture.h"

namespace slipway::net {
namespace {

std::string Encoded(ContentCoding coding, std::string_view text) {
  std::string out;
  if (coding == ContentCoding::kDeflate) {
    uLongf size = ::compressBound(text.size());
    out.resize(size);
    ::compress(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(text.data()), text.size());
    out.resize(size);
    return out;
  }
  EXPECT_TRUE(ContentEncoder().Encode(coding, text, out));
  return out;
}

std::string Lines(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += "{\"a\":" + std::to_string(i * 7919 % 10007) + ",\"b\":1.5,\"kind\":\"x\"}\n";
  return text;
}

struct Outcome {
  std::string text, code;
};

Outcome Decode(ContentCoding coding, std::string_view bytes, size_t piece, DecodeLimits limits) {
  auto decoder = ContentDecoder::Create(coding, limits);
  Outcome outcome;
  while (!bytes.empty() && !decoder->fault()) {
    std::string_view in = bytes.substr(0, piece);
    bytes.remove_prefix(in.size());
    while (decoder->Decode(in, outcome.text, 100) || (!in.empty() && !decoder->fault())) {
    }
  }
  decoder->Finish();
  outcome.code = decoder->fault().code;
  return outcome;
}

constexpr DecodeLimits kWide = {.decoded_bytes = 1 << 30, .ratio = 1000};

class Codings : public ServerFixture, public testing::WithParamInterface<ContentCoding> {
 protected:
  std::string Name() const {
    return GetParam() == ContentCoding::kGzip ? "gzip" : GetParam() == ContentCoding::kZstd ? "zstd" : "deflate";
  }
  std::string Coded(std::string_view text) const { return Encoded(GetParam(), text); }
  std::string CodedPost(std::string_view coded) const {
    return Post("/echo", coded, "Content-Encoding: " + Name() + "\r\n");
  }
};

TEST_P(Codings, GiveTheTextHoweverTheBytesAreCut) {
  const std::string text = Lines(2000);
  const std::string coded = Coded(text);
  EXPECT_EQ(Decode(GetParam(), coded, 1, kWide).text, text);
  EXPECT_EQ(Decode(GetParam(), coded, 1000, kWide).text, text);
  EXPECT_EQ(Decode(GetParam(), coded, coded.size(), kWide).code, "");
}

TEST_P(Codings, RefuseWhatBreaksOffOrGoesOn) {
  const std::string coded = Coded(Lines(100));
  EXPECT_EQ(Decode(GetParam(), coded.substr(0, coded.size() - 1), 7, kWide).code, "http.content_coding");
  EXPECT_EQ(Decode(GetParam(), coded + "x", 1 << 20, kWide).code, "http.content_coding");
  EXPECT_EQ(Decode(GetParam(), coded + coded, 1, kWide).code, "http.content_coding");
  EXPECT_EQ(Decode(GetParam(), "no such thing", 3, kWide).code, "http.content_coding");
  EXPECT_EQ(Decode(GetParam(), "", 3, kWide).code, "http.content_coding");
}

TEST_P(Codings, StopBombsEarly) {
  const std::string bomb = Coded(std::string(64 << 20, '0'));
  const auto by_ratio = Decode(GetParam(), bomb, 512, {.decoded_bytes = 1 << 30, .ratio = 200});
  EXPECT_EQ(by_ratio.code, "http.decompression_ratio");
  EXPECT_LT(by_ratio.text.size(), (size_t{1} << 20) + 200);
  const auto by_size = Decode(GetParam(), bomb, 512, {.decoded_bytes = 1 << 20, .ratio = 1 << 20});
  EXPECT_EQ(by_size.code, "http.body_too_large");
  EXPECT_LT(by_size.text.size(), (size_t{1} << 20) + 200);
}

TEST_P(Codings, AreTakenOffRequests) {
  AddEcho();
  Start();
  auto client = Connect();
  const std::string text = Lines(10'000);
  EXPECT_EQ(client.Ask(CodedPost(Coded(text))).body, text);
  const std::string few = Lines(9);
  const std::string coded = Coded(few);
  EXPECT_EQ(client.Ask(CodedPost(coded)).body, few);
  char size[16];
  std::snprintf(size, sizeof size, "%zx", coded.size());
  client.Send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Encoding: " + Name() +
              "\r\nTransfer-Encoding: chunked\r\n\r\n" + size + "\r\n");
  for (const char c : coded) client.Send({&c, 1});
  client.Send("\r\n0\r\n\r\n");
  EXPECT_EQ(client.Read().body, few);
}

TEST_P(Codings, OfBrokenOrLargeBodiesEndTheConnection) {
  AddEcho();
  HttpServerOptions options;
  options.conduct.limits.decoded_bytes = 1000;
  Start(std::move(options));
  const std::string coded = Coded(Lines(20));
  auto client = Connect();
  EXPECT_EQ(client.Ask(CodedPost(coded.substr(0, coded.size() - 1))).status, 400);
  EXPECT_TRUE(client.IsClosed());
  EXPECT_EQ(Connect().Ask(CodedPost(coded + "x")).status, 400);
  EXPECT_EQ(Connect().Ask(CodedPost(Coded(Lines(100)))).status, 413);
  EXPECT_EQ(Connect().Ask(CodedPost("")).body, "") << "no body, no coding";
}

INSTANTIATE_TEST_SUITE_P(All, Codings,
                         testing::Values(ContentCoding::kGzip, ContentCoding::kDeflate, ContentCoding::kZstd),
                         [](const auto& info) {
                           return info.param == ContentCoding::kGzip      ? "Gzip"
                                  : info.param == ContentCoding::kDeflate ? "Deflate"
                                                                          : "Zstd";
                         });

class ContentCodingTest : public ServerFixture {};

TEST_F(ContentCodingTest, OtherCodingsAre415AndToldWhichAreTaken) {
  AddEcho();
  Start();
  auto client = Connect();
  for (const std::string coding : {"br", "gzip, gzip", "compress", "gzip;q=1"}) {
    const auto answer = client.Ask(Post("/echo", "abc", "Content-Encoding: " + coding + "\r\n"));
    EXPECT_EQ(answer.status, 415) << coding;
    EXPECT_EQ(answer.Header("Accept-Encoding"), "gzip, deflate, zstd");
  }
  EXPECT_EQ(client.Ask(Post("/echo", "abc", "Content-Encoding: identity\r\n")).body, "abc");
  EXPECT_EQ(client.Ask(Post("/echo", "abc", "Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n")).status, 415);
}

TEST_F(ContentCodingTest, AnswersAreCodedOnlyWhenAskedSwitchedOnAndWorthIt) {
  AddEcho();
  HttpServerOptions options;
  options.conduct.compression.enabled = true;
  Start(std::move(options));
  auto client = Connect();
  const std::string text = Lines(1000);
  const auto zipped = client.Ask(Post("/echo", text, "Accept-Encoding: deflate, gzip;q=0.5\r\n"));
  EXPECT_EQ(zipped.Header("Content-Encoding"), "gzip");
  EXPECT_EQ(zipped.Header("Vary"), "Accept-Encoding");
  EXPECT_EQ(Decode(ContentCoding::kGzip, zipped.body, 1 << 20, kWide).text, text);
  const auto zstd = client.Ask(Post("/echo", text, "Accept-Encoding: gzip, zstd\r\n"));
  EXPECT_EQ(Decode(ContentCoding::kZstd, zstd.body, 1 << 20, kWide).text, text);
  const auto plain = client.Ask(Post("/echo", text, "Accept-Encoding: gzip;q=0\r\n"));
  EXPECT_EQ(plain.body, text);
  EXPECT_EQ(plain.Header("Vary"), "Accept-Encoding") << "caches must know that it depends";
  EXPECT_EQ(client.Ask(Post("/echo", "short", "Accept-Encoding: gzip\r\n")).Header("Content-Encoding"), "");
}

TEST_F(ContentCodingTest, AnswersArePlainUnlessSwitchedOn) {
  AddEcho();
  Start();
  const auto answer = Connect().Ask(Post("/echo", Lines(1000), "Accept-Encoding: gzip, zstd\r\n"));
  EXPECT_EQ(answer.Header("Content-Encoding"), "");
  EXPECT_EQ(answer.Header("Vary"), "");
}

TEST(ChooseCoding, FollowsQualities) {
  EXPECT_EQ(ChooseCoding(""), ContentCoding::kIdentity);
  EXPECT_EQ(ChooseCoding("br"), ContentCoding::kIdentity);
  EXPECT_EQ(ChooseCoding("GZIP"), ContentCoding::kGzip);
  EXPECT_EQ(ChooseCoding("gzip, zstd;q=0.9"), ContentCoding::kGzip);
  EXPECT_EQ(ChooseCoding("gzip, zstd"), ContentCoding::kZstd);
  EXPECT_EQ(ChooseCoding("*"), ContentCoding::kZstd);
  EXPECT_EQ(ChooseCoding("*;q=0.5, zstd;q=0"), ContentCoding::kGzip);
  EXPECT_EQ(ChooseCoding("gzip;q=nonsense"), ContentCoding::kIdentity);
}

}  // namespace
}  // namespace slipway::net
