#include "serving/http_service.h"

#include "serving/http_service_fixture.h"

namespace slipway::serving {
namespace {

using testing::HasSubstr;
using testing::Not;

using HttpServiceTest = HttpServiceFixture;

constexpr std::string_view kRecord = R"({"a":1.5,"b":2,"kind":"x"})";
constexpr std::string_view kWrong = R"({"a":-1,"b":2,"kind":"q"})";
constexpr std::string_view kId = "X-Request-Id: id-1\r\n";

TEST_F(HttpServiceTest, OneRecordGetsOnePrediction) {
  const auto answer = Post("/predict/sum", kRecord, kId);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body,
            R"({"model":"sum","version":"1.0.0","request_id":"id-1","prediction":{"sum":3.5,"large":false}})");
  EXPECT_EQ(answer.Header("X-Request-Id"), "id-1");
  EXPECT_EQ(answer.Header("Slipway-Model"), "sum");
  EXPECT_EQ(answer.Header("Slipway-Version"), "1.0.0");
  EXPECT_EQ(answer.Header("Slipway-Arm"), "stable");
}

TEST_F(HttpServiceTest, AWrongRecordIs422WithItsViolations) {
  const auto answer = Post("/predict/sum", kWrong, kId);
  EXPECT_EQ(answer.status, 422);
  EXPECT_EQ(answer.Header("Content-Type"), "application/problem+json");
  EXPECT_EQ(answer.Header("Slipway-Version"), "1.0.0");
  const auto problem = base::ParseJson(answer.body);
  ASSERT_TRUE(problem) << answer.body;
  EXPECT_EQ(problem->Find("code")->string(), "schema.violation");
  EXPECT_EQ(problem->Find("status")->integer(), 422);
  EXPECT_EQ(problem->Find("request_id")->string(), "id-1");
  ASSERT_EQ(problem->Find("violations")->list().size(), 2u);
  EXPECT_EQ(problem->Find("violations")->list()[0].Find("code")->string(), "schema.out_of_range");
}

TEST_F(HttpServiceTest, RecordsGetResultsByRow) {
  const auto answer =
      Post("/predict/sum", "{\"records\":[" + std::string(kRecord) + "," + std::string(kWrong) + "]}", kId);
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(
      answer.body,
      HasSubstr(
          R"("request_id":"id-1","predictions":[{"sum":3.5,"large":false},null],"errors":[{"row":1,"violations":[{)"));
  const auto fine = Post("/predict/sum", "{\"records\":[" + std::string(kRecord) + "]}", kId);
  EXPECT_THAT(fine.body, Not(HasSubstr("errors")));
  EXPECT_EQ(Post("/predict/sum", R"({"records":[]})", kId).status, 200);
}

TEST_F(HttpServiceTest, RecordsThatAreAllWrongAre422) {
  const auto answer = Post("/predict/sum", "[" + std::string(kWrong) + "," + std::string(kWrong) + "]");
  EXPECT_EQ(answer.status, 422);
  EXPECT_THAT(answer.body, HasSubstr(R"("detail":"all 2 records break the schema")"));
  EXPECT_THAT(answer.body, HasSubstr(R"("errors":[{"row":0,)"));
  EXPECT_TRUE(base::ParseJson(answer.body));
}

TEST_F(HttpServiceTest, JsonLinesAreAnsweredLineByLine) {
  const std::string lines =
      std::string(kRecord) + "\r\n\n" + std::string(kWrong) + "\n{broken\n" + std::string(kRecord);
  const auto answer = Post("/predict/sum", lines, "Content-Type: application/x-ndjson\r\n");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.Header("Content-Type"), "application/x-ndjson");
  EXPECT_THAT(answer.body,
              testing::StartsWith("{\"row\":0,\"prediction\":{\"sum\":3.5,\"large\":false}}\n{\"row\":1,\"error\":"));
  EXPECT_THAT(answer.body, HasSubstr("{\"row\":2,\"error\":{\"code\":\"schema.violation\",\"violations\":[{"));
  EXPECT_THAT(answer.body, testing::EndsWith("{\"row\":3,\"prediction\":{\"sum\":3.5,\"large\":false}}\n"));
}

TEST_F(HttpServiceTest, CsvIsAnsweredAsCsv) {
  const auto answer =
      Post("/predict/sum", "kind,a,b\nx,1,2\ny,-1,2\nz,20,\n", "Content-Type: text/csv; charset=utf-8\r\n");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.Header("Content-Type"), "text/csv; charset=utf-8");
  EXPECT_THAT(answer.body, testing::StartsWith("sum,large,error\n3.0,false,\n"));
  EXPECT_THAT(answer.body, HasSubstr("\n,,\"{\"\"code\"\":\"\"schema.violation\"\""));
}

