#include "serving/oip/oip_routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "base/value.h"
#include "live/sum_bundle_fake.h"
#include "net/raw_client_test.h"
#include "serving/http_service.h"

namespace slipway::serving::oip {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kA = R"({"name":"a","shape":[2],"datatype":"FP64","data":[1.5,9]})";
constexpr std::string_view kB = R"({"name":"b","shape":[2],"datatype":"FP64","data":[2,1]})";
constexpr std::string_view kKind = R"({"name":"kind","shape":[2,1],"datatype":"BYTES","data":["x","z"]})";

std::string Request(std::initializer_list<std::string_view> inputs, std::string_view more = "") {
  std::string text = "{\"inputs\":[";
  for (const auto input : inputs) text.append(text.back() == '[' ? "" : ",").append(input);
  return text.append("]").append(more).append("}");
}

class OipRoutesTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto loaded = live_.Load(bundles_.Write("sum", "1.4.2", "limits: {max_batch_rows: 4}\n"));
    ASSERT_TRUE(loaded) << loaded.error().Text();
    HttpServiceOptions options;
    options.listen.http[0] = "127.0.0.1:0";
    options.threads = 1;
    options.program_version = "9.8.7";
    auto started = HttpService::Start(options, live_, metrics_);
    ASSERT_TRUE(started) << started.error().Text();
    service_ = std::move(*started);
    service_->MarkStarted();
  }
  net::RawAnswer Ask(std::string_view method, std::string_view path, std::string_view body = "",
                     std::string_view headers = "") {
    return net::RawClient(service_->port())
        .Ask(std::string(method) + " " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n" + std::string(headers) +
             "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body));
  }
  net::RawAnswer Infer(std::string_view body, std::string_view headers = "") {
    return Ask("POST", "/v2/models/sum/infer", body, headers);
  }
  net::RawAnswer InferBinary(std::string_view json, std::string_view bytes) {
    return Infer(std::string(json) + std::string(bytes),
                 "Inference-Header-Content-Length: " + std::to_string(json.size()) + "\r\n");
  }
  /// The error's text; fails unless the answer is an error of this protocol.
  static std::string ErrorOf(const net::RawAnswer& answer, int status = 400) {
    EXPECT_EQ(answer.status, status) << answer.body;
    EXPECT_EQ(answer.Header("Content-Type"), "application/json");
    const auto body = base::ParseJson(answer.body);
    const auto* error = body ? body->Find("error") : nullptr;
    EXPECT_NE(error, nullptr) << answer.body;
    return error == nullptr ? "" : error->string();
  }

  live::SumBundles bundles_;
  live::LiveSet live_{bundles_.engines()};
  telemetry::MetricRegistry metrics_;
  std::unique_ptr<HttpService> service_;
};

