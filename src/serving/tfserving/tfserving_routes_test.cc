#include "serving/tfserving/tfserving_routes.h"

#include "serving/http_service_fixture.h"

namespace slipway::serving::tfserving {
namespace {

using testing::HasSubstr;

constexpr std::string_view kPredict = "/v1/models/sum:predict";
constexpr std::string_view kRow = R"({"a":1.5,"b":2,"kind":"x"})";
constexpr std::string_view kWrong = R"({"a":-1,"b":2,"kind":"q"})";

class TfServing : public HttpServiceFixture {
 protected:
  std::string Predict(std::string_view body, std::string_view path = kPredict) {
    const auto answer = Post(path, body);
    EXPECT_EQ(answer.Header("Content-Type"), "application/json");
    return std::to_string(answer.status) + " " + answer.body;
  }
  std::string Rows(std::string_view rows) { return "{\"instances\":[" + std::string(rows) + "]}"; }
  void LoadBare() { LoadFrom(bundles_.WriteBare("bare", "2.1.0")); }
};

TEST_F(TfServing, AnswersRowsByRows) {
  EXPECT_EQ(Predict(Rows(kRow)), R"(200 {"predictions":[{"sum":3.5,"large":false}]})");
  EXPECT_EQ(Predict(R"({"signature_name":"serving_default","instances":[[1.5,2,"x"],[20,null,"y"]]})"),
            R"(200 {"predictions":[{"sum":3.5,"large":false},{"sum":NaN,"large":false}]})");
  EXPECT_EQ(Predict(Rows("")), R"(200 {"predictions":[]})");
}

TEST_F(TfServing, AnswersColumnsByColumns) {
  EXPECT_EQ(Predict(R"({"inputs":{"a":[1.5,20],"b":[2,1],"kind":["x","y"]}})"),
            R"(200 {"outputs":{"sum":[3.5,21.0],"large":[false,true]}})");
  EXPECT_EQ(Predict(R"({"inputs":{"a":1.5,"b":2,"kind":"x"}})"), R"(200 {"outputs":{"sum":[3.5],"large":[false]}})");
}

TEST_F(TfServing, NamesModelAndVersionInHeaders) {
  const auto answer = Post(kPredict, Rows(kRow));
  EXPECT_EQ(answer.Header("Slipway-Model"), "sum");
  EXPECT_EQ(answer.Header("Slipway-Version"), "1.0.0");
}

TEST_F(TfServing, LeavesTheNameOfAnOnlyTensorOut) {
  LoadBare();
  const std::string_view path = "/v1/models/bare:predict";
  EXPECT_EQ(Predict(R"({"instances":[[1,2],[3,4.5]]})", path), R"(200 {"predictions":[[3.0],[7.5]]})");
  EXPECT_EQ(Predict(R"({"instances":[{"x":[1,2]}]})", path), R"(200 {"predictions":[[3.0]]})");
  EXPECT_EQ(Predict(R"({"inputs":[[1,2],[3,4.5]]})", path), R"(200 {"outputs":[[3.0],[7.5]]})");
  EXPECT_EQ(Predict(R"({"inputs":{"x":[[1,2],[3,4.5]]}})", path), R"(200 {"outputs":[[3.0],[7.5]]})");
}

TEST_F(TfServing, RefusesRaggedTensorsAndMixedTypes) {
  LoadBare();
  const std::string_view path = "/v1/models/bare:predict";
  EXPECT_THAT(Predict(R"({"instances":[[1,2],[3]]})", path),
              HasSubstr("400 {\"error\":\"1 of 2 rows breaks the schema; row 1, x: schema.shape"));
  EXPECT_THAT(Predict(R"({"instances":[[1,[2]]]})", path), HasSubstr("schema.shape"));
  EXPECT_THAT(Predict(R"({"instances":[[[1,2]]]})", path), HasSubstr("schema.shape"));
  EXPECT_THAT(Predict(R"({"instances":[[1,"2"]]})", path), HasSubstr("row 0, x[1]: schema.wrong_type"));
  EXPECT_THAT(Predict(R"({"instances":[[1,null]]})", path), HasSubstr("x[1]"));
  EXPECT_THAT(Predict(R"({"instances":[[true,1]]})", path), HasSubstr("row 0, x[0]: schema.wrong_type"));
  EXPECT_THAT(Predict(R"({"instances":[7]})", path), HasSubstr("schema.wrong_type"));
  EXPECT_THAT(Predict(R"({"inputs":{"x":[[1,2]],"y":[1]}})", path), HasSubstr("y: schema.unknown_field"));
}

TEST_F(TfServing, KeepsTheSignOfZeroAndHugeIntegers) {
  LoadBare();
  const std::string_view path = "/v1/models/bare:predict";
  EXPECT_EQ(Predict(R"({"instances":[[-0.0,-0.0]]})", path), R"(200 {"predictions":[[-0.0]]})");
  EXPECT_EQ(Predict(R"({"instances":[[9007199254740993,0]]})", path), R"(200 {"predictions":[[9.007199e+15]]})");
  EXPECT_THAT(Predict(R"({"instances":[[1e400,0]]})", path), HasSubstr("schema.not_finite"));
}

TEST_F(TfServing, TakesBareNonFiniteTokens) {
  LoadFrom(
      bundles_.WriteManifest("open", "1.0.0",
                             "inputs:\n  a: {type: number, allow_non_finite: true}\n"
                             "  b: {type: number, allow_non_finite: true}\n"
                             "model: {engine: onnx, file: model.onnx, input: [a, b]}\noutputs: {sum: \"sums\"}\n"));
  EXPECT_EQ(Predict(R"({"instances":[[NaN,1],[Infinity,1],[1,-Infinity]]})", "/v1/models/open:predict"),
            R"(200 {"predictions":[NaN,Infinity,-Infinity]})");
  EXPECT_THAT(Predict(R"({"instances":[[NaN,1,"x"]]})"), HasSubstr("a: schema.not_finite"));
}

TEST_F(TfServing, TakesAndGivesBase64) {
  LoadFrom(bundles_.WriteManifest("echo", "1.0.0",
                                  "inputs:\n  a: {type: number}\n  b: {type: number}\n  note: {type: string}\n"
                                  "model: {engine: onnx, file: model.onnx, input: [a, b]}\n"
                                  "outputs: {sum: \"sums\", note_bytes: {expr: \"note\"}, note: {expr: \"note\"}}\n"));
  EXPECT_EQ(Predict(R"({"instances":[{"a":1,"b":2,"note":{"b64":"aGk="}}]})", "/v1/models/echo:predict"),
            R"(200 {"predictions":[{"sum":3.0,"note_bytes":{"b64":"aGk="},"note":"hi"}]})");
  EXPECT_THAT(Predict(R"({"instances":[{"a":1,"b":2,"note":{"b64":"/w=="}}]})", "/v1/models/echo:predict"),
              HasSubstr("400 {\"error\":\"1 of 1 row breaks the schema; row 0, note: schema.wrong_type"));
}

TEST_F(TfServing, RefusesTheRequestForOneWrongRow) {
  const std::string answer = Predict(Rows(std::string(kRow) + "," + std::string(kWrong)));
  EXPECT_THAT(answer, testing::StartsWith(
                          "400 {\"error\":\"1 of 2 rows breaks the schema; row 1, a: schema.out_of_range (min 0): "));
  EXPECT_THAT(answer, HasSubstr("-1"));
  EXPECT_THAT(answer, HasSubstr("row 1, kind: schema.not_in_set (one of"));
  EXPECT_EQ(Predict(Rows(std::string(kRow) + "," + std::string(kWrong))), answer);
  const std::string metrics = Get("/metrics").body;
  EXPECT_THAT(metrics, HasSubstr("door=\"tfserving\",outcome=\"rejected\"} 2\n"));
  EXPECT_THAT(LogText(), HasSubstr("\"door\":\"tfserving\",\"model\":\"sum\",\"version\":\"1.0.0\",\"rows\":2,"
                                   "\"rejected\":1,\"code\":\"schema.violation\""));
}

TEST_F(TfServing, RefusesBodiesThatAreNoRequest) {
  EXPECT_THAT(Predict("{}"), HasSubstr("400 {\"error\":\"the body has exactly one of"));
  EXPECT_THAT(Predict(R"({"instances":[],"inputs":[]})"), HasSubstr("400 {\"error\":\"the body has exactly one of"));
  EXPECT_THAT(Predict(R"({"instances":)"), HasSubstr("400 {\"error\":\"this is not valid JSON at line 1"));
  EXPECT_THAT(Predict(""), HasSubstr("400 {\"error\":"));
  EXPECT_THAT(Predict(R"({"instances":[{"a":1,"a":2,"b":1,"kind":"x"}]})"), HasSubstr("schema.duplicate_field"));
  EXPECT_THAT(Predict(R"({"signature_name":"other","instances":[]})"),
              HasSubstr("400 {\"error\":\"Serving signature name: \\\"other\\\" not found in signature def"));
  EXPECT_THAT(Predict(R"({"signature_name":1,"instances":[]})"), HasSubstr("is a string, not 1"));
  EXPECT_THAT(Predict(Rows(std::string(40, '[') + std::string(40, ']'))), HasSubstr("413 {\"error\":"));
}

TEST_F(TfServing, BoundsRowsByTheManifest) {
  Load("small", "1.0.0", "limits: {max_batch_rows: 2}\n");
  const std::string two = std::string(kRow) + "," + std::string(kRow);
  EXPECT_THAT(Predict(Rows(two), "/v1/models/small:predict"), HasSubstr("200 "));
  EXPECT_THAT(Predict(Rows(two + "," + std::string(kRow)), "/v1/models/small:predict"),
              HasSubstr("413 {\"error\":\"\\\"instances\\\" holds more than 2 rows"));
  EXPECT_THAT(Predict(R"({"inputs":{"a":[1,2,3],"b":[1,2,3],"kind":["x","x","x"]}})", "/v1/models/small:predict"),
              HasSubstr("413 "));
}

TEST_F(TfServing, AnswersItsOwnErrorsForWhatTheServerRefuses) {
  EXPECT_THAT(Get(std::string(kPredict)).body, HasSubstr("{\"error\":"));
  EXPECT_EQ(Get(std::string(kPredict)).status, 405);
  Start({.limits = {.body_bytes = 10}});
  const auto large = Post(kPredict, Rows(kRow));
  EXPECT_EQ(large.status, 413);
  EXPECT_THAT(large.body, testing::StartsWith("{\"error\":\""));
}

TEST_F(TfServing, AnswersEngineFailuresAs500) {
  bundles_.run_hook = [] { return base::Fail(base::Code::kInternal, "engine.run", "the runtime gave up"); };
  EXPECT_EQ(Predict(Rows(kRow)), R"(500 {"error":"the runtime gave up"})");
}

TEST_F(TfServing, FindsVersionsAndLabels) {
  Load("sum", "1.2.0");
  Load("sum", "2.0.0-rc.1");
  const auto version = [&](std::string_view path) { return Post(path, Rows(kRow)).Header("Slipway-Version"); };
  EXPECT_EQ(version("/v1/models/sum:predict"), "1.2.0");
  EXPECT_EQ(version("/v1/models/sum/versions/1:predict"), "1.2.0");
  EXPECT_EQ(version("/v1/models/sum/versions/1.0:predict"), "1.0.0");
  EXPECT_EQ(version("/v1/models/sum/versions/1.0.0:predict"), "1.0.0");
  EXPECT_EQ(version("/v1/models/sum/versions/1002000:predict"), "1.2.0");
  EXPECT_EQ(version("/v1/models/sum/versions/2.0.0-rc.1:predict"), "2.0.0-rc.1");
  EXPECT_EQ(version("/v1/models/sum/labels/stable:predict"), "1.2.0");
  EXPECT_THAT(Predict(Rows(kRow), "/v1/models/sum/versions/3:predict"),
              HasSubstr("404 {\"error\":\"model sum has no version"));
  EXPECT_THAT(Predict(Rows(kRow), "/v1/models/sum/labels/canary:predict"), HasSubstr("404 "));
  EXPECT_THAT(Predict(Rows(kRow), "/v1/models/none:predict"), HasSubstr("404 {\"error\":\"no model named"));
}

TEST_F(TfServing, TellsTheStateOfVersions) {
  Load("sum", "1.2.0");
  const auto status = base::ParseJson(Get("/v1/models/sum").body);
  ASSERT_TRUE(status);
  EXPECT_EQ(status->Find("name")->string(), "sum");
  EXPECT_TRUE(status->Find("ready")->boolean());
  const auto& versions = status->Find("model_version_status")->list();
  ASSERT_EQ(versions.size(), 2u);
  EXPECT_EQ(base::ToJson(versions[0]),
            R"({"version":"1.2.0","state":"AVAILABLE","status":{"error_code":"OK","error_message":""}})");
  const auto one = base::ParseJson(Get("/v1/models/sum/versions/1.0").body);
  ASSERT_TRUE(one);
  ASSERT_EQ(one->Find("model_version_status")->list().size(), 1u);
  EXPECT_EQ(one->Find("model_version_status")->list()[0].Find("version")->string(), "1.0.0");
  EXPECT_EQ(Get("/v1/models/sum/versions/9").status, 404);
  EXPECT_EQ(Get("/v1/models/none").status, 404);
  EXPECT_THAT(Get("/v1/models/none").body, HasSubstr("{\"error\":"));
  EXPECT_EQ(base::ToJson(*base::ParseJson(Get("/v1/models").body)), R"({"models":["sum"]})");
}

TEST_F(TfServing, DescribesColumnsAndTensors) {
  LoadBare();
  const auto sum = base::ParseJson(Get("/v1/models/sum/metadata").body);
  ASSERT_TRUE(sum);
  EXPECT_EQ(base::ToJson(*sum->Find("model_spec")), R"({"name":"sum","signature_name":"","version":"1.0.0"})");
  const auto& signatures = *sum->Find("metadata")->Find("signature_def")->Find("signature_def");
  const auto& predict = *signatures.Find("serving_default");
  EXPECT_EQ(
      base::ToJson(*predict.Find("inputs")->Find("kind")),
      R"({"dtype":"DT_STRING","tensor_shape":{"dim":[{"size":"-1","name":""}],"unknown_rank":false},"name":"kind:0"})");
  EXPECT_EQ(predict.Find("outputs")->Find("sum")->Find("dtype")->string(), "DT_FLOAT");
  EXPECT_EQ(predict.Find("method_name")->string(), "tensorflow/serving/predict");
  EXPECT_NE(signatures.Find("classification"), nullptr);
  EXPECT_NE(signatures.Find("regression"), nullptr);
  EXPECT_THAT(Get("/v1/models/bare/versions/2/metadata").body,
              HasSubstr(R"("dim": [{"size": "-1", "name": ""}, {"size": "2", "name": ""}])"));
  EXPECT_EQ(Get("/v1/models/none/metadata").status, 404);
}

TEST_F(TfServing, ClassifiesAndRegressesExamples) {
  const std::string_view examples =
      R"({"context":{"kind":["x"]},"examples":[{"a":[1.5],"b":2},{"a":20,"b":[1],"kind":"y"}]})";
  EXPECT_EQ(Predict(examples, "/v1/models/sum:classify"), R"(200 {"results":[[["false",3.5]],[["true",21.0]]]})");
  EXPECT_EQ(Predict(examples, "/v1/models/sum/versions/1:regress"), R"(200 {"results":[3.5,21.0]})");
  EXPECT_THAT(Predict(R"({"signature_name":"classification","examples":[]})", "/v1/models/sum:classify"),
              HasSubstr("200 {\"results\":[]}"));
  EXPECT_THAT(Predict(R"({"signature_name":"classification","examples":[]})", "/v1/models/sum:regress"),
              HasSubstr("400 "));
  EXPECT_THAT(Predict(R"({"instances":[]})", "/v1/models/sum:regress"), HasSubstr("has the member \\\"examples\\\""));
  EXPECT_THAT(Predict(R"({"context":{"a":"x"},"examples":[]})", "/v1/models/sum:regress"),
              HasSubstr("400 {\"error\":\"\\\"context\\\": "));
  EXPECT_THAT(Predict(R"({"examples":[[1,2,"x"]]})", "/v1/models/sum:regress"), HasSubstr("a record is an object"));
}

TEST_F(TfServing, SaysWhatAModelHasNoAnswersFor) {
  LoadBare();
  EXPECT_THAT(Predict(R"({"examples":[{"x":[1,2]}]})", "/v1/models/bare:classify"),
              HasSubstr("400 {\"error\":\"this model answers no :classify"));
  EXPECT_EQ(Predict(R"({"examples":[{"x":[1,2]}]})", "/v1/models/bare:regress"), R"(200 {"results":[3.0]})");
}

}  // namespace
}  // namespace slipway::serving::tfserving
