#include "serving/grpc/triton_methods.h"

#include <memory>
#include <string>
#include <utility>

#include "net/late_answer.h"
#include "rpc/wire_reader.h"
#include "rpc/wire_writer.h"
#include "serving/cold/await_model.h"
#include "serving/grpc/infer_call.h"
#include "serving/grpc/infer_message.h"
#include "serving/grpc/triton_messages.h"
#include "serving/oip/description.h"
#include "serving/oip/infer_terms.h"
#include "serving/version_reference.h"

namespace slipway::serving::grpc {
namespace {

using base::Value;
using rpc::WireReader;
using rpc::WireType;
using rpc::WireWriter;

base::Error Unimplemented(std::string_view why) {
  return {base::Code::kUnimplemented, "oip.unimplemented", std::string(why), ""};
}

Handler Refusing(std::string_view why) {
  return [why](ServiceCall& call) { call.Fail(Unimplemented(why)); };
}

/// Calls `answer(model, snapshot)` with the version that the message names.
template <typename Answer>
Handler WithModel(const oip::OipRouteParts& parts, Answer answer) {
  return [parts, answer](ServiceCall& call) {
    const auto choice = ReadModelChoice(call.request.body);
    if (!choice) return call.Fail(choice.error());
    std::string reference;
    ComposeReference(parts.live, choice->name, choice->version, reference);
    const auto snapshot = parts.live.Current();
    const auto model = snapshot->Resolve(reference);
    if (!model) return call.Fail(model.error());
    const auto known = HasContract(parts.predictor, *model, call.request, call.response);
    if (!known) return call.Fail(known.error());
    if (*known) answer(**model, *snapshot, call.response.body);
  };
}

/// A message of one boolean.
void AppendFlag(bool flag, std::string& out) {
  if (flag) WireWriter(out).Boolean(1, true);
}

/// Triton's clients ask whether a model is ready, and take an error for no answer.
void ModelReady(const oip::OipRouteParts& parts, ServiceCall& call) {
  const auto choice = ReadModelChoice(call.request.body);
  if (!choice) return call.Fail(choice.error());
  std::string reference;
  ComposeReference(parts.live, choice->name, choice->version, reference);
  AppendFlag(parts.live.Current()->Resolve(reference).has_value(), call.response.body);
}

void Statistics(const oip::OipRouteParts& parts, ServiceCall& call) {
  const auto choice = ReadModelChoice(call.request.body);
  if (!choice) return call.Fail(choice.error());
  const auto statistics = oip::DescribeAllStatistics(parts.live, parts.predictor, choice->name, choice->version);
  if (!statistics) return call.Fail(statistics.error());
  AppendMessage(*statistics, kModelStatisticsResponse, call.response.body);
}

void RepositoryIndex(const oip::OipRouteParts& parts, ServiceCall& call) {
  bool ready = false;
  WireReader reader(call.request.body);
  while (reader.Next()) {
    if (reader.Is(2, WireType::kVarint)) ready = reader.boolean();
  }
  if (reader.broken()) return call.Fail(BrokenMessage("inference.RepositoryIndexRequest"));
  AppendMessage(Value::Map().Set("models", oip::DescribeRepository(parts.live, ready)), kRepositoryIndexResponse,
                call.response.body);
}

/// KServe's messages have the model's name where Triton's have the repository's.
base::Result<std::string> ReadSwitch(std::string_view message) {
  std::string_view first, second;
  WireReader reader(message);
  while (reader.Next()) {
    if (reader.Is(1, WireType::kBytes)) first = reader.bytes();
    if (reader.Is(2, WireType::kBytes)) second = reader.bytes();
    if (!reader.Is(3, WireType::kBytes)) continue;
    SLIPWAY_ASSIGN(const auto parameter, ReadModelChoice(reader.bytes()));
    SLIPWAY_TRY(oip::CheckRepositoryParameter(parameter.name));
  }
  if (reader.broken()) return std::unexpected(BrokenMessage("inference.RepositoryModelLoadRequest"));
  return std::string(second.empty() ? first : second);
}

using Switch = void (live::LiveController::*)(std::string name, live::LiveController::Done done);

/// Answers when the controller has done it, in KServe's message: the model's name and that it is so. Triton's has no
/// fields.
Handler Switching(live::LiveController& controller, Switch to) {
  return [&controller, to](ServiceCall& call) {
    auto name = ReadSwitch(call.request.body);
    if (!name) return call.Fail(name.error());
    call.response.later = [&controller, to, name = std::move(*name)](const net::LateAnswer& late) {
      (controller.*to)(name, [late, name](const base::Result<void>& result) {
        late.Finish([result, name](const net::Request& request, net::Response& response) {
          if (!result) return ServiceCall(request, response).Fail(result.error());
          WireWriter writer(response.body);
          writer.Text(1, name);
          writer.Boolean(2, true);
        });
      });
    };
  };
}

Handler SwitchHandler(const oip::OipRouteParts& parts, bool operates, Switch to) {
  if (!operates) return Refusing(oip::kOperatedOnAdmin);
  if (parts.controller == nullptr) return Refusing("this server's models are fixed");
  return Switching(*parts.controller, to);
}

/// Whether a request carries settings, which it would change.
base::Result<bool> HasSettings(std::string_view message) {
  bool has = false;
  WireReader reader(message);
  while (reader.Next()) has |= reader.Is(1, WireType::kBytes);
  if (reader.broken()) return std::unexpected(BrokenMessage("that this method takes"));
  return has;
}

template <typename Append>
Handler Settings(Append append) {
  return [append](ServiceCall& call) {
    const auto has = HasSettings(call.request.body);
    if (!has) return call.Fail(has.error());
    if (*has) return call.Fail(Unimplemented(oip::kFixedSettings));
    append(call.response.body);
  };
}

}  // namespace

void AddTritonMethods(const oip::OipRouteParts& parts, MethodTable& methods) {
  const auto add = [&](std::string_view name, std::string permission, Handler handler, Shape shape = Shape::kUnary) {
    methods.Add("/inference.GRPCInferenceService/" + std::string(name), std::move(permission), Door::kGrpc,
                std::move(handler), shape);
  };
  add("ServerLive", "public", [](ServiceCall& call) { AppendFlag(true, call.response.body); });
  add("ServerReady", "public",
      [parts](ServiceCall& call) { AppendFlag(parts.unready_reason().empty(), call.response.body); });
  add("ModelReady", "public", [parts](ServiceCall& call) { ModelReady(parts, call); });
  add("ServerMetadata", "observe", [parts](ServiceCall& call) {
    AppendMessage(oip::DescribeServer(parts.program_version), kServerMetadata, call.response.body);
  });
  add("ModelMetadata", "observe", WithModel(parts, [](const auto& model, const auto& snapshot, std::string& out) {
        AppendMessage(oip::DescribeModel(model, snapshot), kModelMetadata, out);
      }));
  add("ModelConfig", "observe", WithModel(parts, [](const auto& model, const auto&, std::string& out) {
        AppendMessage(Value::Map().Set("config", oip::DescribeConfig(model)), kModelConfigResponse, out);
      }));
  add("ModelStatistics", "observe", [parts](ServiceCall& call) { Statistics(parts, call); });
  add("RepositoryIndex", "observe", [parts](ServiceCall& call) { RepositoryIndex(parts, call); });
  add("TraceSetting", "observe",
      Settings([](std::string& out) { AppendTraceSettings(oip::DescribeTraceSettings(), out); }));
  add("LogSettings", "observe", Settings([](std::string& out) { AppendLogSettings(oip::DescribeLogSettings(), out); }));

  const bool operates = methods.Admits("operate");
  const std::string permission = operates ? "operate" : "observe";
  add("RepositoryModelLoad", permission, SwitchHandler(parts, operates, &live::LiveController::SwitchOn));
  add("RepositoryModelUnload", permission, SwitchHandler(parts, operates, &live::LiveController::SwitchOff));

  const auto infer = std::make_shared<InferCall>(parts.predictor, parts.live, parts.threads);
  add("ModelInfer", "predict", [infer](ServiceCall& call) { infer->Infer(call); });
  add("ModelStreamInfer", "predict", [infer](ServiceCall& call) { infer->StreamInfer(call); }, Shape::kStream);
}

}  // namespace slipway::serving::grpc
