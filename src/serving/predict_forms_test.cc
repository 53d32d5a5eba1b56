// POST /predict in all its forms: Accept, strict, explain, and bodies that are answered as they arrive.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <thread>

#include "base/value.h"
#include "live/sum_bundle_fake.h"
#include "net/raw_client_test.h"
#include "serving/http_service.h"

namespace slipway::serving {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

class PredictFormsTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(live_.Load(bundles_.Write("sum", "1.0.0")));
    HttpServiceOptions options;
    options.listen.http[0] = "127.0.0.1:0";
    options.threads = 1;
    service_ = HttpService::Start(options, live_, metrics_).value();
    service_->MarkStarted();
  }
  static std::string Request(std::string_view path, std::string_view body, std::string_view headers) {
    return "POST " + std::string(path) + " HTTP/1.1\r\nHost: x\r\nX-Request-Id: id-1\r\n" + std::string(headers) +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
  }
  net::RawAnswer Post(std::string_view path, std::string_view body, std::string_view headers = "") {
    return net::RawClient(service_->port()).Ask(Request(path, body, headers));
  }
  /// Sends half, waits for the answer to begin, sends the rest.
  net::RawAnswer PostInPieces(std::string_view path, std::string_view body, std::string_view headers) {
    net::RawClient client(service_->port());
    const std::string request = Request(path, body, headers);
    const size_t first = request.size() - body.size() + body.size() / 2;
    client.Send(std::string_view(request).substr(0, first));
    net::RawAnswer answer = client.ReadHead();
    client.Send(std::string_view(request).substr(first));
    while (answer.status == 200 && client.ReadChunk(answer)) {
    }
    return answer;
  }
  /// For bodies whose answer comes when they are whole.
  net::RawAnswer PostSlowly(std::string_view path, std::string_view body, std::string_view headers) {
    net::RawClient client(service_->port());
    const std::string request = Request(path, body, headers);
    client.Send(std::string_view(request).substr(0, request.size() - body.size() / 2));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return client.Ask(std::string_view(request).substr(request.size() - body.size() / 2));
  }

  live::SumBundles bundles_;
  telemetry::MetricRegistry metrics_;
  live::LiveSet live_{bundles_.engines()};
  std::unique_ptr<HttpService> service_;
};

constexpr std::string_view kRecord = R"({"a":1.5,"b":2,"kind":"x"})";
constexpr std::string_view kTwo = R"([{"a":1,"b":2,"kind":"x"},{"a":-1,"b":2,"kind":"x"}])";
constexpr std::string_view kLines = "{\"a\":1,\"b\":2,\"kind\":\"x\"}\n{\"a\":-1,\"b\":2,\"kind\":\"x\"}\n";
constexpr std::string_view kNdjson = "Content-Type: application/x-ndjson\r\n";
constexpr std::string_view kCsv = "Content-Type: text/csv\r\n";

TEST_F(PredictFormsTest, AcceptChoosesTheFormOfTheAnswer) {
  const auto lines = Post("/predict/sum", kTwo, "Accept: application/x-ndjson\r\n");
  EXPECT_EQ(lines.Header("Content-Type"), "application/x-ndjson");
  EXPECT_THAT(lines.body,
              StartsWith("{\"row\":0,\"prediction\":{\"sum\":3.0,\"large\":false}}\n{\"row\":1,\"error\":"));
  EXPECT_THAT(Post("/predict/sum", kTwo, "Accept: text/csv\r\n").body,
              StartsWith("sum,large,error\n3.0,false,\n,,\"{"));
  EXPECT_EQ(Post("/predict/sum", kRecord, "Accept: text/csv\r\n").body, "sum,large,error\n3.5,false,\n");
  EXPECT_EQ(Post("/predict/sum", "[]", "Accept: text/csv\r\n").body, "sum,large,error\n");
  EXPECT_THAT(Post("/predict/sum", kLines, std::string(kNdjson) + "Accept: text/csv\r\n").body,
              StartsWith("sum,large,error\n3.0"));
  EXPECT_EQ(Post("/predict/sum", "a,b,kind\n1,2,x\n", std::string(kCsv) + "Accept: application/jsonl\r\n").body,
            "{\"row\":0,\"prediction\":{\"sum\":3.0,\"large\":false}}\n");
}

