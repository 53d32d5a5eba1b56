#include "serving/mlflow/mlflow_routes.h"

#include "serving/mlflow/error.h"
#include "serving/mlflow/invocations.h"

namespace slipway::serving::mlflow {
namespace {

using net::Request;
using net::Response;

void Ping(const MlflowRouteParts& parts, Response& response) {
  const std::string_view reason = parts.unready_reason();
  if (reason.empty()) {
    response.body = "\n";  // what MLflow says
  } else {
    WriteError(503, std::string("not ready: ") + std::string(reason), response);
  }
}

}  // namespace

base::Result<void> AddMlflowRoutes(const MlflowRouteParts& parts, net::RouteTable& routes) {
  const auto add = [&](net::Method method, std::string pattern, std::string permission, net::Handler handler) {
    return routes.Add({.method = method,
                       .pattern = std::move(pattern),
                       .permission = std::move(permission),
                       .handler = std::move(handler),
                       .door = std::string(DoorName(Door::kMlflow)),
                       .requires_body = method == net::Method::kPost,
                       .fault_shape = &WriteFault});
  };
  SLIPWAY_TRY(
      add(net::Method::kPost, "/invocations", "predict",
          [invocations = Invocations(parts.predictor)](const Request& q, Response& r) { invocations.Handle(q, r); }));
  SLIPWAY_TRY(add(net::Method::kGet, "/ping", "public", [parts](const Request&, Response& r) { Ping(parts, r); }));
  return add(net::Method::kGet, "/version", "public", [parts](const Request&, Response& r) {
    r.content_type = "text/plain; charset=utf-8";
    r.body = parts.program_version;
  });
}

}  // namespace slipway::serving::mlflow