TEST_F(OipRoutesTest, JsonIsAnsweredInJson) {
  const auto answer = Infer(Request({kA, kB, kKind}, R"(,"id":"r-1")"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.Header("Slipway-Version"), "1.4.2");
  EXPECT_EQ(answer.body, R"({"model_name":"sum","model_version":"1.4.2","id":"r-1","outputs":[)"
                         R"({"name":"sum","datatype":"FP32","shape":[2,1],"data":[3.5,10.0]},)"
                         R"({"name":"large","datatype":"BOOL","shape":[2,1],"data":[false,true]}]})");
}

TEST_F(OipRoutesTest, MembersMayComeInAnyOrder) {
  const auto answer =
      Infer(R"({"outputs":[{"name":"large"}],"inputs":[{"data":[1.5,9],"name":"a","shape":[2],"datatype":"FP64"},)" +
            std::string(kB) + "," + std::string(kKind) + "]}");
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_THAT(answer.body, HasSubstr(R"("data":[false,true])"));
}

TEST_F(OipRoutesTest, BinaryDataIsTakenAndGiven) {
  const double numbers[] = {1.5, 9, 2, 1};
  std::string bytes(reinterpret_cast<const char*>(numbers), sizeof numbers);
  bytes += std::string("\1\0\0\0x\1\0\0\0z", 10);
  const std::string json = Request(
      {R"({"name":"a","shape":[2],"datatype":"FP64","parameters":{"binary_data_size":16}})",
       R"({"name":"b","shape":[2],"datatype":"FP64","parameters":{"binary_data_size":16}})",
       R"({"name":"kind","shape":[2],"datatype":"BYTES","parameters":{"binary_data_size":10}})"},
      R"(,"parameters":{"binary_data_output":true},"outputs":[{"name":"large","parameters":{"binary_data":false}},{"name":"sum"}])");
  const auto answer = InferBinary(json, bytes);
  ASSERT_EQ(answer.status, 200) << answer.body;
  const auto length = static_cast<size_t>(std::stoi(answer.Header("Inference-Header-Content-Length")));
  EXPECT_EQ(answer.body.substr(0, length),
            R"({"model_name":"sum","model_version":"1.4.2","outputs":[)"
            R"({"name":"large","datatype":"BOOL","shape":[2,1],"data":[false,true]},)"
            R"({"name":"sum","datatype":"FP32","shape":[2,1],"parameters":{"binary_data_size":8}}]})");
  const float sums[] = {3.5, 10};
  EXPECT_EQ(answer.body.substr(length), std::string(reinterpret_cast<const char*>(sums), sizeof sums));
}

TEST_F(OipRoutesTest, TheSameHeadAgainTakesTheNewData) {
  const std::string json =
      Request({R"({"name":"a","shape":[1],"datatype":"FP64","parameters":{"binary_data_size":8}})",
               R"({"name":"b","shape":[1],"datatype":"FP64","parameters":{"binary_data_size":8}})",
               R"({"name":"kind","shape":[1],"datatype":"BYTES","parameters":{"binary_data_size":5}})"},
              R"(,"id":"r-7")");
  const auto bytes = [](double a, double b) {
    const double numbers[] = {a, b};
    return std::string(reinterpret_cast<const char*>(numbers), sizeof numbers) + std::string("\1\0\0\0x", 5);
  };
  EXPECT_THAT(InferBinary(json, bytes(1, 2)).body, AllOf(HasSubstr("[3.0]"), HasSubstr(R"("id":"r-7")")));
  EXPECT_THAT(InferBinary(json, bytes(4, 5)).body, AllOf(HasSubstr("[9.0]"), HasSubstr(R"("id":"r-7")")));
  EXPECT_THAT(ErrorOf(InferBinary(json, bytes(-4, 5))), HasSubstr("schema.out_of_range"));
  EXPECT_THAT(ErrorOf(InferBinary(json, "12345678")), HasSubstr("only 0 bytes are left"));
  EXPECT_THAT(ErrorOf(Infer(json)), HasSubstr("Inference-Header-Content-Length must say"));
  EXPECT_THAT(InferBinary(json, bytes(6, 5)).body, HasSubstr("[11.0]"));
}

TEST_F(OipRoutesTest, AHeadThatOneModelTookIsReadAnewForAnother) {
  const std::string json =
      Request({R"({"name":"a","shape":[1],"datatype":"FP64","parameters":{"binary_data_size":8}})",
               R"({"name":"b","shape":[1],"datatype":"FP64","parameters":{"binary_data_size":8}})",
               R"({"name":"kind","shape":[1],"datatype":"BYTES","parameters":{"binary_data_size":5}})"});
  const std::string bytes(std::string(16, '\0') + std::string("\1\0\0\0x", 5));
  ASSERT_TRUE(live_.Load(bundles_.Write("other", "2.0.0")));
  EXPECT_THAT(InferBinary(json, bytes).body, HasSubstr(R"("model_name":"sum")"));
  const auto other = Ask("POST", "/v2/models/other/infer", json + bytes,
                         "Inference-Header-Content-Length: " + std::to_string(json.size()) + "\r\n");
  EXPECT_THAT(other.body, HasSubstr(R"("model_name":"other")"));
  EXPECT_THAT(InferBinary(json, bytes).body, HasSubstr(R"("model_name":"sum")"));
}

TEST_F(OipRoutesTest, BinarySizesMustFillTheBody) {
  const std::string_view a = R"({"name":"a","shape":[1],"datatype":"FP64","parameters":{"binary_data_size":8}})";
  EXPECT_THAT(ErrorOf(InferBinary(Request({a}), "1234567")), HasSubstr("only 7 bytes are left"));
  EXPECT_THAT(ErrorOf(InferBinary(Request({a}), "123456789")), HasSubstr("1 bytes of the body follow"));
  EXPECT_THAT(ErrorOf(Infer(Request({a}))), HasSubstr("Inference-Header-Content-Length must say"));
  EXPECT_THAT(ErrorOf(Infer(Request({a}), "Inference-Header-Content-Length: 1000\r\n")), HasSubstr("but the body has"));
  for (const char* value : {"-1", "x", "1e2"}) {
    EXPECT_THAT(ErrorOf(Infer("{}", "Inference-Header-Content-Length: " + std::string(value) + "\r\n")),
                HasSubstr("number of bytes of JSON"));
  }
}

TEST_F(OipRoutesTest, ABodyWithoutJsonIsForModelsOfOneInput) {
  EXPECT_THAT(ErrorOf(Infer("12345678", "Inference-Header-Content-Length: 0\r\n")), HasSubstr("models of one input"));
}

TEST_F(OipRoutesTest, RowsThatBreakTheSchemaNameRowFieldCodeAndRule) {
  const auto error =
      ErrorOf(Infer(Request({R"({"name":"a","shape":[2],"datatype":"FP64","data":[1,-5]})", kB, kKind})));
  EXPECT_THAT(error, HasSubstr("1 of 2 rows breaks the schema; row 1, a: schema.out_of_range (min 0): a is "));
}

TEST_F(OipRoutesTest, RequiredColumnsMayNotBeAbsent) {
  EXPECT_THAT(ErrorOf(Infer(Request({kA, kB}))), HasSubstr("row 0, kind: schema.missing"));
}

TEST_F(OipRoutesTest, NullAndNanAreMissingWhereMissingIsTaken) {
  const std::string_view b = R"({"name":"b","shape":[2],"datatype":"FP64","data":[null,1]})";
  EXPECT_THAT(Infer(Request({kA, b, kKind})).body,
              HasSubstr(R"("name":"sum","datatype":"FP32","shape":[2,1],"data":[null,10.0])"));
  const std::string_view a = R"({"name":"a","shape":[2],"datatype":"FP64","data":[null,1]})";
  EXPECT_THAT(ErrorOf(Infer(Request({a, kB, kKind}))), HasSubstr("row 0, a: schema.null"));
  const double nan[] = {NAN, 1};
  const auto binary = [&](std::string_view name) {
    return R"({"name":")" + std::string(name) +
           R"(","shape":[2],"datatype":"FP64","parameters":{"binary_data_size":16}})";
  };
  const std::string bytes(reinterpret_cast<const char*>(nan), sizeof nan);
  EXPECT_EQ(InferBinary(Request({kA, binary("b"), kKind}), bytes).status, 200);
  EXPECT_THAT(ErrorOf(InferBinary(Request({binary("a"), kB, kKind}), bytes)), HasSubstr("row 0, a: schema.not_finite"));
}

