#include "serving/oip/oip_routes.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "base/value.h"
#include "serving/cold/await_model.h"
#include "serving/oip/description.h"
#include "serving/oip/fault.h"
#include "serving/oip/infer_route.h"
#include "serving/oip/infer_terms.h"
#include "serving/oip/repository_routes.h"
#include "serving/oip/route_adder.h"
#include "serving/version_reference.h"

namespace slipway::serving::oip {
namespace {

using base::Value;
using net::Method;
using net::Request;
using net::Response;

constexpr std::string_view kNoSharedMemory = "this server offers no shared memory; send the data in the request";

void WriteJson(const Value& value, Response& response) {
  response.body = base::ToJson(value);
}

void Ready(const OipRouteParts& parts, Response& response) {
  const std::string_view reason = parts.unready_reason();
  if (reason.empty()) {
    response.body = "{\"ready\":true}";
    return;
  }
  WriteError(503, fmt::format("not ready: {}", reason), response);
  response.body.pop_back();
  response.body += ",\"ready\":false}";
}

/// Whether an answer tells of a model's tensors.
enum class Needs : uint8_t { kName, kContract };

/// Calls `answer(model, snapshot)` with the version that the path names.
template <typename Answer>
net::Handler WithModel(const OipRouteParts& parts, Needs needs, Answer answer) {
  return [parts, needs, answer](const Request& request, Response& response) {
    std::string reference;
    ComposeReference(parts.live, request.Parameter("model"), request.Parameter("version"), reference);
    const auto snapshot = parts.live.Current();
    const auto model = snapshot->Resolve(reference);
    if (!model) return WriteError(model.error(), response);
    if (needs == Needs::kContract) {
      const auto known = HasContract(parts.predictor, *model, request, response);
      if (!known) return WriteError(known.error(), response);
      if (!*known) return;
    }
    WriteJson(answer(**model, *snapshot), response);
  };
}

/// Of one version, or of all versions of a name, or of everything.
void Statistics(const OipRouteParts& parts, const Request& request, Response& response) {
  const auto statistics =
      DescribeAllStatistics(parts.live, parts.predictor, request.Parameter("model"), request.Parameter("version"));
  if (!statistics) return WriteError(statistics.error(), response);
  WriteJson(*statistics, response);
}

void TraceSettings(const Request&, Response& response) {
  WriteJson(DescribeTraceSettings(), response);
}

void LogSettings(const Request&, Response& response) {
  WriteJson(DescribeLogSettings(), response);
}

void NoRegions(const Request& request, Response& response) {
  const std::string_view region = request.Parameter("region");
  if (region.empty()) {
    response.fixed_body = "[]";
  } else {
    WriteError(404, fmt::format("there is no shared memory region \"{}\": {}", region, kNoSharedMemory), response);
  }
}

base::Result<void> AddModelRoutes(const OipRouteParts& parts, RouteAdder& adder) {
  SLIPWAY_TRY(adder.AddForModel(
      Method::kGet, "", "observe",
      WithModel(parts, Needs::kContract,
                [](const auto& model, const live::Snapshot& snapshot) { return DescribeModel(model, snapshot); })));
  SLIPWAY_TRY(adder.AddForModel(Method::kGet, "/ready", "public",
                                WithModel(parts, Needs::kName, [](const auto& model, const auto&) {
                                  return Value::Map().Set("name", model.name).Set("ready", true);
                                })));
  SLIPWAY_TRY(adder.AddForModel(
      Method::kGet, "/config", "observe",
      WithModel(parts, Needs::kContract, [](const auto& model, const auto&) { return DescribeConfig(model); })));
  const net::Handler statistics = [parts](const Request& q, Response& r) { Statistics(parts, q, r); };
  SLIPWAY_TRY(adder.AddForModel(Method::kGet, "/stats", "observe", statistics));
  SLIPWAY_TRY(adder.Add(Method::kGet, "/v2/models/stats", "observe", statistics));
  const auto infer = std::make_shared<InferRoute>(parts.predictor, parts.live, parts.threads);
  return adder.AddForModel(Method::kPost, "/infer", "predict",
                           [infer](const Request& q, Response& r) { infer->Handle(q, r); });
}

/// What Triton lets clients change, as far as they only look.
base::Result<void> AddSettingsRoutes(RouteAdder& adder) {
  for (const char* path : {"/v2/trace/setting", "/v2/models/{model}/trace/setting"}) {
    SLIPWAY_TRY(adder.Add(Method::kGet, path, "observe", TraceSettings));
    SLIPWAY_TRY(adder.Add(Method::kPost, path, "observe", Refusing(kFixedSettings)));
  }
  SLIPWAY_TRY(adder.Add(Method::kGet, "/v2/logging", "observe", LogSettings));
  SLIPWAY_TRY(adder.Add(Method::kPost, "/v2/logging", "observe", Refusing(kFixedSettings)));
  for (const std::string kind : {"system", "cuda"}) {
    const std::string base = "/v2/" + kind + "sharedmemory";
    SLIPWAY_TRY(adder.Add(Method::kGet, base + "/status", "observe", NoRegions));
    SLIPWAY_TRY(adder.Add(Method::kGet, base + "/region/{region}/status", "observe", NoRegions));
    SLIPWAY_TRY(adder.Add(Method::kPost, base + "/region/{region}/register", "observe", Refusing(kNoSharedMemory)));
    // Clients clear away what an earlier run may have left: there is nothing, so that is done.
    const net::Handler nothing = [](const Request&, Response& response) { response.fixed_body = "{}"; };
    SLIPWAY_TRY(adder.Add(Method::kPost, base + "/unregister", "observe", nothing));
    SLIPWAY_TRY(adder.Add(Method::kPost, base + "/region/{region}/unregister", "observe", nothing));
  }
  return {};
}

}  // namespace

base::Result<void> AddOipRoutes(const OipRouteParts& parts, net::RouteTable& routes) {
  RouteAdder adder(routes);
  SLIPWAY_TRY(adder.Add(Method::kGet, "/v2", "observe", [parts](const Request&, Response& response) {
    WriteJson(DescribeServer(parts.program_version), response);
  }));
  SLIPWAY_TRY(adder.Add(Method::kGet, "/v2/health/live", "public",
                        [](const Request&, Response& response) { response.fixed_body = "{\"live\":true}"; }));
  SLIPWAY_TRY(adder.Add(Method::kGet, "/v2/health/ready", "public",
                        [parts](const Request&, Response& response) { Ready(parts, response); }));
  SLIPWAY_TRY(AddRepositoryRoutes(parts, routes.Admits("operate"), adder));
  SLIPWAY_TRY(AddModelRoutes(parts, adder));
  return AddSettingsRoutes(adder);
}

}  // namespace slipway::serving::oip
