#pragma once
// Errors of the native routes: RFC 9457, application/problem+json.

#include <string_view>

#include "base/error.h"
#include "net/http_message.h"

namespace slipway::serving::rest {

/// Writes {"type","title","status","detail","code","request_id"…} with `members` (JSON members led by commas) at the
/// end, and Retry-After where the status wants it.
void WriteProblem(int status, std::string_view code, std::string_view detail, const net::Request& request,
                  net::Response& response, std::string_view members = {});
/// The same for an error, with its status by HttpStatusOf().
void WriteProblem(const base::Error& error, const net::Request& request, net::Response& response);

}  // namespace slipway::serving::rest