TEST_F(OipRoutesTest, NonFiniteOutputsAreWrittenAsAsked) {
  const std::string_view b = R"({"name":"b","shape":[2],"datatype":"FP64","data":[null,1]})";
  const auto data = [&](std::string_view way) {
    return Infer(Request({kA, b, kKind}, R"(,"parameters":{"non_finite":")" + std::string(way) + "\"}"));
  };
  EXPECT_THAT(data("null").body, HasSubstr(R"("data":[null,10.0])"));
  EXPECT_THAT(data("string").body, HasSubstr(R"("data":["NaN",10.0])"));
  EXPECT_THAT(data("token").body, HasSubstr(R"("data":[NaN,10.0])"));
  EXPECT_THAT(ErrorOf(data("zero")), HasSubstr("null, string or token"));
}

TEST_F(OipRoutesTest, OutputsAreCheckedAndAskedForOnce) {
  EXPECT_THAT(ErrorOf(Infer(Request({kA, kB, kKind}, R"(,"outputs":[{"name":"sums"}])"))),
              HasSubstr(R"("sums" is no output of this model (did you mean "sum"?))"));
  EXPECT_THAT(ErrorOf(Infer(Request({kA, kB, kKind}, R"(,"outputs":[{"name":"sum"},{"name":"sum"}])"))),
              HasSubstr("asked for twice"));
  EXPECT_THAT(ErrorOf(Infer(Request({kA, kB, kKind}, R"(,"outputs":[{}])"))), HasSubstr("lacks its name"));
}

