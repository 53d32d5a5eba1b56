#include "serving/tfserving/error.h"

#include "base/value.h"
#include "serving/http_status.h"

namespace slipway::serving::tfserving {

void WriteError(int status, std::string_view text, net::Response& response) {
  response.status = status;
  response.content_type = "application/json";
  response.body = "{\"error\":";
  base::AppendJsonString(response.body, text);
  response.body += '}';
}

void WriteError(const base::Error& error, net::Response& response) {
  const int status = error.code == base::Code::kFailedPrecondition ? 400 : HttpStatusOf(error);
  WriteError(status, error.Text(), response);
  AddRetryAfter(response);
}

void WriteFault(const net::HttpFault& fault, const net::Request&, net::Response& response) {
  WriteError(fault.status, fault.detail, response);
}

}  // namespace slipway::serving::tfserving
