#include "serving/prediction_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "serving/http_service_fixture.h"

namespace slipway::serving {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kRecord = R"({"a":1,"b":2,"kind":"x"})";
constexpr std::string_view kWrong = R"({"a":-1,"b":2,"kind":"private"})";

class PredictionMetricsTest : public HttpServiceFixture {
 protected:
  std::string Metrics(std::string_view headers = "") { return Get("/metrics", headers).body; }
};

TEST_F(PredictionMetricsTest, TritonsNamesAreThereBeforeTheFirstCall) {
  const std::string text = Metrics();
  EXPECT_THAT(text, HasSubstr("# TYPE nv_inference_request_success counter\n"
                              "nv_inference_request_success{model=\"sum\",version=\"1.0.0\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("nv_inference_request_failure{model=\"sum\",version=\"1.0.0\",reason=\"REJECTED\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("nv_inference_request_failure{model=\"sum\",version=\"1.0.0\",reason=\"OTHER\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE nv_inference_pending_request_count gauge\n"
                              "nv_inference_pending_request_count{model=\"sum\",version=\"1.0.0\"} 0\n"));
}

TEST_F(PredictionMetricsTest, TritonsCountersAddUpCallsRowsAndTimes) {
  Post("/predict/sum", kRecord);
  Post("/predict/sum", "[" + std::string(kRecord) + "," + std::string(kRecord) + "," + std::string(kWrong) + "]");
  Post("/predict/sum", kWrong);
  const std::string text = Metrics();
  const std::string of_sum = "{model=\"sum\",version=\"1.0.0\"} ";
  EXPECT_THAT(text, HasSubstr("nv_inference_request_success" + of_sum + "2\n"));
  EXPECT_THAT(text, HasSubstr("reason=\"REJECTED\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("nv_inference_count" + of_sum + "3\n"));
  EXPECT_THAT(text, HasSubstr("nv_inference_exec_count" + of_sum + "2\n"));
  EXPECT_THAT(text, HasSubstr("nv_inference_queue_duration_us" + of_sum + "0\n"));
  EXPECT_THAT(text, ContainsRegex("nv_inference_compute_infer_duration_us.model=\"sum\",version=\"1.0.0\". [1-9.]"));
  EXPECT_THAT(text, HasSubstr("nv_inference_request_duration_histogram_us_count" + of_sum + "2\n"));
  EXPECT_THAT(
      text,
      HasSubstr("nv_inference_queue_duration_histogram_us_bucket{model=\"sum\",version=\"1.0.0\",le=\"10\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("slipway_predictions_in_flight" + of_sum + "0\n"));
}

TEST_F(PredictionMetricsTest, TritonsNamesAreTheSameInOpenMetrics) {
  Post("/predict/sum", kRecord);
  const std::string text = Metrics("Accept: application/openmetrics-text\r\n");
  EXPECT_THAT(text, HasSubstr("# HELP nv_inference_count Number of inferences "
                              "performed\nnv_inference_count{model=\"sum\",version=\"1.0.0\"} 1\n"));
}

TEST_F(PredictionMetricsTest, AFailingEngineCountsAsBackend) {
  bundles_.run_hook = [] { return base::Fail(base::Code::kInternal, "engine.run", "the runtime gave up"); };
  Post("/predict/sum", kRecord);
  const std::string text = Metrics();
  EXPECT_THAT(text, HasSubstr("reason=\"BACKEND\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("slipway_prediction_errors_total{model=\"sum\",version=\"1.0.0\",door=\"native\","
                              "code=\"engine.run\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("nv_inference_request_duration_us{model=\"sum\",version=\"1.0.0\"} 0\n"));
}

TEST_F(PredictionMetricsTest, ErrorsAreCountedByTheCodeOfTheAnswer) {
  Post("/predict/sum", "{");
  Post("/predict/sum", "{");
  Post("/v2/models/sum/infer", "[]");
  const std::string text = Metrics();
  EXPECT_THAT(text, HasSubstr("door=\"native\",code=\"json.malformed\"} 2\n"));
  EXPECT_THAT(text, ContainsRegex("door=\"oip\",code=\"[a-z_.]+\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("reason=\"REJECTED\"} 3\n"));
}

TEST_F(PredictionMetricsTest, ACallCutShortIsCancelledAndNoLongerInFlight) {
  Start();
  {
    net::RawClient client(service_->port());
    client.Send(
        "POST /predict/sum HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\nContent-Length: 1000\r\n\r\n" +
        std::string(kRecord) + "\n");
    std::string text;
    for (int i = 0;
         i < 500 && text.find("slipway_predictions_in_flight{model=\"sum\",version=\"1.0.0\"} 1\n") == text.npos; ++i) {
      text = Metrics();
    }
    EXPECT_THAT(text, HasSubstr("slipway_predictions_in_flight{model=\"sum\",version=\"1.0.0\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("nv_inference_pending_request_count{model=\"sum\",version=\"1.0.0\"} 1\n"));
  }
  std::string text;
  for (int i = 0; i < 500 && text.find("reason=\"CANCELED\"} 1\n") == text.npos; ++i) text = Metrics();
  EXPECT_THAT(text, HasSubstr("reason=\"CANCELED\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("slipway_predictions_in_flight{model=\"sum\",version=\"1.0.0\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("code=\"http.cut_short\"} 1\n"));
}

TEST_F(PredictionMetricsTest, NoValueOfACallerIsALabel) {
  Post("/predict/sum", R"({"a":"Jane Roe","b":2,"kind":"jane@example.org"})");
  Post("/predict/Jane%20Roe", kRecord);
  Post("/jane@example.org", kRecord);
  const std::string text = Metrics();
  EXPECT_THAT(text, Not(HasSubstr("Jane")));
  EXPECT_THAT(text, Not(HasSubstr("jane@example.org")));
}

}  // namespace
}  // namespace slipway::serving