TEST_F(OipRoutesTest, LimitsAreErrorsThatNameThem) {
  EXPECT_THAT(ErrorOf(Infer(Request({R"({"name":"a","shape":[5],"datatype":"FP64","data":[1,2,3,4,5]})"})), 413),
              HasSubstr("at most 4 in a request"));
  EXPECT_THAT(
      ErrorOf(
          Infer(Request({R"({"name":"a","shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],"datatype":"FP64","data":[1]})"})),
          413),
      HasSubstr("at most 16 dimensions"));
  EXPECT_THAT(ErrorOf(Infer(Request({R"({"name":"a","shape":[4294967296,4294967296],"datatype":"FP64","data":[1]})"}))),
              HasSubstr("more elements than a request can hold"));
  EXPECT_THAT(ErrorOf(Infer(std::string(40, '[') + std::string(40, ']'))), HasSubstr("a request is a JSON object"));
  EXPECT_THAT(ErrorOf(Infer(R"({"parameters":{"x":)" + std::string(40, '[') + std::string(40, ']') + "}}"), 413),
              HasSubstr("at most 32 levels"));
}

TEST_F(OipRoutesTest, InputsHaveNameDatatypeShapeAndData) {
  EXPECT_THAT(ErrorOf(Infer(Request({R"({"shape":[1],"datatype":"FP64","data":[1]})"}))), HasSubstr("lacks its name"));
  EXPECT_THAT(ErrorOf(Infer(Request({R"({"name":"a","shape":[1],"data":[1]})"}))), HasSubstr("lacks its datatype"));
  EXPECT_THAT(ErrorOf(Infer(Request({R"({"name":"a","datatype":"FP64","data":[1]})"}))), HasSubstr("lacks its shape"));
  EXPECT_THAT(ErrorOf(Infer(Request({R"({"name":"a","shape":[1],"datatype":"FP64"})"}))), HasSubstr("no data"));
  EXPECT_THAT(ErrorOf(Infer(Request({R"({"name":"a","shape":[1],"datatype":"DOUBLE","data":[1]})"}))),
              HasSubstr("FP16, FP32, FP64"));
  EXPECT_THAT(ErrorOf(Infer(Request({R"({"name":"a","shape":[1],"datatype":"FP64","data":[1],"data":[1]})"}))),
              HasSubstr("data twice"));
  EXPECT_THAT(ErrorOf(Infer("{}")), HasSubstr("has no inputs"));
  EXPECT_THAT(ErrorOf(Infer("")), HasSubstr("not valid JSON"));
  EXPECT_THAT(ErrorOf(Infer(Request({kA, kB, kKind}) + "x")), HasSubstr("not valid JSON"));
}

TEST_F(OipRoutesTest, ATimeoutIsADeadline) {
  EXPECT_THAT(ErrorOf(Infer(Request({kA, kB, kKind}, R"(,"parameters":{"timeout":1})")), 504),
              HasSubstr("within its time"));
  EXPECT_EQ(Infer(Request({kA, kB, kKind}, R"(,"parameters":{"timeout":60000000,"priority":2})")).status, 200);
}

TEST_F(OipRoutesTest, NullMembersAreLeftOut) {
  const auto answer = Infer(Request({R"({"name":"a","shape":[1],"datatype":"FP64","parameters":null,"data":[1]})",
                                     R"({"name":"b","shape":[1],"datatype":"FP64","data":[1]})",
                                     R"({"name":"kind","shape":[1],"datatype":"BYTES","data":["x"]})"},
                                    R"(,"id":null,"parameters":null,"outputs":[{"name":"sum","parameters":null}])"));
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_THAT(answer.body, Not(HasSubstr("\"id\"")));
  EXPECT_THAT(ErrorOf(Infer(Request({R"({"name":"a","shape":[1],"datatype":"FP64","data":null})"}))),
              HasSubstr("no data"));
}

