#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "serving/grpc/grpc_methods_fixture.h"

namespace slipway::serving::grpc {
namespace {

using rpc::Status;
using rpc::WireReader;
using rpc::WireType;
using rpc::WireWriter;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const std::string kTriton = "/inference.GRPCInferenceService/";
const std::string kPrediction = "/tensorflow.serving.PredictionService/";

std::string Message(const std::function<void(WireWriter&)>& write) {
  std::string out;
  WireWriter writer(out);
  write(writer);
  return out;
}

std::string Model(std::string_view name, std::string_view version = "") {
  return Message([&](WireWriter& w) {
    w.Text(1, name);
    w.Text(2, version);
  });
}

/// A row of "sum".
std::string SumRequest(std::string_view model, double a, double b, std::string_view id = "") {
  return Message([&](WireWriter& w) {
    w.Text(1, model);
    if (!id.empty()) w.Text(3, id);
    for (const char* name : {"a", "b"}) {
      w.Text(5, Message([&](WireWriter& input) {
               input.Text(1, name);
               input.Text(2, "FP64");
               input.Integer(3, 1);
             }));
    }
    w.Text(5, Message([&](WireWriter& input) {
             input.Text(1, "kind");
             input.Text(2, "BYTES");
             input.Integer(3, 1);
           }));
    for (const double value : {a, b}) w.Text(7, {reinterpret_cast<const char*>(&value), sizeof value});
    w.Text(7, std::string_view("\1\0\0\0x", 5));
  });
}

/// The first field of that number.
std::string_view Field(std::string_view message, uint32_t number) {
  WireReader reader(message);
  while (reader.Next()) {
    if (reader.Is(number, WireType::kBytes)) return reader.bytes();
  }
  return {};
}

class GrpcMethodsTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(live_.Load(bundles_.Write("sum", "1.4.2"))); }
  Answered Call(const std::string& method, std::string_view message) { return methods_.Call(method, message); }
  std::string Metrics() {
    std::string text;
    methods_.metrics().WriteText(text);
    return text;
  }

  live::SumBundles bundles_;
  live::LiveSet live_{bundles_.engines()};
  GrpcMethods methods_{live_, {"public", "predict", "observe"}};
};

TEST_F(GrpcMethodsTest, TensorsAreAnsweredInRawContents) {
  const auto answer = Call(kTriton + "ModelInfer", SumRequest("sum", 1, 2, "id-1"));
  ASSERT_EQ(answer.status, Status::kOk) << answer.error;
  EXPECT_EQ(Field(answer.body, 1), "sum");
  EXPECT_EQ(Field(answer.body, 2), "1.4.2");
  EXPECT_EQ(Field(answer.body, 3), "id-1");
  EXPECT_EQ(Field(Field(answer.body, 5), 1), "sum");
  ASSERT_EQ(Field(answer.body, 6).size(), sizeof(float));
  float sum = 0;
  std::memcpy(&sum, Field(answer.body, 6).data(), sizeof sum);
  EXPECT_EQ(sum, 3.0F);
  EXPECT_THAT(answer.headers, HasSubstr("Slipway-Version: 1.4.2\r\n"));
  EXPECT_THAT(Metrics(),
              HasSubstr(R"(slipway_predictions_total{model="sum",version="1.4.2",door="grpc",outcome="ok"} 1)"));
}

TEST_F(GrpcMethodsTest, AnswersOfAFallbackSaySo) {
  ASSERT_TRUE(live_.Load(bundles_.Write("frail", "1.0.0", "fallback: [{constant: {sum: 7, large: true}}]\n")));
  bundles_.run_hook = [] { return base::Fail(base::Code::kInternal, "engine.run", "out of order"); };
  for (const char* method : {"ModelInfer", "ModelStreamInfer"}) {
    const auto answer = Call(kTriton + method, SumRequest("frail", 1, 2));
    ASSERT_EQ(answer.status, Status::kOk) << answer.error;
    const bool streamed = method != std::string_view("ModelInfer");
    EXPECT_THAT(answer.headers, HasSubstr("Slipway-Fallback: reason=engine; from=frail@1.0.0\r\n"));
    const auto message = streamed ? Field(answer.body, 2) : std::string_view(answer.body);
    EXPECT_EQ(Field(message, 4),
              "\n\x0f"
              "fallback_reason\x12\x08\x1a\x06"
              "engine");
    float sum = 0;
    std::memcpy(&sum, Field(message, 6).data(), sizeof sum);
    EXPECT_EQ(sum, 7.0F);
  }
}

