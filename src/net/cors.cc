#include "net/cors.h"

#include <algorithm>

namespace slipway::net {
namespace {

bool AllowsAll(const CorsOptions& cors) {
  return std::ranges::find(cors.origins, "*") != cors.origins.end();
}

bool Allows(const CorsOptions& cors, std::string_view origin) {
  return !origin.empty() && (AllowsAll(cors) || std::ranges::find(cors.origins, origin) != cors.origins.end());
}

/// scheme://host[:port], nothing behind it.
bool IsOrigin(std::string_view text) {
  const size_t colon = text.find("://");
  if (colon == 0 || colon == std::string_view::npos) return false;
  const std::string_view host = text.substr(colon + 3);
  const auto plain = [](char c) {
    return c > ' ' && c < 0x7f && std::string_view("/?#@,*").find(c) == std::string_view::npos;
  };
  return !host.empty() && std::ranges::all_of(host, plain);
}

}  // namespace

base::Result<void> CorsOptions::Check() const {
  for (const auto& origin : origins) {
    if (origin == "*" || IsOrigin(origin)) continue;
    return base::Fail(
        base::Code::kInvalidArgument, "net.cors",
        "an origin of cross-origin requests is scheme://host[:port] without a path, or *, not \"" + origin + "\"");
  }
  if (credentials && AllowsAll(*this)) {
    return base::Fail(base::Code::kInvalidArgument, "net.cors",
                      "cross-origin requests from all origins (*) cannot carry credentials; name the origins");
  }
  return {};
}

void AppendCorsHeaders(const CorsOptions& cors, std::string_view origin, std::string& out) {
  const bool all = AllowsAll(cors);
  if (!all) out += "Vary: Origin\r\n";
  if (!Allows(cors, origin)) return;
  out += "Access-Control-Allow-Origin: ";
  out += all ? "*" : origin;
  out += "\r\n";
  if (cors.credentials) out += "Access-Control-Allow-Credentials: true\r\n";
  out += "Access-Control-Expose-Headers: X-Request-Id, Slipway-Model, Slipway-Version, Slipway-Arm, Retry-After\r\n";
}

void AppendPreflightHeaders(const CorsOptions& cors, std::string_view origin, std::string_view allow,
                            std::string_view asked_headers, std::string& out) {
  out += "Vary: Access-Control-Request-Method, Access-Control-Request-Headers\r\n";
  if (!Allows(cors, origin)) return;
  out += "Access-Control-Allow-Methods: ";
  out += allow;
  out += "\r\n";
  if (!asked_headers.empty()) {
    out += "Access-Control-Allow-Headers: ";
    out += asked_headers;
    out += "\r\n";
  }
  out += "Access-Control-Max-Age: " + std::to_string(cors.max_age_seconds) + "\r\n";
}

}  // namespace slipway::net
