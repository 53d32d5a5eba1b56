#include "telemetry/otlp/span_exporter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "base/files.h"
#include "base/value.h"
#include "telemetry/otlp/span_sender_fake.h"

namespace slipway::telemetry::otlp {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::SizeIs;
using Answer = SpanSender::Answer;
using Outcome = SpanSender::Outcome;

class SpanExporterTest : public testing::Test {
 protected:
  void Start(int threads = 1) {
    auto started = SpanExporter::Start(options_, std::make_unique<FakeSender>(collector_), threads, metrics_, *log_);
    ASSERT_TRUE(started) << started.error().Text();
    exporter_ = std::move(*started);
  }
  /// Makes a span with one part; false when it was dropped.
  bool Make(int thread = 0) {
    Span* span = exporter_->Reserve(thread, 2);
    if (span == nullptr) return false;
    span->context = TraceContext::NewRoot();
    span->name = "POST /predict/{model}";
    span->Add("slipway.rows", int64_t{3});
    span->parts.push_back({.name = "infer", .start = 1, .end = 2});
    exporter_->Publish(thread);
    return true;
  }
  std::string Metrics() const {
    std::string text;
    metrics_.WriteText(text);
    return text;
  }
  bool Counts(std::string_view series, int value) const {
    return Metrics().find("slipway_otlp_spans_" + std::string(series) + " " + std::to_string(value) + "\n") !=
           std::string::npos;
  }
  bool WaitUntilCounts(std::string_view series, int value) const {
    for (int i = 0; i < 1000 && !Counts(series, value); ++i) std::this_thread::sleep_for(milliseconds(5));
    return Counts(series, value);
  }
  std::string LogText() {
    log_->Flush();
    return base::ReadFile(folder_.path() / "log").value();
  }