TEST_F(GrpcMethodsTest, ErrorsHaveTheirCanonicalCodes) {
  EXPECT_EQ(Call(kTriton + "ModelInfer", SumRequest("none", 1, 2)).status, Status::kNotFound);
  EXPECT_EQ(Call(kTriton + "ModelInfer", SumRequest("none", 1, 2)).http_status, 404);
  const auto refused = Call(kTriton + "ModelInfer", SumRequest("sum", -1, 2));
  EXPECT_EQ(refused.status, Status::kInvalidArgument);
  EXPECT_EQ(refused.http_status, 400);
  EXPECT_THAT(refused.error, HasSubstr("row 0, a: schema.out_of_range"));
  EXPECT_EQ(Call(kTriton + "ModelInfer", "\xff").status, Status::kInvalidArgument);
  const auto late = methods_.Call(kTriton + "ModelInfer", SumRequest("sum", 1, 2), base::Clock::System().Now());
  EXPECT_EQ(late.status, Status::kDeadlineExceeded);
}

TEST_F(GrpcMethodsTest, AStreamTellsOfErrorsInItsAnswersWithTheRequestsId) {
  const auto good = Call(kTriton + "ModelStreamInfer", SumRequest("sum", 1, 2, "a"));
  EXPECT_EQ(Field(Field(good.body, 2), 3), "a");
  EXPECT_EQ(Field(good.body, 1), "");
  const auto bad = Call(kTriton + "ModelStreamInfer", SumRequest("sum", -1, 2, "b"));
  EXPECT_THAT(std::string(Field(bad.body, 1)), HasSubstr("schema.out_of_range"));
  EXPECT_EQ(Field(Field(bad.body, 2), 3), "b");
  const auto unknown = Call(kTriton + "ModelStreamInfer", SumRequest("none", 1, 2, "c"));
  EXPECT_THAT(std::string(Field(unknown.body, 1)), HasSubstr("no model named"));
}

TEST_F(GrpcMethodsTest, ModelsAreDescribedAsOverRest) {
  EXPECT_EQ(Call(kTriton + "ServerLive", "").body, "\x08\1");
  EXPECT_EQ(Call(kTriton + "ServerReady", "").body, "\x08\1");
  EXPECT_EQ(Call(kTriton + "ModelReady", Model("sum", "1")).body, "\x08\1");
  EXPECT_EQ(Call(kTriton + "ModelReady", Model("none")).body, "");
  EXPECT_EQ(Field(Call(kTriton + "ServerMetadata", "").body, 2), "7.8.9");
  EXPECT_EQ(Field(Call(kTriton + "ModelMetadata", Model("sum")).body, 2), "1.4.2");
  EXPECT_EQ(Field(Field(Call(kTriton + "ModelConfig", Model("sum")).body, 1), 17), "slipway");
  EXPECT_EQ(Field(Field(Call(kTriton + "ModelStatistics", Model("sum")).body, 1), 1), "sum");
  EXPECT_EQ(Field(Field(Call(kTriton + "RepositoryIndex", "").body, 1), 3), "READY");
  EXPECT_EQ(Call(kTriton + "ModelMetadata", Model("none")).status, Status::kNotFound);
  methods_.SetUnready("draining");
  EXPECT_EQ(Call(kTriton + "ServerReady", "").body, "");
}

TEST_F(GrpcMethodsTest, WhatNobodyMayChangeHereIsRefused) {
  EXPECT_THAT(Call(kTriton + "RepositoryModelLoad", "").error, HasSubstr("admin listener"));
  EXPECT_EQ(Call(kTriton + "LogSettings", "\x0a\3\x0a\1a").status, Status::kUnimplemented);
  EXPECT_EQ(Call(kTriton + "LogSettings", "").status, Status::kOk);
  EXPECT_EQ(Call(kTriton + "TraceSetting", "\x12\1m").status, Status::kOk) << "a model's name changes nothing";
  EXPECT_FALSE(Call(kTriton + "SystemSharedMemoryRegister", "").known);
}

TEST_F(GrpcMethodsTest, EachListenerHasTheMethodsOfItsCallers) {
  GrpcMethods everybody(live_, {"public", "predict"}), operators(live_, {"public", "observe", "operate"});
  EXPECT_FALSE(everybody.Call(kTriton + "ModelMetadata", Model("sum")).known);
  EXPECT_TRUE(everybody.Call(kTriton + "ModelInfer", SumRequest("sum", 1, 2)).known);
  EXPECT_FALSE(operators.Call(kTriton + "ModelInfer", SumRequest("sum", 1, 2)).known);
  EXPECT_THAT(operators.Call(kTriton + "RepositoryModelLoad", "\x0a\3sum").error, HasSubstr("models are fixed"));
}