TEST_F(PredictFormsTest, RowsMayBeAnsweredAsOneDocument) {
  const auto answer = Post("/predict/sum", kLines, std::string(kNdjson) + "Accept: application/json\r\n");
  EXPECT_EQ(answer.Header("Content-Type"), "application/json");
  EXPECT_THAT(answer.body, StartsWith(R"({"model":"sum","version":"1.0.0","request_id":"id-1","predictions":[)"
                                      R"({"sum":3.0,"large":false},null],"errors":[{"row":1,)"));
  ASSERT_TRUE(base::ParseJson(answer.body));
  std::string many = "a,b,kind\n";
  for (int i = 0; i < 3000; ++i) many += i == 2999 ? "-1,1,x\n" : std::to_string(i) + ",1,x\n";
  const auto blocks = PostSlowly("/predict/sum", many, std::string(kCsv) + "Accept: application/json\r\n");
  const auto document = base::ParseJson(blocks.body);
  ASSERT_TRUE(document);
  EXPECT_EQ(document->Find("predictions")->list().size(), 3000u);
  EXPECT_EQ(document->Find("errors")->list()[0].Find("row")->integer(), 2999);
}

TEST_F(PredictFormsTest, WhatCannotBeHadIs406WithWhatCan) {
  const auto answer = Post("/predict/sum", kRecord, "Accept: text/html\r\n");
  EXPECT_EQ(answer.status, 406);
  EXPECT_THAT(answer.body, HasSubstr("application/json, application/x-ndjson, text/csv"));
  EXPECT_THAT(answer.body, HasSubstr("\"code\":\"request.accept\""));
}

TEST_F(PredictFormsTest, StrictFailsTheWholeRequestForOneWrongRow) {
  const auto list = Post("/predict/sum?strict=true", kTwo);
  EXPECT_EQ(list.status, 422);
  EXPECT_THAT(list.body, HasSubstr("\"detail\":\"1 of 2 records break the schema\""));
  EXPECT_THAT(list.body, HasSubstr("\"errors\":[{\"row\":1,\"violations\":[{"));
  EXPECT_EQ(Post("/predict/sum?strict=true", kLines, kNdjson).status, 422);
  EXPECT_EQ(PostSlowly("/predict/sum?strict=true", kLines, kNdjson).status, 422) << "settled by the last row";
  EXPECT_EQ(Post("/predict/sum?strict=true", "a,b,kind\n1,2,x\n", kCsv).body, "sum,large,error\n3.0,false,\n");
  EXPECT_EQ(Post("/predict/sum?strict=false", kTwo).status, 200);
  EXPECT_EQ(Post("/predict/sum?strict=maybe", kTwo).status, 400);
}

TEST_F(PredictFormsTest, ExplainTellsWhereTheTimeWent) {
  const auto document = base::ParseJson(Post("/predict/sum?explain=timing", kRecord).body);
  ASSERT_TRUE(document);
  ASSERT_NE(document->Find("timing_us"), nullptr);
  EXPECT_NE(document->Find("timing_us")->Find("infer"), nullptr);
  EXPECT_NE(document->Find("timing_us")->Find("total"), nullptr);
  EXPECT_THAT(Post("/predict/sum?explain=timing", kTwo).body, HasSubstr("\"timing_us\":{\"decode\":"));
  EXPECT_EQ(Post("/predict/sum?explain=all", kRecord).status, 400);
  EXPECT_EQ(Post("/predict/sum?explain=timing", kLines, kNdjson).status, 400);
}

TEST_F(PredictFormsTest, LinesInPiecesGetTheAnswersOfLinesAtOnce) {
  std::string lines;
  for (int i = 0; i < 700; ++i) {
    lines += i % 50 == 7 ? "{broken\n" : "{\"a\":" + std::to_string(i) + ",\"b\":1,\"kind\":\"x\"}\r\n";
    if (i % 100 == 0) lines += "  \n";
  }
  lines += kRecord;  // no line break behind the last one
  const auto whole = Post("/predict/sum", lines, kNdjson);
  const auto pieces = PostInPieces("/predict/sum", lines, kNdjson);
  EXPECT_EQ(pieces.Header("Transfer-Encoding"), "chunked");
  EXPECT_EQ(pieces.Header("Slipway-Version"), "1.0.0");
  EXPECT_TRUE(pieces.whole);
  EXPECT_EQ(pieces.body, whole.body);
  EXPECT_THAT(whole.body, EndsWith("{\"row\":700,\"prediction\":{\"sum\":3.5,\"large\":false}}\n"));
}

