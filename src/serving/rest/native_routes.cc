#include "serving/rest/native_routes.h"

#include "base/value.h"
#include "serving/cold/await_model.h"
#include "serving/rest/model_description.h"
#include "serving/rest/predict_route.h"
#include "serving/rest/problem.h"

namespace slipway::serving::rest {
namespace {

using base::Value;
using net::Method;
using net::Request;
using net::Response;

void WriteJson(const Value& value, Response& response) {
  response.body = base::ToJson(value, {.indent = 2, .trailing_newline = true});
}

void Live(const Request&, Response& response) {
  response.body = "{\"live\":true}";
}

void Ready(const NativeRouteParts& parts, Response& response) {
  const std::string_view reason = parts.health.UnreadyReason();
  if (reason.empty()) {
    response.body = "{\"ready\":true}";
    return;
  }
  response.status = 503;
  response.body = "{\"ready\":false,\"reason\":\"";
  response.body += reason;
  response.body += "\"}";
}

/// 503 when a check fails, so that a probe need not read the body.
void ReportHealth(const NativeRouteParts& parts, Response& response) {
  const base::Value report = parts.health.Report();
  if (report.Find("status")->string() == "fail") response.status = 503;
  response.AddHeader("Cache-Control", "no-store");
  WriteJson(report, response);
}

void Model(const NativeRouteParts& parts, const Request& request, Response& response) {
  const auto snapshot = parts.live.Current();
  const auto model = snapshot->Resolve(request.Parameter("model"));
  if (!model) {
    WriteProblem(model.error(), request, response);
    return;
  }
  const auto known = HasContract(parts.predictor, *model, request, response);
  if (!known) return WriteProblem(known.error(), request, response);
  if (!*known) return;
  Value description = DescribeModel(**model, *snapshot);
  if (!(*model)->cold()) {
    if (const auto workload = parts.predictor.WorkloadOf(**model)) description.Set("workload", workload->Describe());
  }
  WriteJson(description, response);
}

void Metrics(const NativeRouteParts& parts, const Request& request, Response& response) {
  const bool open = request.Header("Accept").find("application/openmetrics-text") != std::string_view::npos;
  const auto form = open ? telemetry::Exposition::kOpenMetrics : telemetry::Exposition::kPrometheus;
  response.content_type = telemetry::ContentType(form);
  parts.metrics.WriteText(response.body, form);
}

}  // namespace

base::Result<void> AddNativeRoutes(const NativeRouteParts& parts, net::RouteTable& routes) {
  const auto get = [&](std::string pattern, std::string permission, net::Handler handler) {
    return routes.Add({.method = Method::kGet,
                       .pattern = std::move(pattern),
                       .permission = std::move(permission),
                       .handler = std::move(handler)});
  };
  const PredictRoute predict(parts.predictor);
  SLIPWAY_TRY(routes.Add({.method = Method::kPost,
                          .pattern = "/predict/{model}",
                          .permission = "predict",
                          .handler = [predict](const Request& q, Response& r) { predict.Handle(q, r); },
                          .stream = [predict](const Request& q) { return predict.Open(q); },
                          .requires_body = true}));
  SLIPWAY_TRY(get("/livez", "public", Live));
  SLIPWAY_TRY(get("/readyz", "public", [parts](const Request&, Response& r) { Ready(parts, r); }));
  SLIPWAY_TRY(get("/health", "observe", [parts](const Request&, Response& r) { ReportHealth(parts, r); }));
  SLIPWAY_TRY(get("/models", "observe",
                  [parts](const Request&, Response& r) { WriteJson(DescribeModels(parts.live, parts.predictor), r); }));
  SLIPWAY_TRY(get("/models/{model}", "observe", [parts](const Request& q, Response& r) { Model(parts, q, r); }));
  return get("/metrics", "observe", [parts](const Request& q, Response& r) { Metrics(parts, q, r); });
}

}  // namespace slipway::serving::rest
