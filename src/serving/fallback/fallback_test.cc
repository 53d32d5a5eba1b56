// What answers when a model cannot.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "serving/fallback/circuit_breaker.h"
#include "serving/http_service_fixture.h"

namespace slipway::serving {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kRecord = R"({"a":1,"b":2,"kind":"x"})";
constexpr std::string_view kConstant = "fallback: [{constant: {sum: 7, large: true}}]\n";

class FallbackTest : public HttpServiceFixture {
 protected:
  void SetUp() override {
    bundles_.run_hook = [this]() -> base::Result<void> {
      ++runs_;
      if (failures_ > 0) {
        --failures_;
        return base::Fail(base::Code::kInternal, "engine.run", "out of order");
      }
      return {};
    };
  }
  void LoadInVain(const std::string& name, const std::string& version, const std::string& more) {
    bundles_.load_hook = []() -> base::Result<void> {
      return base::Fail(base::Code::kInvalidArgument, "engine.model", "no such operator");
    };
    EXPECT_FALSE(live_.Load(bundles_.Write(name, version, more)));
    bundles_.load_hook = nullptr;
  }
  net::RawAnswer Ask() { return Post("/predict/sum", kRecord); }
  std::atomic<int> failures_{0}, runs_{0};
};

TEST_F(FallbackTest, AConstantAnswersForAModelThatFails) {
  Load("sum", "1.0.0", std::string(kConstant));
  failures_ = 1;
  const auto answer = Ask();
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body,
              HasSubstr(R"("prediction":{"sum":7.0,"large":true},"fallback":{"reason":"engine","from":"sum@1.0.0"})"));
  EXPECT_EQ(answer.Header("Slipway-Fallback"), "reason=engine; from=sum@1.0.0");
  EXPECT_THAT(Ask().body, HasSubstr(R"("prediction":{"sum":3.0,"large":false}})"));
  const auto metrics = Get("/metrics").body;
  EXPECT_THAT(metrics,
              HasSubstr(R"(slipway_fallbacks_total{model="sum",version="1.0.0",reason="engine",answer="constant"} 1)"));
  EXPECT_THAT(
      metrics,
      HasSubstr(R"(slipway_prediction_errors_total{model="sum",version="1.0.0",door="native",code="engine.run"} 1)"));
  EXPECT_THAT(LogText(), HasSubstr(R"("fallback":"engine")"));
}

TEST_F(FallbackTest, ThePreviousVersionAnswersUnderItsOwnName) {
  Load("sum", "1.0.0");
  Load("sum", "1.1.0", "fallback: [{version: previous}]\n");
  Start();
  failures_ = 1;
  const auto answer = Ask();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.Header("Slipway-Version"), "1.0.0");
  EXPECT_THAT(answer.body, HasSubstr(R"("version":"1.0.0")"));
  EXPECT_THAT(answer.body,
              HasSubstr(R"("prediction":{"sum":3.0,"large":false},"fallback":{"reason":"engine","from":"sum@1.1.0"})"));
}

TEST_F(FallbackTest, StepsAreTriedInTheirOrder) {
  Load("other", "2.0.0");
  Load("sum", "1.0.0", "fallback: [{model: nobody}, {model: other}, {constant: {sum: 7}}]\n");
  Start();
  failures_ = 1;
  EXPECT_EQ(Ask().Header("Slipway-Model"), "other");
  failures_ = 2;  // the other one fails too
  const auto last = Ask();
  EXPECT_EQ(last.Header("Slipway-Model"), "sum");
  EXPECT_THAT(last.body, HasSubstr(R"("prediction":{"sum":7.0,"large":null})"));
}

TEST_F(FallbackTest, WhenNoneCanAnswerTheErrorIsTheFirstOne) {
  Load("other", "2.0.0");
  Load("sum", "1.0.0", "fallback: [{model: other}]\n");
  Start();
  failures_ = 2;
  const auto answer = Ask();
  EXPECT_EQ(answer.status, 500);
  EXPECT_THAT(answer.body, HasSubstr("engine.run"));
  EXPECT_EQ(answer.Header("Slipway-Fallback"), "");
}

TEST_F(FallbackTest, RejectedInputIsAnsweredOnlyWhenAskedFor) {
  Load("sum", "1.0.0", std::string(kConstant));
  Load("kind", "1.0.0", "fallback: [{constant: {sum: 0, large: false}, on: [rejected]}]\n");
  Start();
  constexpr std::string_view kWrong = R"({"a":-1,"b":2,"kind":"x"})";
  EXPECT_EQ(Post("/predict/sum", kWrong).status, 422);
  const auto answer = Post("/predict/kind", kWrong);
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body, HasSubstr(R"("prediction":{"sum":0.0,"large":false},"fallback":{"reason":"rejected")"));
  EXPECT_THAT(Post("/v1/models/kind:predict", R"({"instances":[{"a":-1,"b":2,"kind":"x"}]})").body,
              HasSubstr("predictions"));
}