TEST_F(GrpcMethodsTest, HealthIsTheProcessesReadiness) {
  const std::string check = "/grpc.health.v1.Health/Check";
  EXPECT_EQ(Call(check, "").body, "\x08\1");
  EXPECT_EQ(Call(check, Model("inference.GRPCInferenceService")).body, "\x08\1");
  EXPECT_EQ(Call(check, Model("other")).status, Status::kNotFound);
  methods_.SetUnready("starting");
  EXPECT_EQ(Call(check, "").body, "\x08\2");
  EXPECT_TRUE(Call("/grpc.health.v1.Health/Watch", "").later);
}

TEST_F(GrpcMethodsTest, ReflectionListsTheListenersServices) {
  const auto answer = Call("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", "\x3a\1*");
  EXPECT_THAT(answer.body, HasSubstr("inference.GRPCInferenceService"));
  EXPECT_THAT(answer.body, HasSubstr("grpc.reflection.v1alpha.ServerReflection"));
  const auto missing = Call("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", "\x22\4none");
  EXPECT_THAT(std::string(Field(missing.body, 7)), HasSubstr("nothing here is called \"none\""));
}

std::string PredictRequest(std::string_view model, double a, std::string_view signature = "") {
  return Message([&](WireWriter& w) {
    w.Text(1, Message([&](WireWriter& spec) {
             spec.Text(1, model);
             spec.Text(3, signature);
           }));
    for (const auto& [name, value] : {std::pair("a", a), std::pair("b", 2.0)}) {
      w.Text(2, Message([&](WireWriter& entry) {
               entry.Text(1, name);
               entry.Text(2, Message([&](WireWriter& tensor) {
                            tensor.Varint(1, 2);
                            tensor.Text(2, std::string("\x12\2\x08\1", 4));
                            tensor.Text(4, {reinterpret_cast<const char*>(&value), sizeof value});
                          }));
             }));
    }
    // kind: DT_STRING, [1], "x"
    w.Text(2, std::string_view("\x0a\4kind\x12\x0b\x08\7\x12\4\x12\2\x08\1\x42\1x", 19));
  });
}

TEST_F(GrpcMethodsTest, TensorflowServingAnswersInTypedFields) {
  const auto answer = Call(kPrediction + "Predict", PredictRequest("sum", 1));
  ASSERT_EQ(answer.status, Status::kOk) << answer.error;
  const auto entry = Field(answer.body, 1);
  EXPECT_EQ(Field(entry, 1), "sum");
  float sum = 0;
  ASSERT_EQ(Field(Field(entry, 2), 5).size(), sizeof sum);
  std::memcpy(&sum, Field(Field(entry, 2), 5).data(), sizeof sum);
  EXPECT_EQ(sum, 3.0F);
  EXPECT_THAT(Metrics(), HasSubstr(R"(door="tfserving_grpc",outcome="ok"} 1)"));
}

TEST_F(GrpcMethodsTest, TensorflowServingsErrorsHaveTheirCodes) {
  EXPECT_EQ(Call(kPrediction + "Predict", PredictRequest("none", 1)).status, Status::kNotFound);
  EXPECT_THAT(Call(kPrediction + "Predict", PredictRequest("sum", 1, "x")).error, HasSubstr("signature def"));
  EXPECT_THAT(Call(kPrediction + "Predict", PredictRequest("sum", -1)).error, HasSubstr("schema.out_of_range"));
  ASSERT_TRUE(live_.Load(bundles_.WriteBare("bare", "1.0.0")));
  EXPECT_THAT(Call(kPrediction + "Classify", "\x0a\6\x0a\4bare").error, HasSubstr("answers no Classify"));
  EXPECT_THAT(Call(kPrediction + "GetModelMetadata", "\x0a\5\x0a\3sum").error, HasSubstr("signature_def"));
  EXPECT_THAT(Call(kPrediction + "GetModelMetadata", "\x0a\5\x0a\3sum\x12\rsignature_def").body,
              HasSubstr("SignatureDefMap"));
  // Version 1004002, available.
  EXPECT_EQ(Call("/tensorflow.serving.ModelService/GetModelStatus", "\x0a\5\x0a\3sum").body,
            std::string("\x0a\x08\x08\xe2\xa3\x3d\x10\x1e\x1a\0", 10));
}

}  // namespace
}  // namespace slipway::serving::grpc