TEST_F(PredictFormsTest, CsvInPiecesGetsTheAnswersOfCsvAtOnce) {
  std::string csv = "kind,a,b\n";
  for (int i = 0; i < 1000; ++i) csv += i % 9 == 0 ? "\"q\",1,2\n" : "x," + std::to_string(i) + ",\"1\"\n";
  const auto whole = Post("/predict/sum", csv, kCsv);
  const auto pieces = PostInPieces("/predict/sum", csv, kCsv);
  EXPECT_EQ(pieces.Header("Transfer-Encoding"), "chunked");
  EXPECT_EQ(pieces.body, whole.body);
}

TEST_F(PredictFormsTest, StreamsOfOneThreadDoNotMixTheirRows) {
  net::RawClient first(service_->port()), second(service_->port());
  const std::string head = Request("/predict/sum", std::string(50, ' '), kNdjson);
  const std::string start = head.substr(0, head.size() - 50);
  const auto line = [](int a) { return "{\"a\":" + std::to_string(a) + ",\"b\":0,\"kind\":\"x\"}\n"; };
  first.Send(start + line(1));
  second.Send(start + line(5));
  auto one = first.ReadHead(), two = second.ReadHead();
  ASSERT_TRUE(first.ReadChunk(one));
  ASSERT_TRUE(second.ReadChunk(two));
  EXPECT_EQ(Post("/predict/sum", kRecord).status, 200);
  first.Send(line(2));
  second.Send(line(6));
  while (first.ReadChunk(one)) {
  }
  while (second.ReadChunk(two)) {
  }
  EXPECT_EQ(one.body,
            "{\"row\":0,\"prediction\":{\"sum\":1.0,\"large\":false}}\n"
            "{\"row\":1,\"prediction\":{\"sum\":2.0,\"large\":false}}\n");
  EXPECT_EQ(two.body,
            "{\"row\":0,\"prediction\":{\"sum\":5.0,\"large\":false}}\n"
            "{\"row\":1,\"prediction\":{\"sum\":6.0,\"large\":false}}\n");
}

TEST_F(PredictFormsTest, AStreamKeepsItsVersionWhenANewOneComes) {
  net::RawClient client(service_->port());
  client.Send("POST /predict/sum HTTP/1.1\r\nHost: x\r\nContent-Type: application/jsonl\r\nContent-Length: 50\r\n\r\n");
  client.Send("{\"a\":1,\"b\":0,\"kind\":\"x\"}\n");
  auto answer = client.ReadHead();
  ASSERT_TRUE(live_.Load(bundles_.Write("sum", "1.1.0")));
  EXPECT_EQ(Post("/predict/sum", kRecord).Header("Slipway-Version"), "1.1.0");
  client.Send("{\"a\":2,\"b\":0,\"kind\":\"x\"}\n");
  while (client.ReadChunk(answer)) {
  }
  EXPECT_EQ(answer.Header("Slipway-Version"), "1.0.0");
  EXPECT_THAT(answer.body, EndsWith("{\"row\":1,\"prediction\":{\"sum\":2.0,\"large\":false}}\n"));
}

TEST_F(PredictFormsTest, ErrorsOfStreamsAreProblemsOrALastLine) {
  EXPECT_EQ(PostInPieces("/predict/none", kLines, kNdjson).status, 404);
  EXPECT_EQ(PostInPieces("/predict/sum", "a,a\n1,2\n1,2\n1,2\n", kCsv).status, 400);
  const auto broken = PostInPieces("/predict/sum", "a,b,kind\n1,2,x\n1,2,x\n1,2,x\n1,2,x\n1,2,\"x\"y\n1,2,x\n", kCsv);
  EXPECT_EQ(broken.status, 200) << "the first rows had been answered";
  EXPECT_FALSE(broken.whole);
  EXPECT_THAT(broken.body, StartsWith("sum,large,error\n"));
  EXPECT_THAT(broken.body, HasSubstr("\n,,\"{\"\"code\"\":\"\"csv.malformed\"\",\"\"message\"\":"));
}

TEST_F(PredictFormsTest, BrokenAndUnknownCodingsAreRefused) {
  EXPECT_EQ(Post("/predict/sum", "xyz", std::string(kNdjson) + "Content-Encoding: gzip\r\n").status, 400);
  EXPECT_EQ(Post("/predict/sum", "xyz", std::string(kNdjson) + "Content-Encoding: br\r\n").status, 415);
}

}  // namespace
}  // namespace slipway::serving
