#include "serving/rest/problem.h"

#include "net/http_fault.h"
#include "serving/http_status.h"

namespace slipway::serving::rest {

void WriteProblem(int status, std::string_view code, std::string_view detail, const net::Request& request,
                  net::Response& response, std::string_view members) {
  net::WriteProblem({.status = status, .code = code, .detail = detail}, request, response);
  if (!members.empty()) {
    response.body.pop_back();
    response.body += members;
    response.body += '}';
  }
  AddRetryAfter(response);
}

void WriteProblem(const base::Error& error, const net::Request& request, net::Response& response) {
  WriteProblem(HttpStatusOf(error), error.reason, error.Text(), request, response);
}

}  // namespace slipway::serving::rest