TEST_F(HttpServiceTest, ManyLinesCrossBlocksWithTheSameAnswers) {
  std::string lines, csv = "a,b,kind\n";
  for (int i = 0; i < 3000; ++i) {
    lines += "{\"a\":" + std::to_string(i) + ",\"b\":1,\"kind\":\"x\"}\n";
    csv += std::to_string(i) + ",1,x\n";
  }
  const auto from_lines = Post("/predict/sum", lines, "Content-Type: application/jsonl\r\n");
  EXPECT_THAT(from_lines.body, testing::EndsWith("{\"row\":2999,\"prediction\":{\"sum\":3000.0,\"large\":true}}\n"));
  EXPECT_EQ(std::ranges::count(from_lines.body, '\n'), 3000);
  const auto from_csv = Post("/predict/sum", csv, "Content-Type: text/csv\r\n");
  EXPECT_EQ(std::ranges::count(from_csv.body, '\n'), 3001);
  EXPECT_THAT(from_csv.body, testing::EndsWith("\n3000.0,true,\n"));
}

TEST_F(HttpServiceTest, ReferencesChooseAVersion) {
  Load("sum", "1.1.0");
  EXPECT_THAT(Post("/predict/sum", kRecord).body, HasSubstr("\"version\":\"1.1.0\""));
  EXPECT_THAT(Post("/predict/sum@1.0", kRecord).body, HasSubstr("\"version\":\"1.0.0\""));
  EXPECT_THAT(Post("/predict/sum@%5E1", kRecord).body, HasSubstr("\"version\":\"1.1.0\""));
  EXPECT_EQ(Post("/predict/sum@2", kRecord).status, 404);
  EXPECT_EQ(Post("/predict/sum@1.x", kRecord).status, 400);
}

TEST_F(HttpServiceTest, AVersionLoadedLaterIsServedWithoutRestart) {
  EXPECT_THAT(Post("/predict/sum", kRecord).body, HasSubstr("1.0.0"));
  Load("sum", "1.2.0");
  EXPECT_THAT(Post("/predict/sum", kRecord).body, HasSubstr("1.2.0"));
}

struct Refused {
  const char* name;
  std::string_view path, body, headers;
  int status;
  std::string_view code;
};

class RefusedCalls : public HttpServiceTest, public testing::WithParamInterface<Refused> {};

TEST_P(RefusedCalls, AreProblemsWithACode) {
  const auto answer = Post(GetParam().path, GetParam().body, GetParam().headers);
  EXPECT_EQ(answer.status, GetParam().status);
  EXPECT_EQ(answer.Header("Content-Type"), "application/problem+json");
  const auto problem = base::ParseJson(answer.body);
  ASSERT_TRUE(problem) << answer.body;
  EXPECT_EQ(problem->Find("code")->string(), GetParam().code);
}

INSTANTIATE_TEST_SUITE_P(
    Native, RefusedCalls,
    testing::Values(Refused{"UnknownModel", "/predict/sums", kRecord, "", 404, "model.unknown"},
                    Refused{"BrokenJson", "/predict/sum", "{\"a\":", "", 400, "json.malformed"},
                    Refused{"EmptyBody", "/predict/sum", "", "", 400, "json.malformed"},
                    Refused{"NoRecord", "/predict/sum", "17", "", 400, "json.not_a_record"},
                    Refused{"OtherType", "/predict/sum", "<a/>", "Content-Type: text/xml\r\n", 415,
                            "request.media_type"},
                    Refused{"OtherCharset", "/predict/sum", kRecord,
                            "Content-Type: application/json; charset=latin1\r\n", 415, "request.media_type"},
                    Refused{"BrokenCsv", "/predict/sum", "a,a\n1,2\n", "Content-Type: text/csv\r\n", 400, "csv.header"},
                    Refused{"NoRoute", "/predict", kRecord, "", 404, "http.no_route"}),
    [](const auto& info) { return info.param.name; });

TEST_F(HttpServiceTest, MoreRecordsThanTheModelTakesAre413) {
  Load("small", "1.0.0", "limits: {max_batch_rows: 2}\n");
  const std::string records = std::string(kRecord) + "," + std::string(kRecord);
  EXPECT_EQ(Post("/predict/small", "[" + records + "]").status, 200);
  EXPECT_EQ(Post("/predict/small", "[" + records + "," + std::string(kRecord) + "]").status, 413);
}

