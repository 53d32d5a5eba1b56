#include "serving/request_tracer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "base/value.h"
#include "net/route_table.h"
#include "serving/http_service_fixture.h"
#include "telemetry/otlp/span_sender_fake.h"

namespace slipway::serving {
namespace {

using base::Value;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view kSampled = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
constexpr std::string_view kUnsampled = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

class RequestTracerTest : public testing::Test {
 protected:
  void SetUp() override { Share(0); }
  void Share(double share) {
    telemetry::otlp::Options options;
    options.url = "http://collector/v1/traces";
    auto exporter = telemetry::otlp::SpanExporter::Start(
        options, std::make_unique<telemetry::otlp::FakeSender>(collector_), 1, metrics_, telemetry::Log::Discard());
    ASSERT_TRUE(exporter);
    tracer_ = RequestTracer(std::move(*exporter), {.share = share}, "http");
    request_.method = net::Method::kPost;
    request_.path = "/predict/sum";
    request_.query = "token=secret";
    request_.target = "/predict/sum?token=secret";
    request_.id = "id-1";
    request_.received = base::Clock::System().Now();
    route_.pattern = "/predict/{model}";
    route_.permission = "predict";
    request_.route = &route_;
    note_.model = "sum";
    note_.version = "1.0.0";
    note_.rows = 3;
    note_.rejected = 1;
    note_.outcome = Outcome::kPartial;
    note_.begun = request_.received + std::chrono::microseconds(10);
    note_.spent[Phase::kDecode] = 1000;
    note_.spent[Phase::kInfer] = 5000;
  }
  /// The spans that leave after one request.
  base::ValueList Trace() {
    tracer_.Begin(request_, response_);
    tracer_.End(request_, response_, note_, std::chrono::microseconds(100));
    tracer_.Stop();
    const auto bodies = collector_.bodies();
    if (bodies.empty()) return {};
    const auto body = base::ParseJson(bodies[0]);
    EXPECT_TRUE(body) << body.error().Text();
    return body->Find("resourceSpans")->list()[0].Find("scopeSpans")->list()[0].Find("spans")->list();
  }
  static std::string Attribute(const Value& span, std::string_view key) {
    for (const Value& attribute : span.Find("attributes")->list()) {
      if (attribute.Find("key")->string() == key) return attribute.Find("value")->map()[0].second.string();
    }
    return "";
  }