TEST_F(FallbackTest, OtherProtocolsAreAnsweredInTheirShape) {
  Load("sum", "1.0.0", std::string(kConstant));
  Start();
  failures_ = 3;
  EXPECT_THAT(Post("/invocations", R"({"dataframe_records":[{"a":1,"b":2,"kind":"x"}]})").body,
              HasSubstr(R"({"predictions":[{"sum":7.0,"large":true}]})"));
  EXPECT_THAT(Post("/v1/models/sum:predict", R"({"instances":[{"a":1,"b":2,"kind":"x"}]})").body, HasSubstr("7"));
  const auto oip = Post("/v2/models/sum/infer", R"({"inputs":[{"name":"a","datatype":"FP64","shape":[1,1],"data":[1]},)"
                                                R"({"name":"b","datatype":"FP64","shape":[1,1],"data":[2]},)"
                                                R"({"name":"kind","datatype":"BYTES","shape":[1,1],"data":["x"]}]})");
  EXPECT_THAT(oip.body, HasSubstr(R"("fallback":{"reason":"engine","from":"sum@1.0.0"})"));
  EXPECT_EQ(failures_, 0);
}

TEST_F(FallbackTest, AModelThatKeepsFailingIsLeftAlone) {
  Load("sum", "1.0.0", std::string(kConstant));
  Start();
  failures_ = 1000;
  runs_ = 0;
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Ask().status, 200);
  EXPECT_EQ(runs_, 5);
  EXPECT_THAT(Ask().body, HasSubstr(R"("reason":"breaker")"));
  EXPECT_THAT(Get("/models/sum").body, HasSubstr(R"("breaker": "open")"));
  EXPECT_THAT(Get("/metrics").body, HasSubstr(R"(slipway_breaker_open{model="sum",version="1.0.0"} 1)"));
  failures_ = 0;
  std::this_thread::sleep_for(std::chrono::milliseconds(1050));
  EXPECT_THAT(Ask().body, Not(HasSubstr("fallback")));
}

TEST_F(FallbackTest, ATimeoutIsAnsweredInTime) {
  Load("sum", "1.0.0", "limits: {timeout: 60ms}\n" + std::string(kConstant));
  bundles_.run_hook = []() -> base::Result<void> {
    std::this_thread::sleep_for(std::chrono::milliseconds(70));
    return base::Fail(base::Code::kDeadlineExceeded, "scoring.deadline", "late");
  };
  EXPECT_THAT(Ask().body, HasSubstr(R"("fallback":{"reason":"timeout")"));
}

TEST_F(FallbackTest, CallersInAHurryDoNotHaveTheModelLeftAlone) {
  Load("sum", "1.0.0", "limits: {timeout: 10s}\n" + std::string(kConstant));
  constexpr std::string_view kHurry =
      R"({"parameters":{"timeout":1},"inputs":[{"name":"a","datatype":"FP64","shape":[1],"data":[1]},)"
      R"({"name":"b","datatype":"FP64","shape":[1],"data":[2]},{"name":"kind","datatype":"BYTES","shape":[1],"data":["x"]}]})";
  for (int i = 0; i < 2 * CircuitBreaker::kInARow; ++i) {
    EXPECT_THAT(Post("/v2/models/sum/infer", kHurry).body, HasSubstr(R"("fallback":{"reason":"timeout")"));
  }
  EXPECT_THAT(Ask().body, Not(HasSubstr("fallback")));
}

class OldAnswers : public FallbackTest {
 protected:
  void StartWithCache() {
    HttpServiceOptions options;
    options.cache = {.memory = base::Bytes{1 << 20}, .lifetime = std::chrono::milliseconds(1)};
    Start(options);
  }
  net::RawAnswer AskLater(std::string_view path = "/predict/sum") {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return Post(path, kRecord);
  }
};

TEST_F(OldAnswers, AreGivenAgainWhenTheModelFails) {
  Load("sum", "1.0.0", "fallback: [{cached: 10m}, {constant: {sum: 7}}]\n");
  StartWithCache();
  failures_ = 1;
  EXPECT_THAT(Ask().body, HasSubstr("7.0")) << "nothing was answered before";
  EXPECT_THAT(Ask().body, Not(HasSubstr("fallback")));
  failures_ = 1;
  const auto again = AskLater();
  EXPECT_EQ(again.status, 200);
  EXPECT_THAT(again.body, HasSubstr(R"("prediction":{"sum":3.0,"large":false},)"
                                    R"("fallback":{"reason":"engine","from":"sum@1.0.0"}})"));
  EXPECT_EQ(again.Header("Slipway-Fallback"), "reason=engine; from=sum@1.0.0");
  EXPECT_EQ(again.Header("Slipway-Cache"), "old");
  EXPECT_EQ(again.Header("Age"), "0");
  EXPECT_EQ(failures_, 0);
  EXPECT_THAT(AskLater().body, Not(HasSubstr("fallback"))) << "and once it works it is asked again";
  EXPECT_THAT(Get("/metrics").body,
              HasSubstr(R"(slipway_fallbacks_total{model="sum",version="1.0.0",reason="engine",answer="cached"} 1)"));
}