TEST_F(HttpServiceTest, AFailingEngineIs500AndLogged) {
  bundles_.run_hook = [] { return base::Fail(base::Code::kInternal, "engine.run", "the runtime gave up"); };
  const auto answer = Post("/predict/sum", kRecord, kId);
  EXPECT_EQ(answer.status, 500);
  EXPECT_THAT(answer.body, HasSubstr("\"code\":\"engine.run\""));
  EXPECT_THAT(LogText(), HasSubstr("\"level\":\"error\",\"event\":\"request\",\"request_id\":\"id-1\""));
}

TEST_F(HttpServiceTest, ACallPastItsTimeIs504) {
  bundles_.run_hook = []() -> base::Result<void> {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    return {};
  };
  Load("slow", "1.0.0", "limits: {timeout: 1ms, max_batch_rows: 100000}\n");
  std::string records;
  for (int i = 0; i < 5000; ++i) records += (i == 0 ? "" : ",") + std::string(kRecord);
  EXPECT_EQ(Post("/predict/slow", "[" + records + "]").status, 504);
}

TEST_F(HttpServiceTest, TheLogNamesTheCallButNeverItsValues) {
  Post("/predict/sum?token=secret", R"({"a":1,"b":2,"kind":"private"})",
       "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n");
  const std::string text = LogText();
  EXPECT_THAT(text, HasSubstr("\"path\":\"/predict/sum\",\"status\":422"));
  EXPECT_THAT(text, HasSubstr("\"model\":\"sum\",\"version\":\"1.0.0\",\"rows\":1,\"rejected\":1"));
  EXPECT_THAT(text, HasSubstr("\"trace_id\":\"4bf92f3577b34da6a3ce929d0e0e4736\""));
  EXPECT_THAT(text, Not(HasSubstr("private")));
  EXPECT_THAT(text, Not(HasSubstr("secret")));
}

TEST_F(HttpServiceTest, TheLogLeavesOutWhatIsTooMuch) {
  Start({.log_lines_per_second = 1});
  for (int i = 0; i < 20; ++i) Post("/predict/sum", kRecord);
  EXPECT_LT(std::ranges::count(LogText(), '\n'), 20);
}

TEST_F(HttpServiceTest, TakesAnotherConductWhileItServes) {
  Start();
  EXPECT_EQ(Post("/predict/sum", kRecord).status, 200);
  HttpServiceOptions changed;
  changed.limits.body_bytes = 4;
  changed.health.memory = {0.0001, std::nullopt};
  changed.drain_delay = std::chrono::milliseconds(1);
  ASSERT_TRUE(service_->Change(changed));
  int status = 200;
  for (int i = 0; i < 200 && status == 200; ++i) status = Post("/predict/sum", kRecord).status;
  EXPECT_EQ(status, 413);
  changed.cors = {.origins = {"*"}, .credentials = true};
  changed.limits.body_bytes = 1 << 20;
  EXPECT_FALSE(service_->Change(changed));
  EXPECT_EQ(Post("/predict/sum", kRecord).status, 413) << "what does not check changes nothing";
}

TEST_F(HttpServiceTest, ModelsAreListedWithTheirContract) {
  Load("other", "2.0.0");
  const auto list = base::ParseJson(Get("/models").body);
  ASSERT_TRUE(list);
  ASSERT_EQ(list->Find("models")->list().size(), 2u);
  EXPECT_EQ(list->Find("models")->list()[1].Find("stable")->string(), "1.0.0");
  const auto model = base::ParseJson(Get("/models/sum").body);
  ASSERT_TRUE(model);
  EXPECT_EQ(model->Find("state")->string(), "ready");
  EXPECT_NE(model->Find("inputs")->Find("kind"), nullptr);
  EXPECT_EQ(model->Find("outputs")->list()[1].Find("type")->string(), "boolean");
  EXPECT_EQ(Get("/models/none").status, 404);
}

