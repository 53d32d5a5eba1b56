#include "serving/mlflow/error.h"

#include "base/value.h"
#include "serving/http_status.h"

namespace slipway::serving::mlflow {

std::string_view ErrorCodeOf(int status) {
  switch (status) {
    case 401:
      return "UNAUTHENTICATED";
    case 403:
      return "PERMISSION_DENIED";
    case 404:
      return "RESOURCE_DOES_NOT_EXIST";
    case 409:
      return "RESOURCE_CONFLICT";
    case 429:
      return "REQUEST_LIMIT_EXCEEDED";
    case 499:
      return "CANCELLED";
    case 501:
      return "NOT_IMPLEMENTED";
    case 503:
      return "TEMPORARILY_UNAVAILABLE";
    case 504:
      return "DEADLINE_EXCEEDED";
    default:
      return status < 500 ? "BAD_REQUEST" : "INTERNAL_ERROR";
  }
}

void WriteError(int status, std::string_view message, net::Response& response) {
  response.status = status;
  response.content_type = "application/json";
  response.body = "{\"error_code\":\"";
  response.body += ErrorCodeOf(status);
  response.body += "\",\"message\":";
  base::AppendJsonString(response.body, message);
  response.body += '}';
  AddRetryAfter(response);
}

void WriteError(const base::Error& error, net::Response& response) {
  WriteError(HttpStatusOf(error), error.Text(), response);
}

void WriteFault(const net::HttpFault& fault, const net::Request&, net::Response& response) {
  WriteError(fault.status, fault.detail, response);
}

}  // namespace slipway::serving::mlflow
