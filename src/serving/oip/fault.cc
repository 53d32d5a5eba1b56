#include "serving/oip/fault.h"

#include "base/value.h"
#include "serving/http_status.h"

namespace slipway::serving::oip {

void WriteError(int status, std::string_view text, net::Response& response) {
  response.status = status;
  response.content_type = "application/json";
  response.body = "{\"error\":";
  base::AppendJsonString(response.body, text);
  response.body += '}';
  AddRetryAfter(response);
}

void WriteError(const base::Error& error, net::Response& response) {
  WriteError(HttpStatusOf(error), error.Text(), response);
}

void WriteFault(const net::HttpFault& fault, const net::Request&, net::Response& response) {
  WriteError(fault.status, fault.detail, response);
}

}  // namespace slipway::serving::oip