TEST_F(HttpServiceTest, MetricsCountCallsRowsAndViolations) {
  Post("/predict/sum", kRecord);
  Post("/predict/sum", "[" + std::string(kRecord) + "," + std::string(kWrong) + "]");
  const auto text = Get("/metrics").body;
  EXPECT_THAT(
      text, HasSubstr("slipway_predictions_total{model=\"sum\",version=\"1.0.0\",door=\"native\",outcome=\"ok\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("outcome=\"partial\"} 1\n"));
  EXPECT_THAT(
      text,
      HasSubstr(
          "slipway_prediction_rows_total{model=\"sum\",version=\"1.0.0\",door=\"native\",outcome=\"scored\"} 2\n"));
  EXPECT_THAT(text,
              HasSubstr("slipway_violations_total{model=\"sum\",version=\"1.0.0\",code=\"schema.out_of_range\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("slipway_prediction_phase_seconds_count{model=\"sum\",version=\"1.0.0\",door=\"native\","
                              "phase=\"infer\"} 2\n"));
  EXPECT_EQ(Get("/metrics", "Accept: application/openmetrics-text\r\n").Header("Content-Type").substr(0, 28),
            "application/openmetrics-text");
}

TEST_F(HttpServiceTest, ReadinessGoesFirstWhenItStops) {
  Start({.drain_delay = std::chrono::seconds(10)});
  EXPECT_EQ(Get("/readyz").status, 200);
  net::RawClient kept(service_->port());
  std::jthread stopping([&] { service_->Stop(); });
  net::RawAnswer ready;
  for (int i = 0; i < 1000 && ready.status != 503; ++i) ready = kept.Ask("GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(ready.body, R"({"ready":false,"reason":"draining"})");
  EXPECT_EQ(Get("/livez").status, 200);
  net::RawAnswer late;
  while (late.Header("Connection") != "close") late = Post("/predict/sum", kRecord);
  EXPECT_EQ(late.status, 200) << "each answer is the last of its connection, and there may be another";
  service_->Stop();  // a second signal does not wait
  stopping.join();
  EXPECT_FALSE(net::RawClient(service_->port()).connected());
}

TEST_F(HttpServiceTest, AModelThatIsStillLoadingIsNotUnknown) {
  loaded_ = false;
  Start();
  const auto early = Post("/predict/later", kRecord);
  EXPECT_EQ(early.status, 503);
  EXPECT_EQ(early.Header("Retry-After"), "1");
  EXPECT_THAT(early.body, HasSubstr("\"model.loading\""));
  EXPECT_EQ(Post("/v2/models/later/infer", "{}").status, 503);
  EXPECT_EQ(Post("/v1/models/later:predict", "{}").status, 503);
  EXPECT_EQ(Post("/predict/sum", kRecord).status, 200);
  service_->MarkStarted();
  EXPECT_EQ(Post("/predict/later", kRecord).status, 404);
}

TEST_F(HttpServiceTest, AFailedBundleIsToldAndTheOthersAreServed) {
  EXPECT_FALSE(live_.Load(folder_.path() / "nothing"));
  EXPECT_EQ(Get("/readyz").status, 200);
  EXPECT_THAT(Get("/health").body, HasSubstr("\"status\": \"warn\""));
  EXPECT_THAT(Get("/models").body, HasSubstr("\"failed\""));
}

TEST_F(HttpServiceTest, TheAdminListenerObservesAndDoesNotPredict) {
  HttpServiceOptions options;
  options.listen.admin = "unix:" + (folder_.path() / "admin.sock").string();
  options.listen.observe_on = ObserveOn::kAdmin;
  Start(std::move(options));
  ASSERT_EQ(service_->listeners().size(), 2);
  EXPECT_TRUE(service_->listeners()[1].admin);
  const auto admin = [&](std::string_view path) {
    return net::RawClient((folder_.path() / "admin.sock").string())
        .Ask("GET " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n\r\n")
        .status;
  };
  EXPECT_EQ(admin("/metrics"), 200);
  EXPECT_EQ(admin("/models/sum"), 200);
  EXPECT_EQ(admin("/readyz"), 200);
  EXPECT_EQ(admin("/predict/sum"), 404);
  EXPECT_EQ(Get("/metrics").status, 404);
  EXPECT_EQ(Get("/models").status, 404);
  EXPECT_EQ(Get("/readyz").status, 200);
}

TEST_F(HttpServiceTest, SeveralAddressesServeTheSame) {
  HttpServiceOptions options;
  options.listen.http.push_back("unix:" + (folder_.path() / "second.sock").string());
  Start(std::move(options));
  EXPECT_EQ(Get("/models").status, 200);
  EXPECT_EQ(
      net::RawClient((folder_.path() / "second.sock").string()).Ask("GET /models HTTP/1.1\r\nHost: x\r\n\r\n").status,
      200);
}

}  // namespace
}  // namespace slipway::serving