  Options options_ = [] {
    Options options;
    options.url = "http://collector/v1/traces";
    options.delay = milliseconds(5);
    options.backoff = milliseconds(10);
    options.flush_timeout = milliseconds(300);
    options.queue_spans = 64;
    return options;
  }();
  base::TemporaryFolder folder_ = *base::TemporaryFolder::Create();
  std::unique_ptr<Log> log_ = *Log::Open({.path = (folder_.path() / "log").string()});
  MetricRegistry metrics_;
  FakeCollector collector_;
  std::unique_ptr<SpanExporter> exporter_;
};

TEST_F(SpanExporterTest, SpansOfAllThreadsArriveWithTheirParts) {
  Start(2);
  EXPECT_TRUE(Make(0));
  EXPECT_TRUE(Make(1));
  EXPECT_TRUE(WaitUntilCounts("exported_total", 4));
  exporter_->Stop();
  const auto body = base::ParseJson(collector_.bodies().at(0));
  ASSERT_TRUE(body) << body.error().Text();
  const auto& spans = body->Find("resourceSpans")->list()[0].Find("scopeSpans")->list()[0].Find("spans")->list();
  EXPECT_EQ(spans[0].Find("name")->string(), "POST /predict/{model}");
  EXPECT_EQ(spans[1].Find("name")->string(), "infer");
  EXPECT_EQ(*spans[1].Find("parentSpanId"), *spans[0].Find("spanId"));
  EXPECT_EQ(*spans[1].Find("traceId"), *spans[0].Find("traceId"));
}

TEST_F(SpanExporterTest, WhatWaitsAtTheEndIsSent) {
  options_.delay = seconds(60);
  Start();
  EXPECT_TRUE(Make());
  exporter_->Stop();
  EXPECT_THAT(collector_.bodies(), SizeIs(1));
  EXPECT_TRUE(Counts("exported_total", 2));
}

TEST_F(SpanExporterTest, AHalfFullQueueDoesNotWaitForTheDelay) {
  options_.delay = seconds(60);
  Start();
  for (int i = 0; i < 32; ++i) EXPECT_TRUE(Make());
  EXPECT_TRUE(WaitUntilCounts("exported_total", 64));
}

TEST_F(SpanExporterTest, ABusyCollectorIsTriedAgain) {
  collector_.Script({{.outcome = Outcome::kRetry, .text = "answered 503"}, {.outcome = Outcome::kRetry, .text = ""}});
  Start();
  EXPECT_TRUE(Make());
  EXPECT_TRUE(WaitUntilCounts("exported_total", 2));
  EXPECT_THAT(collector_.bodies(), SizeIs(3));
  EXPECT_THAT(LogText(), HasSubstr("otlp.failing"));
  EXPECT_THAT(LogText(), HasSubstr("otlp.recovered"));
}

TEST_F(SpanExporterTest, WaitsAsLongAsTheCollectorAsks) {
  collector_.Script({{.outcome = Outcome::kRetry, .retry_after = milliseconds(300), .text = "answered 429"}});
  Start();
  const auto before = base::Clock::System().Now();
  EXPECT_TRUE(Make());
  EXPECT_TRUE(WaitUntilCounts("exported_total", 2));
  EXPECT_GE(base::Clock::System().Now() - before, milliseconds(300));
}

TEST_F(SpanExporterTest, GivesABatchUpAfterItsAttempts) {
  options_.attempts = 3;
  collector_.Script({{.text = "refused"}, {.text = "refused"}, {.text = "refused"}});
  Start();
  EXPECT_TRUE(Make());
  EXPECT_TRUE(WaitUntilCounts("dropped_total{reason=\"undelivered\"}", 2));
  EXPECT_TRUE(Make());
  EXPECT_TRUE(WaitUntilCounts("exported_total", 2));
}

TEST_F(SpanExporterTest, WhatTheCollectorRefusesIsNotSentAgain) {
  collector_.Script({{.outcome = Outcome::kRefused, .text = "answered 400"}});
  Start();
  EXPECT_TRUE(Make());
  EXPECT_TRUE(WaitUntilCounts("dropped_total{reason=\"rejected\"}", 2));
  EXPECT_THAT(collector_.bodies(), SizeIs(1));
}

TEST_F(SpanExporterTest, APartialSuccessCountsWhatWasLost) {
  collector_.Script({{.outcome = Outcome::kDelivered, .rejected_spans = 1, .text = {}}});
  Start();
  EXPECT_TRUE(Make());
  EXPECT_TRUE(WaitUntilCounts("exported_total", 1));
  EXPECT_TRUE(WaitUntilCounts("dropped_total{reason=\"rejected\"}", 1));
}

TEST_F(SpanExporterTest, AHangingCollectorFillsTheQueueAndNeverHoldsUpWhoMakesSpans) {
  collector_.Hang();
  Start();
  const auto before = base::Clock::System().Now();
  int made = 0;
  for (int i = 0; i < 20'000; ++i) made += Make();
  EXPECT_LT(base::Clock::System().Now() - before, seconds(2));
  EXPECT_LT(made, 1000);
  EXPECT_TRUE(Counts("dropped_total{reason=\"queue_full\"}", 2 * (20'000 - made)));
}

TEST_F(SpanExporterTest, AHangingCollectorDelaysTheEndByTheFlushTimeoutOnly) {
  collector_.Hang();
  Start();
  EXPECT_TRUE(Make());
  for (int i = 0; i < 400 && collector_.bodies().empty(); ++i) std::this_thread::sleep_for(milliseconds(5));
  EXPECT_TRUE(Make());
  const auto before = base::Clock::System().Now();
  exporter_->Stop();
  EXPECT_LT(base::Clock::System().Now() - before, seconds(2));
  EXPECT_TRUE(Counts("dropped_total{reason=\"shutdown\"}", 4));
}

TEST_F(SpanExporterTest, TheEndDoesNotWaitForALongRetry) {
  collector_.Script({{.outcome = Outcome::kRetry, .retry_after = seconds(200), .text = "answered 503"}});
  Start();
  EXPECT_TRUE(Make());
  for (int i = 0; i < 400 && collector_.bodies().empty(); ++i) std::this_thread::sleep_for(milliseconds(5));
  const auto before = base::Clock::System().Now();
  exporter_->Stop();
  EXPECT_LT(base::Clock::System().Now() - before, seconds(2));
  EXPECT_TRUE(Counts("exported_total", 2)) << Metrics();  // tried once more, and taken
}

}  // namespace
}  // namespace slipway::telemetry::otlp