TEST_F(OldAnswers, OfTheVersionBeforeSayWhoseTheyAre) {
  Load("sum", "1.0.0", "fallback: [{cached: 10m}]\n");
  StartWithCache();
  ASSERT_EQ(Ask().status, 200);
  Load("sum", "1.1.0", "fallback: [{cached: 10m}]\n");
  failures_ = 1;
  const auto again = AskLater();
  EXPECT_EQ(again.Header("Slipway-Version"), "1.0.0");
  EXPECT_THAT(again.body, HasSubstr(R"("version":"1.0.0")"));
  EXPECT_THAT(again.body, HasSubstr(R"("from":"sum@1.1.0")"));
}

TEST_F(OldAnswers, OfOtherProtocolsAreMarkedByTheirHeader) {
  Load("sum", "1.0.0", "fallback: [{cached: 10m}]\n");
  StartWithCache();
  constexpr std::string_view kTensors = R"({"inputs":[{"name":"a","shape":[1],"datatype":"FP64","data":[1]},)"
                                        R"({"name":"b","shape":[1],"datatype":"FP64","data":[2]},)"
                                        R"({"name":"kind","shape":[1],"datatype":"BYTES","data":["x"]}]})";
  const auto first = Post("/v2/models/sum/infer", kTensors);
  ASSERT_EQ(first.status, 200) << first.body;
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  failures_ = 1;
  const auto again = Post("/v2/models/sum/infer", kTensors);
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.Header("Slipway-Fallback"), "reason=engine; from=sum@1.0.0");
  EXPECT_EQ(failures_, 0);
}

TEST_F(OldAnswers, AreNotTakenWithoutACacheOrFromThoseWhoForbidIt) {
  Load("sum", "1.0.0", "fallback: [{cached: 10m}]\n");
  StartWithCache();
  ASSERT_EQ(Post("/predict/sum", kRecord, "Cache-Control: no-store\r\n").status, 200);
  failures_ = 1;
  EXPECT_EQ(AskLater().status, 500) << "it was not to be kept";
}

TEST_F(FallbackTest, AVersionThatCannotBeLoadedIsAnsweredForByItsConstant) {
  LoadInVain("sum", "1.0.0", std::string(kConstant));
  const auto answer = Ask();
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body,
              HasSubstr(R"("prediction":{"sum":7.0,"large":true},"fallback":{"reason":"load","from":"sum@1.0.0"})"));
  EXPECT_THAT(Post("/invocations", R"({"dataframe_records":[{"a":1,"b":2,"kind":"x"}]})").body,
              HasSubstr(R"({"predictions":[{"sum":7.0,"large":true}]})"));
  EXPECT_THAT(Get("/metrics").body,
              HasSubstr(R"(slipway_fallbacks_total{model="sum",version="1.0.0",reason="load",answer="constant"} 2)"));
}

TEST_F(FallbackTest, AVersionThatCannotBeLoadedIsAnsweredForByAnother) {
  Load("other", "2.0.0");
  LoadInVain("sum", "1.0.0", "fallback: [{model: other}]\n");
  EXPECT_EQ(Ask().Header("Slipway-Fallback"), "reason=load; from=sum@1.0.0");
  EXPECT_EQ(Ask().Header("Slipway-Model"), "other");
}

TEST_F(FallbackTest, WithoutAFallbackTheReasonIsTold) {
  LoadInVain("sum", "1.0.0", "fallback: [{constant: {sum: 7}, on: [timeout]}]\n");
  const auto answer = Ask();
  EXPECT_EQ(answer.status, 503);
  EXPECT_THAT(answer.body, HasSubstr("model.failed"));
  EXPECT_THAT(answer.body, HasSubstr("no such operator"));
  EXPECT_THAT(
      Get("/metrics").body,
      HasSubstr(R"(slipway_prediction_errors_total{model="sum",version="1.0.0",door="native",code="model.failed"} 1)"));
}

TEST_F(FallbackTest, WhileAnOlderVersionIsReadyItAnswersAndNoFallbackDoes) {
  Load("sum", "1.0.0");
  LoadInVain("sum", "1.1.0", std::string(kConstant));
  EXPECT_THAT(Ask().body, HasSubstr(R"("prediction":{"sum":3.0,"large":false}})"));
  EXPECT_THAT(Post("/predict/sum@1.1.0", kRecord).body, HasSubstr(R"("fallback":{"reason":"load")"));
}

TEST_F(FallbackTest, AnswersOfAFallbackAreNotKept) {
  Load("sum", "1.0.0", std::string(kConstant));
  HttpServiceOptions options;
  options.cache.memory = base::Bytes{1 << 20};
  Start(options);
  failures_ = 1;
  EXPECT_THAT(Ask().body, HasSubstr("7.0"));
  EXPECT_THAT(Ask().body, HasSubstr("3.0"));
}

}  // namespace
}  // namespace slipway::serving