TEST_F(OipRoutesTest, StatisticsAskedForByAnIntegerAnswerWithIt) {
  EXPECT_THAT(Ask("GET", "/v2/models/sum/versions/1/stats").body, HasSubstr(R"("name":"sum","version":"1",)"));
  EXPECT_THAT(Ask("GET", "/v2/models/sum/versions/1004002/stats").body, HasSubstr(R"("version":"1004002",)"));
  EXPECT_THAT(Ask("GET", "/v2/models/sum/versions/1.4/stats").body, HasSubstr(R"("version":"1.4.2",)"));
}

TEST_F(OipRoutesTest, ACallRefusedForSomeOfItsRowsHasFailed) {
  ErrorOf(Infer(Request({R"({"name":"a","shape":[2],"datatype":"FP64","data":[1,-5]})", kB, kKind})));
  std::string text;
  metrics_.WriteText(text);
  EXPECT_THAT(text,
              HasSubstr(R"(slipway_predictions_total{model="sum",version="1.4.2",door="oip",outcome="rejected"} 1)"));
  EXPECT_THAT(Ask("GET", "/v2/models/sum/stats").body, HasSubstr(R"("success":{"count":0,"ns":0},"fail":{"count":1,)"));
}

TEST_F(OipRoutesTest, NoRowsAreAnsweredWithNone) {
  const auto answer = Infer(Request({R"({"name":"a","shape":[0],"datatype":"FP64","data":[]})"}));
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_THAT(answer.body, HasSubstr(R"("shape":[0,1],"data":[])"));
}

TEST_F(OipRoutesTest, SharedMemoryIsRefused) {
  EXPECT_THAT(
      ErrorOf(
          Infer(Request({R"({"name":"a","shape":[1],"datatype":"FP64","parameters":{"shared_memory_region":"r"}})"})),
          501),
      HasSubstr("no shared memory"));
}

TEST_F(OipRoutesTest, TheServersOwnRefusalsHaveTheProtocolsShape) {
  const auto answer = Ask("GET", "/v2/models/sum/infer");
  ErrorOf(answer, 405);
  EXPECT_EQ(answer.Header("Allow"), "POST, OPTIONS");
  ErrorOf(Ask("POST", "/v2/models/nothing/infer", "{}"), 404);
}

TEST_F(OipRoutesTest, HealthHasBodiesThatClientsRead) {
  EXPECT_EQ(Ask("GET", "/v2/health/live").body, R"({"live":true})");
  EXPECT_EQ(Ask("GET", "/v2/health/ready").body, R"({"ready":true})");
  EXPECT_EQ(Ask("GET", "/v2/models/sum/ready").body, R"({"name":"sum","ready":true})");
  EXPECT_EQ(Ask("GET", "/v2/models/sum/versions/1004002/ready").status, 200);
  service_->BeginDrain();
  const auto answer = Ask("GET", "/v2/health/ready");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.body, R"({"error":"not ready: draining","ready":false})");
}

TEST_F(OipRoutesTest, TheRepositoryShowsWhatFailedToo) {
  ASSERT_FALSE(live_.Load(bundles_.folder() / "gone"));
  EXPECT_THAT(Ask("POST", "/v2/repository/index").body,
              HasSubstr(R"("name":"gone","version":"","state":"UNAVAILABLE")"));
  EXPECT_EQ(Ask("POST", "/v2/repository/index", R"({"ready":true})").body,
            R"([{"name":"sum","version":"1.4.2","state":"READY","reason":""}])");
  ErrorOf(Ask("POST", "/v2/repository/index", R"({"ready":1})"));
  ErrorOf(Ask("POST", "/v2/repository/models/sum/load"), 501);
}

TEST_F(OipRoutesTest, CallsAreCountedUnderTheirDoor) {
  Infer(Request({kA, kB, kKind}));
  std::string text;
  metrics_.WriteText(text);
  EXPECT_THAT(text, HasSubstr(R"(slipway_predictions_total{model="sum",version="1.4.2",door="oip",outcome="ok"} 1)"));
}

}  // namespace
}  // namespace slipway::serving::oip
