#include "serving/openapi/openapi_routes.h"

#include <utility>

#include "serving/openapi/docs_page.h"
#include "serving/openapi/document.h"

namespace slipway::serving::openapi {
namespace {

using net::Request;
using net::Response;

net::Handler Fixed(std::string_view media_type, std::string_view body) {
  return [media_type, body](const Request&, Response& response) {
    response.content_type = media_type;
    response.fixed_body = body;
    response.AddHeader("Content-Security-Policy", kDocsPolicy);
    response.AddHeader("X-Content-Type-Options", "nosniff");
  };
}

}  // namespace

base::Result<void> AddOpenApiRoutes(const live::LiveSet& live, const std::string& program_version,
                                    net::RouteTable& routes) {
  const auto get = [&](const char* pattern, net::Handler handler) {
    return routes.Add(
        {.method = net::Method::kGet, .pattern = pattern, .permission = "observe", .handler = std::move(handler)});
  };
  SLIPWAY_TRY(get("/openapi.json", [&live, program_version](const Request&, Response& response) {
    response.body = base::ToJson(Document(*live.Current(), program_version), {.indent = 1, .trailing_newline = true});
  }));
  SLIPWAY_TRY(get("/docs", Fixed("text/html; charset=utf-8", DocsPage())));
  SLIPWAY_TRY(get("/docs/page.js", Fixed("text/javascript; charset=utf-8", DocsScript())));
  return get("/docs/page.css", Fixed("text/css; charset=utf-8", DocsStyle()));
}

}  // namespace slipway::serving::openapi