  telemetry::MetricRegistry metrics_;
  telemetry::otlp::FakeCollector collector_;
  RequestTracer tracer_;
  net::Route route_;
  net::Request request_;
  net::Response response_;
  RequestNote note_;
};

TEST_F(RequestTracerTest, ASampledCallersRequestIsASpanOfItsTraceWithItsPhases) {
  request_.traceparent = kSampled;
  const auto spans = Trace();
  ASSERT_EQ(spans.size(), 3u);
  EXPECT_EQ(spans[0].Find("traceId")->string(), "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(spans[0].Find("parentSpanId")->string(), "00f067aa0ba902b7");
  EXPECT_EQ(spans[0].Find("name")->string(), "POST /predict/{model}");
  EXPECT_EQ(spans[0].Find("kind")->integer(), 2);
  EXPECT_EQ(spans[1].Find("name")->string(), "decode");
  EXPECT_EQ(spans[2].Find("name")->string(), "infer");
  EXPECT_EQ(
      std::stoll(spans[2].Find("endTimeUnixNano")->string()) - std::stoll(spans[0].Find("startTimeUnixNano")->string()),
      16'000);
  EXPECT_EQ(response_.header_text(), "traceresponse: " + request_.trace->Format() + "\r\n");
  EXPECT_THAT(request_.trace->Format(), StartsWith("00-4bf92f3577b34da6a3ce929d0e0e4736-"));
  EXPECT_EQ(request_.trace->SpanIdHex(), spans[0].Find("spanId")->string());
}

TEST_F(RequestTracerTest, ASpanSaysWhatHappenedButNoQuery) {
  request_.traceparent = kSampled;
  const auto spans = Trace();
  ASSERT_FALSE(spans.empty());
  const Value& span = spans[0];
  EXPECT_EQ(Attribute(span, "http.request.method"), "POST");
  EXPECT_EQ(Attribute(span, "http.route"), "/predict/{model}");
  EXPECT_EQ(Attribute(span, "url.path"), "/predict/sum");
  EXPECT_EQ(Attribute(span, "http.response.status_code"), "200");
  EXPECT_EQ(Attribute(span, "slipway.model.version"), "1.0.0");
  EXPECT_EQ(Attribute(span, "slipway.door"), "native");
  EXPECT_EQ(Attribute(span, "slipway.outcome"), "partial");
  EXPECT_EQ(Attribute(span, "slipway.rows"), "3");
  EXPECT_EQ(Attribute(span, "slipway.request.id"), "id-1");
  EXPECT_EQ(Attribute(span, "error.type"), "");
  EXPECT_THAT(collector_.bodies()[0], Not(HasSubstr("secret")));
}

TEST_F(RequestTracerTest, AnErrorIsNamedAndOneOfOursMarksTheSpan) {
  request_.traceparent = kSampled;
  response_.status = 500;
  note_.code = "engine.run";
  const auto spans = Trace();
  ASSERT_FALSE(spans.empty());
  EXPECT_EQ(Attribute(spans[0], "error.type"), "engine.run");
  EXPECT_EQ(spans[0].Find("status")->Find("code")->integer(), 2);
}

TEST_F(RequestTracerTest, ACallersErrorDoesNotMarkTheSpan) {
  request_.traceparent = kSampled;
  response_.status = 404;
  note_ = {};
  request_.path = "/predict/jane@example.org";
  const auto spans = Trace();
  ASSERT_EQ(spans.size(), 1u);
  EXPECT_EQ(Attribute(spans[0], "error.type"), "404");
  EXPECT_EQ(spans[0].Find("status"), nullptr);
  EXPECT_THAT(collector_.bodies()[0], Not(HasSubstr("jane")));
}

TEST_F(RequestTracerTest, AnUnsampledCallersRequestIsNotSentWhateverTheShare) {
  Share(1);
  request_.traceparent = kUnsampled;
  EXPECT_TRUE(Trace().empty());
  EXPECT_THAT(response_.header_text(), StartsWith("traceresponse: 00-4bf92f3577b34da6a3ce929d0e0e4736-"));
  EXPECT_THAT(response_.header_text(), testing::EndsWith("-00\r\n"));
}

TEST_F(RequestTracerTest, NewTracesBeginForPredictionsAndNotForProbes) {
  Share(1);
  route_.permission = "public";
  tracer_.Begin(request_, response_);
  EXPECT_EQ(request_.trace, std::nullopt);
  route_.permission = "predict";
  const auto spans = Trace();
  ASSERT_FALSE(spans.empty());
  EXPECT_EQ(spans[0].Find("parentSpanId"), nullptr);
}

TEST_F(RequestTracerTest, WithoutACollectorTheCallersTraceIsKnownAllTheSame) {
  RequestTracer silent;
  request_.traceparent = kSampled;
  silent.Begin(request_, response_);
  EXPECT_THAT(response_.header_text(), StartsWith("traceresponse: 00-4bf92f3577b34da6a3ce929d0e0e4736-"));
  EXPECT_FALSE(request_.trace->sampled());
  silent.End(request_, response_, note_, {});
  silent.Stop();
}

class TracedServiceTest : public HttpServiceFixture {};

TEST_F(TracedServiceTest, TheAnswerAndTheLogCarryTheCallersTrace) {
  const auto answer =
      Post("/predict/sum", R"({"a":1,"b":2,"kind":"x"})", "traceparent: " + std::string(kSampled) + "\r\n");
  const std::string sent = answer.Header("traceresponse");
  ASSERT_THAT(sent, StartsWith("00-4bf92f3577b34da6a3ce929d0e0e4736-"));
  const std::string text = LogText();
  EXPECT_THAT(text, HasSubstr("\"trace_id\":\"4bf92f3577b34da6a3ce929d0e0e4736\",\"span_id\":\"" + sent.substr(36, 16) +
                              "\",\"parent_span_id\":\"00f067aa0ba902b7\""));
}

TEST_F(TracedServiceTest, ARefusalOfTheServerItselfCarriesItToo) {
  const auto answer = Get("/nothing", "traceparent: " + std::string(kSampled) + "\r\n");
  EXPECT_EQ(answer.status, 404);
  EXPECT_THAT(answer.Header("traceresponse"), StartsWith("00-4bf92f3577b34da6a3ce929d0e0e4736-"));
}

TEST_F(TracedServiceTest, ABrokenTraceparentIsAsGoodAsNone) {
  const auto answer = Get("/livez", "traceparent: 00-zz-01\r\n");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.Header("traceresponse"), "");
  EXPECT_THAT(LogText(), Not(HasSubstr("trace_id")));
}

TEST_F(TracedServiceTest, ATraceDoesNotStickToTheNextRequestOfTheThread) {
  Start();
  net::RawClient client(service_->port());
  client.Ask("GET /livez HTTP/1.1\r\nHost: x\r\ntraceparent: " + std::string(kSampled) + "\r\n\r\n");
  EXPECT_EQ(client.Ask("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n").Header("traceresponse"), "");
}

}  // namespace
}  // namespace slipway::serving
