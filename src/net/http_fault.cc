#include "net/http_fault.h"

#include "base/value.h"

namespace slipway::net {

void WriteProblem(const HttpFault& fault, const Request& request, Response& response) {
  response.status = fault.status;
  response.content_type = "application/problem+json";
  std::string& out = response.body;
  out = "{\"type\":\"about:blank\",\"title\":";
  base::AppendJsonString(out, StatusPhrase(fault.status));
  out += ",\"status\":";
  out += std::to_string(fault.status);
  out += ",\"detail\":";
  base::AppendJsonString(out, fault.detail);
  out += ",\"code\":";
  base::AppendJsonString(out, fault.code);
  out += ",\"request_id\":";
  base::AppendJsonString(out, request.id);
  out += '}';
}

}  // namespace slipway::net
