#include "serving/tfserving/tfserving_routes.h"

#include "serving/cold/await_model.h"
#include "serving/tfserving/error.h"
#include "serving/tfserving/predict_calls.h"
#include "serving/tfserving/signatures.h"

namespace slipway::serving::tfserving {
namespace {

using net::Request;
using net::Response;

struct Verb {
  std::string_view suffix;
  Method method;
};
constexpr Verb kVerbs[] = {
    {":predict", Method::kPredict}, {":classify", Method::kClassify}, {":regress", Method::kRegress}};
constexpr std::string_view kPaths[] = {"/v1/models/{model}", "/v1/models/{model}/versions/{version}",
                                       "/v1/models/{model}/labels/{label}"};

void WriteJson(const base::Value& value, Response& response) {
  response.body = base::ToJson(value, {.indent = 2, .trailing_newline = true});
}

void List(const live::LiveSet& live, Response& response) {
  base::Value names = base::Value::List();
  const auto snapshot = live.Current();
  for (const auto& entry : snapshot->entries()) names.Add(entry.name);
  WriteJson(base::Value::Map().Set("models", std::move(names)), response);
}

void Status(const live::LiveSet& live, const Request& request, Response& response) {
  const std::string reference = ReferenceOf(live, request);
  const auto snapshot = live.Current();
  const auto model = snapshot->Resolve(reference);
  if (!model) {
    WriteError(model.error(), response);
    return;
  }
  WriteJson(DescribeStatus(*snapshot, **model, reference.find('@') == std::string::npos), response);
}

void Metadata(const TfServingRouteParts& parts, const Request& request, Response& response) {
  const auto model = parts.live.Current()->Resolve(ReferenceOf(parts.live, request));
  if (!model) return WriteError(model.error(), response);
  const auto known = HasContract(parts.predictor, *model, request, response);
  if (!known) return WriteError(known.error(), response);
  if (*known) WriteJson(DescribeMetadata(**model), response);
}

}  // namespace

base::Result<void> AddTfServingRoutes(const TfServingRouteParts& parts, net::RouteTable& routes) {
  const auto add = [&](net::Method method, std::string pattern, std::string permission, net::Handler handler) {
    return routes.Add({.method = method,
                       .pattern = std::move(pattern),
                       .permission = std::move(permission),
                       .handler = std::move(handler),
                       .door = std::string(DoorName(Door::kTfServing)),
                       .requires_body = method == net::Method::kPost,
                       .fault_shape = &WriteFault});
  };
  const auto& live = parts.live;
  SLIPWAY_TRY(add(net::Method::kGet, "/v1/models", "observe", [&live](const Request&, Response& r) { List(live, r); }));
  for (const std::string_view path : kPaths) {
    SLIPWAY_TRY(add(net::Method::kGet, std::string(path), "observe",
                    [&live](const Request& q, Response& r) { Status(live, q, r); }));
    SLIPWAY_TRY(add(net::Method::kGet, std::string(path) + "/metadata", "observe",
                    [parts](const Request& q, Response& r) { Metadata(parts, q, r); }));
    for (const Verb& verb : kVerbs) {
      SLIPWAY_TRY(add(net::Method::kPost, std::string(path) + std::string(verb.suffix), "predict",
                      [calls = PredictCalls(parts.predictor, live), method = verb.method](
                          const Request& q, Response& r) { calls.Handle(method, q, r); }));
    }
  }
  return {};
}

}  // namespace slipway::serving::tfserving
