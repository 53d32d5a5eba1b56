#include "serving/cache/cached_call.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serving/http_service_fixture.h"

namespace slipway::serving {
namespace {

using testing::HasSubstr;
using testing::Not;

class CachedCallTest : public HttpServiceFixture {
 protected:
  void StartWithCache(std::chrono::nanoseconds lifetime = {}) {
    bundles_.run_hook = [this]() -> base::Result<void> {
      ++runs_;
      return {};
    };
    HttpServiceOptions options;
    options.cache = {.memory = {1 << 20}, .lifetime = lifetime};
    Start(std::move(options));
    runs_ = 0;
  }
  static std::string Record(int a) { return R"({"a":)" + std::to_string(a) + R"(,"b":2,"kind":"x"})"; }

  std::atomic<int> runs_ = 0;
};

TEST_F(CachedCallTest, TheSameBytesGetTheSameAnswerWithoutScoring) {
  StartWithCache();
  const auto first = Post("/predict/sum", Record(1), "X-Request-Id: one\r\n");
  const auto second = Post("/predict/sum", Record(1), "X-Request-Id: the-second\r\n");
  EXPECT_EQ(runs_, 1);
  EXPECT_EQ(first.Header("Slipway-Cache"), "");
  EXPECT_EQ(second.Header("Slipway-Cache"), "hit");
  EXPECT_EQ(second.Header("Slipway-Version"), first.Header("Slipway-Version"));
  EXPECT_EQ(second.Header("Content-Type"), first.Header("Content-Type"));
  EXPECT_THAT(second.body, HasSubstr(R"("request_id":"the-second","prediction":{"sum":3.0)"));
  std::string expected = first.body;
  expected.replace(expected.find("one"), 3, "the-second");
  EXPECT_EQ(second.body, expected);
}

TEST_F(CachedCallTest, OtherBytesAreScored) {
  StartWithCache();
  Post("/predict/sum", Record(1));
  EXPECT_THAT(Post("/predict/sum", Record(2)).body, HasSubstr("\"sum\":4.0"));
  EXPECT_EQ(runs_, 2);
}

TEST_F(CachedCallTest, EachFormOfAnswerIsKeptApart) {
  StartWithCache();
  const std::string list = "[" + Record(1) + "]";
  const auto json = Post("/predict/sum", list);
  const auto lines = Post("/predict/sum", list, "Accept: application/jsonl\r\n");
  EXPECT_NE(json.body.substr(0, 10), lines.body.substr(0, 10));
  EXPECT_EQ(Post("/predict/sum", list, "Accept: application/jsonl\r\n").body, lines.body);
  EXPECT_EQ(runs_, 2);
  EXPECT_EQ(Post("/predict/sum?strict=true", list).status, 200);
  EXPECT_EQ(runs_, 3);
}

TEST_F(CachedCallTest, EveryDoorHasItsAnswersKept) {
  StartWithCache();
  const std::string oip =
      R"({"id":"x","inputs":[{"name":"a","shape":[1],"datatype":"FP64","data":[1]},)"
      R"({"name":"b","shape":[1],"datatype":"FP64","data":[2]},{"name":"kind","shape":[1],"datatype":"BYTES","data":["x"]}]})";
  const std::string instances = R"({"instances":[)" + Record(1) + "]}";
  const std::string split = R"({"dataframe_records":[)" + Record(1) + "]}";
  for (const auto& [path, body] : {std::pair("/v2/models/sum/infer", oip),
                                   std::pair("/v1/models/sum:predict", instances), std::pair("/invocations", split)}) {
    const auto first = Post(path, body, "Content-Type: application/json\r\n");
    const auto second = Post(path, body, "Content-Type: application/json\r\n");
    EXPECT_EQ(first.status, 200) << first.body;
    EXPECT_EQ(second.body, first.body);
    EXPECT_EQ(second.Header("Slipway-Cache"), "hit") << path;
  }
  EXPECT_EQ(runs_, 3);
}

TEST_F(CachedCallTest, RejectedRowsAreJudgedAnew) {
  StartWithCache();
  EXPECT_EQ(Post("/predict/sum", Record(-1)).status, 422);
  const auto again = Post("/predict/sum", Record(-1));
  EXPECT_EQ(again.status, 422);
  EXPECT_EQ(again.Header("Slipway-Cache"), "");
  const std::string some = "[" + Record(1) + "," + Record(-1) + "]";
  Post("/predict/sum", some);
  EXPECT_EQ(Post("/predict/sum", some).Header("Slipway-Cache"), "");
}

TEST_F(CachedCallTest, CallersMayAskForANewAnswer) {
  StartWithCache();
  Post("/predict/sum", Record(1));
  EXPECT_EQ(Post("/predict/sum", Record(1), "Cache-Control: no-cache\r\n").Header("Slipway-Cache"), "");
  EXPECT_EQ(runs_, 2);
  EXPECT_EQ(Post("/predict/sum", Record(2), "Cache-Control: no-store\r\n").status, 200);
  EXPECT_EQ(Post("/predict/sum", Record(2)).Header("Slipway-Cache"), "");
  Post("/predict/sum?explain=timing", Record(3));
  EXPECT_EQ(Post("/predict/sum?explain=timing", Record(3)).Header("Slipway-Cache"), "");
}

TEST_F(CachedCallTest, AnotherVersionNeverGivesTheAnswersOfTheOneBefore) {
  StartWithCache();
  const auto before = Post("/predict/sum", Record(1));
  ASSERT_TRUE(live_.Load(bundles_.Write("sum", "9.0.0")));
  const auto after = Post("/predict/sum", Record(1));
  EXPECT_EQ(after.Header("Slipway-Cache"), "");
  EXPECT_THAT(after.body, HasSubstr("9.0.0"));
  EXPECT_THAT(before.body, Not(HasSubstr("9.0.0")));
  EXPECT_THAT(Post("/predict/sum", Record(1)).body, HasSubstr("9.0.0"));
}

TEST_F(CachedCallTest, HitsAreCountedLikeOtherCalls) {
  StartWithCache();
  for (int i = 0; i < 3; ++i) Post("/predict/sum", "[" + Record(1) + "," + Record(2) + "]");
  std::string text;
  metrics_.WriteText(text);
  EXPECT_THAT(text, HasSubstr("outcome=\"hit\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("outcome=\"miss\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("door=\"native\",outcome=\"scored\"} 6\n"));
  EXPECT_THAT(text, HasSubstr("slipway_cache_entries 1\n"));
}

}  // namespace
}  // namespace slipway::serving
