// Streams of rows for heavy models: other threads work on them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "serving/compute/heavy_models_fixture.h"

namespace slipway::serving {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::string_view kLines = "Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n";

class HeavyStreamsTest : public HeavyModelsFixture {
 protected:
  net::RawClient Begin(std::string_view type = kLines) {
    net::RawClient client(service_->port());
    client.Send("POST /predict/sum HTTP/1.1\r\nHost: x\r\n" + std::string(type) + "\r\n");
    return client;
  }
  static std::string Chunk(std::string_view text) {
    char size[16];
    std::snprintf(size, sizeof size, "%zx\r\n", text.size());
    return size + std::string(text) + "\r\n";
  }
  static std::string Line(int a) { return R"({"a":)" + std::to_string(a) + R"(,"b":2,"kind":"x"})" + "\n"; }
};

TEST_F(HeavyStreamsTest, RowsAreAnsweredInOrderByOtherThreads) {
  StartHeavy();
  gate_.Open();
  std::string body;
  for (int i = 0; i < 2000; ++i) body += Line(i);
  auto client = Begin();
  client.Send(Chunk(body) + "0\r\n\r\n");
  const auto answer = client.Read();
  ASSERT_EQ(answer.status, 200);
  EXPECT_EQ(answer.Header("Content-Type"), "application/x-ndjson");
  EXPECT_EQ(answer.Header("Slipway-Version"), "1.0.0");
  EXPECT_THAT(answer.body, StartsWith(R"({"row":0,"prediction":{"sum":2.0)"));
  EXPECT_THAT(answer.body, HasSubstr("\n"
                                     R"({"row":1234,"prediction":{"sum":1236.0)"));
  EXPECT_EQ(std::ranges::count(answer.body, '\n'), 2000);
  EXPECT_THAT(
      Get("/metrics").body,
      HasSubstr(R"(slipway_prediction_rows_total{model="sum",version="1.0.0",door="native",outcome="scored"} 2002)"));
}

TEST_F(HeavyStreamsTest, TheSameRowsInOneBodyGetTheSameAnswer) {
  StartHeavy();
  gate_.Open();
  const std::string csv = "a,b,kind\n1,2,x\n-1,2,x\n5,6,\"x\"\n";
  const auto whole = Post("/predict/sum", csv, "Content-Type: text/csv\r\n");
  auto client = Begin("Content-Type: text/csv\r\nTransfer-Encoding: chunked\r\n");
  for (size_t at = 0; at < csv.size(); at += 7) client.Send(Chunk(csv.substr(at, 7)));
  client.Send("0\r\n\r\n");
  EXPECT_EQ(client.Read().body, whole.body);
}

TEST_F(HeavyStreamsTest, OthersAreAnsweredWhileTheModelRuns) {
  StartHeavy();
  auto client = Begin();
  client.Send(Chunk(Line(1)));
  gate_.Await(runs_ + 1);
  EXPECT_EQ(Get("/livez").status, 200);
  client.Send(Chunk(Line(2)) + "0\r\n\r\n");
  EXPECT_EQ(Runs(), 1) << "one piece at a time";
  gate_.Open();
  EXPECT_EQ(std::ranges::count(client.Read().body, '\n'), 2);
}

TEST_F(HeavyStreamsTest, ACallGoesBeforeTheNextPieceOfAStream) {
  StartHeavy();
  auto first = Send();
  gate_.Await(runs_ + 1);
  auto stream = Begin();
  stream.Send(Chunk(Line(1)) + "0\r\n\r\n");
  AwaitBeforeModel(1);
  auto second = Send();
  AwaitBeforeModel(2);
  gate_.LetOne();
  EXPECT_EQ(first.Read().status, 200);
  gate_.LetOne();
  EXPECT_EQ(second.Read().status, 200);
  gate_.Open();
  EXPECT_EQ(stream.Read().status, 200);
}

TEST_F(HeavyStreamsTest, AFailureIsTheLastLine) {
  StartHeavy();
  gate_.Open();
  auto client = Begin();
  client.Send(Chunk(Line(1)));
  auto answer = client.ReadHead();
  ASSERT_TRUE(client.ReadChunk(answer));
  bundles_.run_hook = [] { return base::Fail(base::Code::kInternal, "engine.run", "out of order"); };
  client.Send(Chunk(Line(2)));
  while (client.ReadChunk(answer)) {
  }
  EXPECT_FALSE(answer.whole);
  EXPECT_THAT(answer.body, EndsWith("}\n"));
  EXPECT_THAT(answer.body, HasSubstr(R"({"error":{"code":"engine.run")"));
}

TEST_F(HeavyStreamsTest, AClientThatGoesIsForgottenAndCountedOnce) {
  StartHeavy();
  auto client = Begin();
  client.Send(Chunk(Line(1)));
  gate_.Await(runs_ + 1);
  client.Reset();
  constexpr std::string_view kFailed =
      R"(slipway_prediction_errors_total{model="sum",version="1.0.0",door="native",code="http.cut_short"} 1)";
  while (Get("/metrics").body.find(kFailed) == std::string::npos) std::this_thread::yield();
  gate_.Open();
  EXPECT_EQ(Post("/predict/sum", kRecord).status, 200);
}

}  // namespace
}  // namespace slipway::serving
