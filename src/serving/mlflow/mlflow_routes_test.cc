#include "serving/mlflow/mlflow_routes.h"

#include "serving/http_service_fixture.h"

namespace slipway::serving::mlflow {
namespace {

using testing::HasSubstr;

class Mlflow : public HttpServiceFixture {
 protected:
  std::string Invoke(std::string_view body, std::string_view headers = "Content-Type: application/json\r\n",
                     std::string_view path = "/invocations") {
    const auto answer = Post(path, body, headers);
    EXPECT_EQ(answer.Header("Content-Type"), "application/json");
    return std::to_string(answer.status) + " " + answer.body;
  }
  std::string InvokeCsv(std::string_view body) { return Invoke(body, "Content-Type: text/csv\r\n"); }
};

constexpr std::string_view kTwo = R"(200 {"predictions":[{"sum":3.5,"large":false},{"sum":21.0,"large":true}]})";

TEST_F(Mlflow, AnswersEveryFormAlike) {
  EXPECT_EQ(Invoke(R"({"dataframe_split":{"columns":["b","a","kind"],"index":[0,1],"data":[[2,1.5,"x"],[1,20,"y"]]}})"),
            kTwo);
  EXPECT_EQ(Invoke(R"({"dataframe_split":{"data":[[1.5,2,"x"],[20,1,"y"]]}})"), kTwo);
  EXPECT_EQ(Invoke(R"({"dataframe_records":[{"a":1.5,"b":2,"kind":"x"},{"kind":"y","a":20,"b":1}]})"), kTwo);
  EXPECT_EQ(Invoke(R"({"instances":[{"a":1.5,"b":2,"kind":"x"},[20,1,"y"]]})"), kTwo);
  EXPECT_EQ(Invoke(R"({"inputs":{"a":[1.5,20],"b":[2,1],"kind":["x","y"]}})"), kTwo);
  EXPECT_EQ(InvokeCsv("kind,a,b\nx,1.5,2\ny,20,1\n"), kTwo);
}

TEST_F(Mlflow, WritesAnOnlyOutputAsPlainValues) {
  LoadFrom(bundles_.WriteBare("bare", "1.0.0"));
  EXPECT_EQ(Invoke(R"({"inputs":[[1,2],[3,4.5]]})", "Slipway-Model: bare\r\n"), R"(200 {"predictions":[[3.0],[7.5]]})");
  LoadFrom(
      bundles_.WriteManifest("one", "1.0.0",
                             "inputs:\n  a: {type: number}\n  b: {type: number}\n"
                             "model: {engine: onnx, file: model.onnx, input: [a, b]}\noutputs: {sum: \"sums\"}\n"));
  EXPECT_EQ(Invoke(R"({"inputs":[[1,2],[3,4.5]]})", "Slipway-Model: one@1\r\n"), R"(200 {"predictions":[3.0,7.5]})");
}

TEST_F(Mlflow, TakesNanAsTheMissingValueOfAFrame) {
  EXPECT_EQ(Invoke(R"({"dataframe_split":{"columns":["a","b","kind"],"data":[[1,NaN,"x"]]}})"),
            R"(200 {"predictions":[{"sum":NaN,"large":false}]})");
  EXPECT_THAT(Invoke(R"({"dataframe_records":[{"a":1,"b":2,"kind":NaN}]})"), HasSubstr("row 0, kind: schema.null"));
}

TEST_F(Mlflow, IgnoresParamsThatAreAnObject) {
  EXPECT_THAT(Invoke(R"({"params":{"k":1},"instances":[]})"), HasSubstr("200 "));
  EXPECT_THAT(Invoke(R"({"params":null,"instances":[]})"), HasSubstr("200 "));
  EXPECT_THAT(Invoke(R"({"params":[1],"instances":[]})"),
              HasSubstr("400 {\"error_code\":\"BAD_REQUEST\",\"message\":\"\\\"params\\\" is an object, not [1]"));
}

TEST_F(Mlflow, RefusesTheRequestForOneWrongRow) {
  const std::string body = R"({"dataframe_records":[{"a":1,"b":2,"kind":"x"},{"a":-1,"b":2,"kind":"q"}]})";
  EXPECT_THAT(
      Invoke(body),
      testing::StartsWith("400 {\"error_code\":\"BAD_REQUEST\",\"message\":\"1 of 2 rows breaks the schema; row 1, "
                          "a: schema.out_of_range (min 0): "));
  EXPECT_THAT(InvokeCsv("a,b,kind\n1,2,x\n-1,2,q\n"), HasSubstr("row 1, a: schema.out_of_range (min 0)"));
  EXPECT_THAT(Get("/metrics").body, HasSubstr("door=\"mlflow\",outcome=\"rejected\"} 2\n"));
  EXPECT_THAT(LogText(),
              HasSubstr("\"door\":\"mlflow\",\"model\":\"sum\",\"version\":\"1.0.0\",\"rows\":2,\"rejected\":1"));
}

TEST_F(Mlflow, RefusesBodiesThatAreNoRequest) {
  EXPECT_THAT(Invoke("{}"), HasSubstr("400 {\"error_code\":\"BAD_REQUEST\",\"message\":\"the body has exactly one of"));
  EXPECT_THAT(Invoke(R"({"instances":[],"inputs":[]})"), HasSubstr("400 "));
  EXPECT_THAT(Invoke(R"([{"a":1}])"), HasSubstr("not a list"));
  EXPECT_THAT(Invoke(R"({"dataframe_split":{"columns":["a"],"data":[[1],[2]})"), HasSubstr("not valid JSON"));
  EXPECT_THAT(Invoke(R"({"inputs":{"a":[1,2],"b":[1]}})"), HasSubstr("lists of different lengths"));
  EXPECT_THAT(Invoke(R"({"dataframe_split":{"columns":["a","a"],"data":[]}})"), HasSubstr("twice"));
  EXPECT_THAT(Invoke(""), HasSubstr("400 "));
  EXPECT_THAT(InvokeCsv(""), HasSubstr("400 "));
  EXPECT_THAT(InvokeCsv("a,a\n1,2\n"), HasSubstr("400 "));
  EXPECT_THAT(InvokeCsv("a,b,kind\n1,2\n"), HasSubstr("schema.malformed"));
}

TEST_F(Mlflow, RefusesOtherContentTypesAndCharsets) {
  EXPECT_THAT(Invoke("{}", "Content-Type: text/plain\r\n"), HasSubstr("415 {\"error_code\":\"BAD_REQUEST\""));
  EXPECT_THAT(Invoke("{}", "Content-Type: application/json; charset=latin1\r\n"), HasSubstr("415 "));
  EXPECT_THAT(Invoke("{}", "Content-Type: application/json; format=pandas-split\r\n"), HasSubstr("415 "));
  EXPECT_THAT(Invoke(R"({"instances":[]})", ""), HasSubstr("200 "));
}

TEST_F(Mlflow, BoundsRowsByTheManifest) {
  Load("small", "1.0.0", "limits: {max_batch_rows: 1}\n");
  const std::string json = "Slipway-Model: small\r\n";
  EXPECT_THAT(Invoke(R"({"instances":[[1,2,"x"]]})", json), HasSubstr("200 "));
  EXPECT_THAT(Invoke(R"({"instances":[[1,2,"x"],[1,2,"x"]]})", json), HasSubstr("413 {\"error_code\":\"BAD_REQUEST\""));
  EXPECT_THAT(Invoke("a,b,kind\n1,2,x\n1,2,x\n", json + "Content-Type: text/csv\r\n"),
              HasSubstr("413 {\"error_code\":\"BAD_REQUEST\",\"message\":\"this CSV holds more than 1 rows"));
}

TEST_F(Mlflow, WantsANameWhereSeveralModelsAreServed) {
  Load("other", "1.0.0");
  const std::string_view body = R"({"instances":[[1,2,"x"]]})";
  EXPECT_EQ(
      Invoke(body),
      "400 {\"error_code\":\"BAD_REQUEST\",\"message\":\"2 models are served, and none is named: name one of other, "
      "sum, in the header Slipway-Model or as /invocations?model=…\"}");
  EXPECT_EQ(Post("/invocations", body, "Slipway-Model: other\r\n").Header("Slipway-Model"), "other");
  EXPECT_EQ(Post("/invocations?model=sum%401.0", body).Header("Slipway-Model"), "sum");
  EXPECT_THAT(Invoke(body, "Slipway-Model: none\r\n"), HasSubstr("404 {\"error_code\":\"RESOURCE_DOES_NOT_EXIST\""));
}

TEST_F(Mlflow, FollowsTheOnlyModelWhenItChanges) {
  const std::string_view body = R"({"instances":[[1,2,"x"]]})";
  EXPECT_EQ(Post("/invocations", body).Header("Slipway-Version"), "1.0.0");
  Load("sum", "1.1.0");
  EXPECT_EQ(Post("/invocations", body).Header("Slipway-Version"), "1.1.0");
  Load("other", "1.0.0");
  EXPECT_EQ(Post("/invocations", body).status, 400);
}

TEST_F(Mlflow, PingsOnlyWhenReady) {
  EXPECT_EQ(Get("/ping").status, 200);
  EXPECT_EQ(Get("/ping").body, "\n");
  service_->BeginDrain();
  EXPECT_EQ(Get("/ping").status, 503);
  EXPECT_EQ(Get("/ping").body, R"({"error_code":"TEMPORARILY_UNAVAILABLE","message":"not ready: draining"})");
}

TEST_F(Mlflow, TellsTheProgramsVersion) {
  EXPECT_EQ(Get("/version").body, "7.8.9");
}

TEST_F(Mlflow, AnswersItsOwnErrorsForWhatTheServerRefuses) {
  const auto wrong = Get("/invocations");
  EXPECT_EQ(wrong.status, 405);
  EXPECT_THAT(wrong.body, testing::StartsWith("{\"error_code\":\"BAD_REQUEST\",\"message\":\""));
}

TEST_F(Mlflow, AnswersEngineFailuresAs500) {
  bundles_.run_hook = [] { return base::Fail(base::Code::kInternal, "engine.run", "the runtime gave up"); };
  EXPECT_EQ(Invoke(R"({"instances":[[1,2,"x"]]})"),
            R"(500 {"error_code":"INTERNAL_ERROR","message":"the runtime gave up"})");
}

}  // namespace
}  // namespace slipway::serving::mlflow
